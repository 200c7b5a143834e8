import type { Clock } from '../../src/clock.ts'

interface Timer {
  readonly atMs: number
  readonly run: () => void
}

/** A clock that stands still until it is told to move on, and tells what was waited for. */
export class FakeClock implements Clock {
  #nowMs = 1_000
  readonly #wallOffsetMs: number
  readonly #timers = new Set<Timer>()

  constructor(wallTime = Date.UTC(2026, 0, 1)) {
    this.#wallOffsetMs = wallTime - this.#nowMs
  }

  now = (): number => this.#nowMs
  wallTime = (): number => this.#nowMs + this.#wallOffsetMs

  after = (ms: number, run: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + ms, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Timers that are armed at this moment. */
  get armed(): number {
    return this.#timers.size
  }

  /** Moves on by `ms`, running every timer on the way in its order, letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    await settle()
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined || next.atMs > endMs) break
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.run()
      await settle()
    }
    this.#nowMs = endMs
  }

  /** Moves on from timer to timer until `promise` settles; returns what it settles to. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const watched = promise.finally(() => {
      settled = true
    })
    watched.catch(() => {})
    for (let turn = 0; turn < 10_000; turn += 1) {
      await settle()
      if (settled) break
      const next = [...this.#timers].sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) continue
      await this.advance(next.atMs - this.#nowMs)
    }
    return watched
  }
}

/** Lets everything that is ready run, sockets of this process aside. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
