import type { RetryOptions } from '../types/policy.ts'

/** The default numbers of every retry. */
export const retryDefaults = { baseMs: 100, capMs: 5_000, maxWaitMs: 60_000 } as const
/** Waits asked for by the origin are lengthened by up to this ratio, so that callers do not come back together. */
const jitterRatio = 0.2

/** Full jitter: `random() * min(capMs, baseMs * 2^(n-1))` before the n-th retry, n from 1. */
export function backoffMs(retry: number, options: RetryOptions, random: () => number): number {
  const { baseMs = retryDefaults.baseMs, capMs = retryDefaults.capMs } = options
  return random() * Math.min(capMs, baseMs * 2 ** (retry - 1))
}

/** A wait the origin asked for: never shorter, up to 20 % longer. */
export function jittered(askedMs: number, random: () => number): number {
  return askedMs === Infinity ? Infinity : askedMs + random() * jitterRatio * askedMs
}

/** The longest a wait of up to `askedMs` can become by jitter. */
export function longestJittered(askedMs: number): number {
  return askedMs * (1 + jitterRatio)
}
