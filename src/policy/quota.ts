import type { Quota } from '../http/quota-fields.ts'

/** What the counters said when a request was sent. */
export interface Ticket {
  /** Its place among all that were sent, from 1. */
  readonly place: number
  /** How many had come to their outcome before it was sent: the origin has certainly counted those. */
  readonly settledBefore: number
}

/** What has been counted of the requests to an origin. */
export interface Counters {
  /** Those that had their turn. */
  readonly taken: number
  /** Those of them that have an outcome. */
  readonly settled: number
  /** Those of them that have a response. */
  readonly answered: number
}

/** Longest wait for a reset that is believed; then one request asks again. */
const trustedMs = 3_600_000
/** Whole seconds are rounded one way or the other, so of two resets this near to one another the later counts; in short windows, half of one. */
const roundingMs = 1_000
/** By what part of the window, and by how much at most, its end is put off so that processes do not come together. */
const spreadRatio = 0.05
const spreadLimitMs = 1_000

/** One quota of an origin, counted down for each request that is sent, and corrected by what responses say. */
export class QuotaCount {
  readonly name: string
  readonly partition: string
  /** Drawn once: processes are apart from one another at every reset. */
  readonly #chance: number
  #remaining = -Infinity
  #limit = 1
  #windowMs = 0
  #resetAtMs = -Infinity
  #cut = false
  #toldThisWindow = true
  /** The request whose response is the latest that was believed. */
  #basis = 0
  #pacedAtMs: number | undefined
  /** The counters when the window began. */
  #atRoll: Pick<Counters, 'taken' | 'answered'> = { taken: 0, answered: 0 }

  constructor({ name, partition }: Quota, chance: number) {
    this.name = name
    this.partition = partition
    this.#chance = chance
  }

  /** Whether half of it or more is gone. */
  get low(): boolean {
    return this.#remaining <= this.#limit / 2
  }

  /** When calls that wait for the next window are let go. */
  get endMs(): number {
    return this.#resetAtMs + this.#chance * Math.min(spreadLimitMs, spreadRatio * this.#windowMs)
  }

  /**
   * Believes a response as far as it goes. The requests that were under way together with its own may be in what it
   * tells or not: at least those that were sent after it are not, at most all of them are not. The own count holds in
   * between; without it the lower bound does. So nothing is given twice, in whatever order responses come.
   */
  learn(told: Quota, ticket: Ticket, taken: number, nowMs: number): void {
    const least = told.remaining - (taken - 1 - ticket.settledBefore)
    const most = told.remaining - (taken - ticket.place)
    const resetAtMs = nowMs + Math.min(told.resetMs, trustedMs)
    const windowMs = told.windowMs ?? Math.max(this.#windowMs, told.resetMs)
    const isSame = Math.abs(resetAtMs - this.#resetAtMs) < Math.min(roundingMs, windowMs / 2)
    // What was sent earlier than the latest that is known may still prove that more is left, but not that less is: unless it
    // arrived late, in a window of which nothing else is known.
    if (ticket.place < this.#basis && (isSame || resetAtMs < this.#resetAtMs)) {
      this.#remaining = Math.max(this.#remaining, least)
      return
    }
    this.#basis = Math.max(this.#basis, ticket.place)
    this.#remaining = Math.max(least, Math.min(this.#remaining, most))
    this.#limit = Math.max(1, told.limit ?? Math.max(this.#limit, told.remaining + 1))
    this.#toldThisWindow = true
    this.#cut = told.resetMs > trustedMs
    this.#resetAtMs = isSame ? Math.max(resetAtMs, this.#resetAtMs) : resetAtMs
    this.#windowMs = windowMs
  }

  /**
   * Begins a new window when the last one is over; false when it is to be forgotten, because responses came in it that
   * did not tell of this quota. What is still under way may be counted in the new window, unless it was sent before the
   * last one: by now it has arrived.
   */
  roll(nowMs: number, { taken, settled, answered }: Counters): boolean {
    if (nowMs < this.endMs) return true
    if (this.#windowMs === 0 || (!this.#toldThisWindow && answered > this.#atRoll.answered)) return false
    const arriving = Math.max(0, Math.min(taken - settled, taken - this.#atRoll.taken))
    this.#atRoll = { taken, answered }
    this.#toldThisWindow = false
    this.#remaining = (this.#cut ? 1 : this.#limit) - arriving
    this.#pacedAtMs = undefined
    this.#basis = 0
    const windowMs = Math.min(this.#windowMs, trustedMs)
    this.#resetAtMs = this.#resetAtMs + windowMs > nowMs ? this.#resetAtMs + windowMs : nowMs + windowMs
    return true
  }

  /** When a call has its turn that has `ahead` others before it, were there nothing but this quota. */
  turnMs(nowMs: number, ahead: number): number {
    if (ahead < this.#remaining) return nowMs
    const windows = Math.floor((ahead - Math.max(0, this.#remaining)) / this.#limit)
    return this.endMs + windows * this.#windowMs
  }

  /** The same, with the lower half of the quota spread evenly over what is left of the window. */
  pacedTurnMs(nowMs: number, ahead: number): number {
    const slow = Math.min(this.#remaining, Math.floor(this.#limit / 2))
    if (ahead >= this.#remaining || ahead < this.#remaining - slow) return this.turnMs(nowMs, ahead)
    const firstMs = this.#pacedAtMs === undefined ? nowMs : Math.max(nowMs, this.#nextMs(this.#pacedAtMs))
    const intervalMs = Math.max(0, this.#resetAtMs - firstMs) / slow
    return firstMs + (ahead - (this.#remaining - slow)) * intervalMs
  }

  /** Counts a request. */
  take(nowMs: number): void {
    if (this.low) this.#pacedAtMs = nowMs
    this.#remaining -= 1
  }

  /** Takes back what was counted for a request that was not sent, or that another partition turned out to pay for. */
  giveBack(): void {
    this.#remaining += 1
  }

  /** Whether a request was sent after the one that the count is based on, and so is counted. */
  counts(ticket: Ticket): boolean {
    return ticket.place > this.#basis
  }

  #nextMs(pacedAtMs: number): number {
    return pacedAtMs + Math.max(0, this.#resetAtMs - pacedAtMs) / (Math.max(0, this.#remaining) + 1)
  }
}
