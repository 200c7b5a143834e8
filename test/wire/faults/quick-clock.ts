import type { Clock } from '../../../src/index.ts'

/** The machine's clock, so many times as fast: limits of half a minute pass while a test waits for them. */
export function quick(factor: number): Clock {
  const startMs = performance.now()
  return {
    now: () => startMs + (performance.now() - startMs) * factor,
    wallTime: () => Date.now(),
    after(ms, run) {
      const timer = setTimeout(run, Math.min(ms / factor, 2 ** 31 - 1))
      return () => clearTimeout(timer)
    },
  }
}
