import type { ConcurrencyConfig } from '../types/protection.ts'

/** A window is judged once it is this old and holds this many outcomes, or as many as were under way together. */
const minWindowMs = 100
const minOutcomes = 30
/** A response time up to so much above the unloaded one counts as equal to it: it is chance. */
const tolerance = 1.2
/** Response times take half of the limit away at most: a window that is worse is as likely an accident. */
const leastGradient = 0.5
/** Requests that may queue at the origin, in square roots of the limit: they find out whether it has become larger. */
const room = 0.5
/** The part of the way to the new limit that is gone at a time. */
const smoothing = 0.5
/** How much of the limit must be in use for it to grow. */
const usedRatio = 0.8
/** Windows from one look at the unloaded response time to the next. */
const windowsBetweenProbes = 12
/** The same where the last look differed from what was known by more than this factor: it may have been chance, or a queue. */
const windowsToNextProbe = 2
const surprise = 0.75
/** One that differs by more than this is believed at once: there was a queue, or the work takes another time now. */
const leap = 0.6
/** The part of the way that is gone to any other unloaded response time: it is subject to chance. */
const drift = 0.5
/** Milliseconds below which response times are not told apart. */
const leastMs = 0.1

/** What an adaptive limit goes by. */
type Bounds = Pick<ConcurrencyConfig, 'initialLimit' | 'minLimit' | 'maxLimit'>

/**
 * How many requests an origin can take at a time, found out from its response times as the gradient algorithms do:
 * times that grow beyond the unloaded one are a queue at the origin, and the limit shrinks as they grow; else it grows
 * while it is in use. The unloaded time is looked at every now and then with half the limit, so that the queue that our
 * own requests make is never taken for it, and it may drift. Holds state and decides; is told the time.
 */
export class AdaptiveLimit {
  readonly #min: number
  readonly #max: number
  #limit: number
  /** Logarithm of the unloaded response time; that of the first window until more is known. */
  #unloaded: number | undefined
  /** The limit when the unloaded time was measured last: half of it makes no queue that was not there then. */
  #measuredAt: number
  #windowsToProbe = windowsToNextProbe
  #probing = false
  #window: Window = new Window(0, undefined)

  constructor({ initialLimit, minLimit, maxLimit }: Bounds) {
    this.#max = maxLimit
    this.#min = Math.min(minLimit, maxLimit)
    this.#limit = this.#within(initialLimit)
    this.#measuredAt = this.#limit
  }

  /** Requests that may be under way at this moment. */
  get limit(): number {
    return Math.floor(this.#probing ? this.#within(this.#limit / 2) : this.#limit)
  }

  /** A request is sent, and so many are under way with it. */
  sent(busy: number): void {
    if (busy > this.#window.peak) this.#window.peak = busy
  }

  /** The header section of a response has come after so long; `busy` are under way without it. */
  answered(tookMs: number, busy: number, nowMs: number): void {
    if (!this.#counts()) return
    this.#window.times += 1
    this.#window.logarithms += Math.log(Math.max(leastMs, tookMs))
    this.#judge(busy, nowMs)
  }

  /** The origin was overloaded by a request: it said so, or a time limit passed. */
  overloaded(busy: number, nowMs: number): void {
    if (!this.#counts()) return
    this.#window.overloads += 1
    this.#judge(busy, nowMs)
  }

  /** A request ended without telling anything. */
  ended(): void {
    this.#counts()
  }

  /** What was under way when the window began saw another limit, and tells nothing of this one. */
  #counts(): boolean {
    if (this.#window.before === 0) return true
    this.#window.before -= 1
    return false
  }

  /** Judges the window when it is whole, and begins another one. */
  #judge(busy: number, nowMs: number): void {
    const window = this.#window
    window.startMs ??= nowMs
    if (window.outcomes < Math.max(minOutcomes, window.peak) || nowMs - window.startMs < minWindowMs) return
    const quiet = this.#probing || window.peak <= this.#within(this.#measuredAt / 2)
    this.#windowsToProbe -= 1
    if (quiet && window.times > 0) this.#measured(window.time)
    this.#adjust(window)
    this.#probing = !this.#probing && this.#windowsToProbe <= 0
    this.#window = new Window(busy, nowMs)
  }

  /** The response time of a window whose requests can hardly have waited for one another. */
  #measured(time: number): void {
    const known = this.#unloaded ?? time
    const change = time - known
    this.#unloaded = Math.abs(change) > -Math.log(leap) ? time : known + drift * change
    this.#windowsToProbe = Math.abs(change) > -Math.log(surprise) ? windowsToNextProbe : windowsBetweenProbes
    this.#measuredAt = this.#limit
  }

  #adjust({ times, time, peak, overloads, outcomes }: Window): void {
    const used = peak >= usedRatio * Math.floor(this.#limit)
    const well = 1 - overloads / outcomes
    this.#unloaded ??= times > 0 ? time : undefined
    let gradient = (1 + well) / 2
    if (used && times > 0 && this.#unloaded !== undefined) {
      gradient *= Math.max(leastGradient, Math.min(1, tolerance * Math.exp(this.#unloaded - time)))
    }
    const more = used ? room * well * Math.sqrt(this.#limit) : 0
    this.#limit = this.#within(this.#limit + smoothing * (gradient * this.#limit + more - this.#limit))
  }

  #within(limit: number): number {
    return Math.min(this.#max, Math.max(this.#min, limit))
  }
}

/** What came of the requests after a change of the limit. */
class Window {
  /** Outcomes that are still to come of what was under way when it began. */
  before: number
  startMs: number | undefined
  /** Most requests under way together. */
  peak = 0
  times = 0
  overloads = 0
  /** Of the response times. */
  logarithms = 0

  constructor(before: number, startMs: number | undefined) {
    this.before = before
    this.startMs = startMs
  }

  get outcomes(): number {
    return this.times + this.overloads
  }

  /** The logarithm of the geometric mean: one response that took a minute does not move it much. */
  get time(): number {
    return this.logarithms / this.times
  }
}
