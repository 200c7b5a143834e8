/** What is let go in one stretch is spread over this part of the pause before it, but not over more than the limit. */
const spreadRatio = 0.45
const spreadLimitMs = 5_000
/** Requests are counted in turns of this length; the current one and the one before it tell how many went of late. */
const turnMs = 6_000
/** What may go in the first stretch when nothing is known yet. */
const leastUnknown = 20
/** How long what was learned about an origin counts, in milliseconds: the weight of a stretch grows with its length. */
const memoryMs = 30_000
/** By how much the rate grows per second while calls wait for it; more, the longer the origin has refused nothing. */
const growth = 0.01
const accelerationStretches = 5
/** While calls would be let go within so long, or two pauses, they go in the order they came. */
const orderlyMs = 5_000
/** Sums of fractions of tokens are a little less than whole ones. */
const nearlyOne = 1 - 1e-9

/**
 * How fast held calls are let go: a token bucket with the rate at which the origin has taken requests before, pauses
 * included. Many clients that know no more of one another than the refusals they get share what the origin gives, as
 * none of them takes at once all that a new window has. Decides; waits for nothing.
 */
export class Pace {
  #perMs = 0
  #capacity = 0
  #tokens = 0
  #filledAtMs = 0
  #nextMs = 0
  #pausedMs = 1
  /** Whether no refusal has told yet what is too much. */
  #guessing = true
  /** When the stretch began that is measured; undefined until it opens. */
  #fromMs: number | undefined
  #passed = 0
  #turnFromMs = Number.NEGATIVE_INFINITY
  #inTurn = 0
  #inTurnBefore = 0

  /** Counts a request; cheap, since every call passes here. */
  count(nowMs: number): void {
    if (nowMs - this.#turnFromMs > turnMs) this.#turn(nowMs)
    this.#inTurn += 1
  }

  /** Counts an answer that was no refusal. */
  passed(): void {
    this.#passed += 1
  }

  /** The origin takes calls again after a pause of `pausedMs`. */
  open(nowMs: number, openAtMs: number, pausedMs: number): void {
    this.#fromMs ??= openAtMs
    this.#pausedMs = Math.max(1, pausedMs)
    this.#capacity = this.#stretch
    this.#tokens = this.#capacity
    this.#filledAtMs = nowMs
    this.#nextMs = nowMs + this.#spacingMs
  }

  /** A refusal out of the blue: all that is known is how many requests went of late. */
  guess(nowMs: number, pausedMs: number): void {
    const known = this.#inTurnBefore > 0 && nowMs - this.#turnFromMs <= 2 * turnMs
    const sent = this.#inTurn + (known ? this.#inTurnBefore : 0)
    const rate = sent / (Math.max(0, Math.min(nowMs - this.#turnFromMs, turnMs)) + turnMs)
    this.#perMs = known ? rate : Math.max(rate, leastUnknown / Math.max(1, pausedMs))
    this.#guessing = true
    this.#measureAnew()
  }

  /** A refusal while calls were let go at this pace; they will be again at `openAtMs`. A stretch without any tells nothing. */
  learn(openAtMs: number): void {
    if (this.#passed === 0 || this.#fromMs === undefined) return
    const ms = Math.max(1, openAtMs - this.#fromMs)
    this.#perMs += (1 - Math.exp(-ms / memoryMs)) * (this.#passed / ms - this.#perMs)
    this.#guessing = false
    this.#measureAnew()
  }

  /** Whether nothing is left to be paced. */
  idle(nowMs: number): boolean {
    this.#fill(nowMs)
    return this.#tokens >= this.#capacity
  }

  /** Takes the token of a call; false when it is not its turn yet. `waiting` tells whether others wait for the rate. */
  take(nowMs: number, random: () => number, waiting: boolean): boolean {
    if (waiting && this.#tokens < nearlyOne) this.#grow(nowMs)
    this.#fill(nowMs)
    if (nowMs < this.#nextMs || this.#tokens < nearlyOne) return false
    this.#tokens -= 1
    this.#nextMs = nowMs + (0.5 + random()) * this.#spacingMs
    return true
  }

  /** When the next call may be let go. */
  dueMs(nowMs: number): number {
    const missing = nearlyOne - this.#tokens
    return Math.max(this.#nextMs, missing <= 0 ? nowMs : nowMs + Math.max(missing / this.#perMs, 0.01))
  }

  /** Whether so many can wait for their turn without one that asks now waiting long. */
  orderly(held: number): boolean {
    return held <= this.#perMs * Math.max(orderlyMs, 2 * this.#pausedMs)
  }

  /** How many may go after a pause, for the time it took. */
  get #stretch(): number {
    return Math.max(1, this.#perMs * this.#pausedMs)
  }

  get #spacingMs(): number {
    return Math.min(spreadLimitMs, spreadRatio * this.#pausedMs) / this.#capacity
  }

  #turn(nowMs: number): void {
    this.#inTurnBefore = nowMs - this.#turnFromMs > 2 * turnMs ? 0 : this.#inTurn
    this.#inTurn = 0
    this.#turnFromMs = nowMs
  }

  #measureAnew(): void {
    this.#passed = 0
    this.#fromMs = undefined
  }

  #fill(nowMs: number): void {
    this.#capacity = Math.max(this.#capacity, this.#stretch)
    this.#tokens = Math.min(this.#capacity, this.#tokens + this.#perMs * (nowMs - this.#filledAtMs))
    this.#filledAtMs = nowMs
  }

  /** A guess grows with every pause's length by a factor of e. */
  #grow(nowMs: number): void {
    const ms = nowMs - this.#filledAtMs
    const stretches = (nowMs - (this.#fromMs ?? nowMs)) / this.#pausedMs
    const slow = (growth / 1_000) * (1 + stretches / accelerationStretches)
    this.#perMs *= Math.min(2, Math.exp(ms * (this.#guessing ? 1 / this.#pausedMs : slow)))
  }
}
