import { type Chance, exponential } from './chance.ts'

/** A stretch of time with one rate of calls. */
export interface Stretch {
  /** Milliseconds of virtual time at its end. */
  readonly untilMs: number
  readonly callsPerSecond: number
}

/** The moments, in milliseconds, at which one process makes a call: Poisson, whatever becomes of the calls. */
export function arrivalsOf(stretches: readonly Stretch[], chance: Chance): number[] {
  const moments: number[] = []
  let fromMs = 0
  for (const { untilMs, callsPerSecond } of stretches) {
    // What is drawn beyond the end is dropped: the process has no memory.
    for (let atMs = fromMs + exponential(1_000 / callsPerSecond, chance); atMs < untilMs; ) {
      moments.push(atMs)
      atMs += exponential(1_000 / callsPerSecond, chance)
    }
    fromMs = untilMs
  }
  return moments
}
