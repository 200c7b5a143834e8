import type { Clock } from './clock.ts'
import type { TimeLimit } from './errors/failures.ts'

/** The limits that steadfetch watches itself; connecting has a timer of its own. */
export type WatchedLimit = Exclude<TimeLimit, 'connect'>

/**
 * The time limits of one call, all on one timer. Most calls are over long before any limit, so moving one costs no
 * timer: the one that is armed looks again when it fires too early.
 */
export class Limits {
  readonly #clock: Clock
  readonly #expire: (limit: WatchedLimit) => void
  #stopTimer: (() => void) | undefined
  #firesMs = Infinity
  #callMs = Infinity
  #attemptMs = Infinity
  #idleMs = Infinity

  constructor(clock: Clock, expire: (limit: WatchedLimit) => void) {
    this.#clock = clock
    this.#expire = expire
  }

  /** Sets when a limit passes, in monotonic milliseconds; Infinity takes it off. */
  set(limit: WatchedLimit, atMs: number): void {
    if (limit === 'call') this.#callMs = atMs
    else if (limit === 'attempt') this.#attemptMs = atMs
    else this.#idleMs = atMs
    if (atMs < this.#firesMs) this.#arm()
  }

  /** Takes every limit off. */
  stop(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#firesMs = -Infinity
  }

  #arm(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#firesMs = Math.min(this.#callMs, this.#attemptMs, this.#idleMs)
    if (this.#firesMs === Infinity) return
    this.#stopTimer = this.#clock.after(Math.max(0, this.#firesMs - this.#clock.now()), () => this.#look())
  }

  #look(): void {
    const nowMs = this.#clock.now()
    if (this.#callMs <= nowMs) this.#pass('call')
    else if (this.#attemptMs <= nowMs) this.#pass('attempt')
    else if (this.#idleMs <= nowMs) this.#pass('idle')
    else this.#arm()
  }

  #pass(limit: WatchedLimit): void {
    this.#firesMs = Infinity
    this.set(limit, Infinity)
    this.#expire(limit)
    if (this.#firesMs === Infinity) this.#arm()
  }
}
