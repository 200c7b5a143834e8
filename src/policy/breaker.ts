import { attempted } from '../listener.ts'
import type { BreakerChange, BreakerConfig, BreakerState } from '../types/protection.ts'
import { jittered, retryDefaults } from './backoff.ts'
import { Window } from './window.ts'

/** A failure as the breaker has to know it. */
export interface BreakerFailure {
  readonly nowMs: number
  /** Its Retry-After; undefined when there is none. */
  readonly askedMs: number | undefined
  readonly random: () => number
}

/**
 * The circuit breaker of one origin. Closed, it counts; open, it refuses; half-open, it lets a few probes through, whose
 * results close it or open it again for twice as long. Holds state and decides; waits for nothing.
 */
export class Breaker {
  readonly #config: BreakerConfig
  readonly #origin: string
  /** What came of the calls while it is closed; failures are marked. */
  readonly #window: Window
  #state: BreakerState = 'closed'
  #generation = 0
  /** Failures in a row. */
  #streak = 0
  /** How often it was opened without having been closed. */
  #openings = 0
  #openUntilMs = 0
  #probing = 0
  #latestProbeMs = 0
  #successes = 0

  constructor(config: BreakerConfig, origin: string) {
    this.#config = config
    this.#origin = origin
    this.#window = new Window(config.windowMs)
  }

  /** Whether it is to be remembered: it is not closed, or has counted failures among enough outcomes to open it. */
  get busy(): boolean {
    return this.#state !== 'closed' || (this.#window.marked > 0 && this.#window.all >= this.#config.minVolume)
  }

  /** Whether every call passes. */
  get closed(): boolean {
    return this.#state === 'closed'
  }

  /** Which stretch between two changes it is in; a call's result counts only in the one in which it was sent. */
  get generation(): number {
    return this.#generation
  }

  /** The state; half-open as soon as the open time has passed, although only the next call makes it so. */
  state(nowMs: number): BreakerState {
    return this.#state === 'open' && nowMs >= this.#openUntilMs ? 'half-open' : this.#state
  }

  /** Milliseconds until a call has a chance; undefined where that does not depend on time. */
  remainingMs(nowMs: number): number | undefined {
    return this.#state === 'open' ? Math.max(0, this.#openUntilMs - nowMs) : undefined
  }

  /** Whether a call would be refused at this moment. */
  refuses(nowMs: number): boolean {
    const state = this.state(nowMs)
    if (state === 'open' || state === 'isolated') return true
    return this.#state === 'half-open' && this.#probing >= this.#config.probes && !this.#hasLostProbes(nowMs)
  }

  /** Whether a call may be sent; a probe has to be counted afterwards, or give its place back. */
  admit(nowMs: number): boolean {
    if (this.#state === 'open' && nowMs >= this.#openUntilMs) this.#become('half-open', 0)
    if (this.#state !== 'half-open') return this.#state === 'closed'
    if (this.#probing >= this.#config.probes) {
      if (!this.#hasLostProbes(nowMs)) return false
      this.#nextGeneration()
    }
    this.#probing += 1
    this.#latestProbeMs = nowMs
    return true
  }

  /** Counts a call of that generation that went well. */
  succeeded(generation: number, nowMs: number): void {
    if (generation !== this.#generation) return
    if (this.#state === 'closed') {
      this.#streak = 0
      this.#window.count(false, nowMs)
    } else if (this.#state === 'half-open') {
      this.#probing -= 1
      this.#successes += 1
      if (this.#successes >= this.#config.probes) this.close()
    }
  }

  /** Counts one that failed. */
  failed(generation: number, failure: BreakerFailure): void {
    if (generation !== this.#generation) return
    if (this.#state === 'half-open') this.#open(failure)
    else if (this.#state === 'closed') {
      this.#streak += 1
      this.#window.count(true, failure.nowMs)
      if (this.#isTooMuch()) this.#open(failure)
    }
  }

  /** A call ended without saying anything about the origin: another may be a probe in its place. */
  giveBack(generation: number): void {
    if (generation === this.#generation && this.#state === 'half-open') this.#probing -= 1
  }

  /** Opens it until {@link Breaker.close}. */
  isolate(): void {
    this.#become('isolated', Infinity)
  }

  /** Closes it, and forgets everything. */
  close(): void {
    this.#openings = 0
    this.#streak = 0
    this.#window.clear()
    this.#become('closed', 0)
  }

  /** Looked at when a call fails, so that it is always a failure that opens it. */
  #isTooMuch(): boolean {
    const { failureRatio, minVolume, consecutiveFailures } = this.#config
    if (consecutiveFailures !== false && this.#streak >= consecutiveFailures) return true
    const { all, marked } = this.#window
    return all >= minVolume && marked >= failureRatio * all
  }

  /** Calls without time limits may never end: after the longest open time others take the places of such probes. */
  #hasLostProbes(nowMs: number): boolean {
    return nowMs - this.#latestProbeMs >= this.#longestOpenMs
  }

  /** An `openMs` above the default of `maxOpenMs` is meant as it is. */
  get #longestOpenMs(): number {
    return Math.max(this.#config.openMs, this.#config.maxOpenMs)
  }

  /**
   * Opens it: for twice as long as the last time up to `maxOpenMs`, and as long as the origin asked if that is longer, but not
   * beyond a minute: one answer with a Retry-After of a day does not cut the service off for a day. Up to a fifth more, so
   * that processes do not come back together.
   */
  #open({ nowMs, askedMs = 0, random }: BreakerFailure): void {
    const ownMs = Math.min(this.#config.openMs * 2 ** this.#openings, this.#longestOpenMs)
    const openMs = jittered(Math.max(ownMs, Math.min(askedMs, retryDefaults.maxWaitMs)), random)
    this.#openings += 1
    this.#openUntilMs = nowMs + openMs
    this.#become('open', openMs)
  }

  #nextGeneration(): void {
    this.#generation += 1
    this.#probing = 0
  }

  /** The listener comes last: it may change the state again. */
  #become(to: BreakerState, openMs: number): void {
    const from = this.#state
    this.#state = to
    this.#nextGeneration()
    this.#successes = 0
    if (from !== to) this.#tell({ origin: this.#origin, from, to, openMs })
  }

  #tell(change: BreakerChange): void {
    const { onChange } = this.#config
    if (onChange !== undefined) attempted(onChange, change)
  }
}
