import type { Quota } from '../http/quota-fields.ts'
import type { RateLimitConfig } from '../types/protection.ts'
import { QuotaCount, type Ticket } from './quota.ts'

/** Most quotas that are remembered of an origin. */
const maxQuotas = 32

/** A token bucket: never more than `burst + limit * t / windowMs` sends within any t milliseconds. */
class Bucket {
  readonly #burst: number
  readonly #intervalMs: number
  /** When it is full again. */
  #fullAtMs = -Infinity
  #usedAtMs = -Infinity

  constructor(limit: number, windowMs: number, burst: number) {
    this.#burst = burst
    this.#intervalMs = windowMs / limit
  }

  /** Whether more than half of it was gone when it was used last. */
  get low(): boolean {
    return this.#fullAtMs - this.#usedAtMs > (this.#burst / 2) * this.#intervalMs
  }

  turnMs(nowMs: number, ahead: number): number {
    return Math.max(nowMs, Math.max(nowMs, this.#fullAtMs) + (ahead + 1 - this.#burst) * this.#intervalMs)
  }

  take(nowMs: number): void {
    this.#fullAtMs = Math.max(nowMs, this.#fullAtMs) + this.#intervalMs
    this.#usedAtMs = nowMs
  }

  giveBack(): void {
    this.#fullAtMs -= this.#intervalMs
  }
}

/** How often requests may be sent to one origin: as often as the caller set, and as its responses allow. */
export class Rate {
  readonly #bucket: Bucket | undefined
  #quotas: readonly QuotaCount[] = []
  #taken = 0
  #begun = 0
  #settled = 0
  #answered = 0
  #hurried = 0

  constructor({ limit, windowMs, burst }: RateLimitConfig) {
    this.#bucket = limit === undefined ? undefined : new Bucket(limit, windowMs, burst ?? limit)
  }

  /** Whether it is to be remembered. */
  get busy(): boolean {
    return this.#bucket?.low === true || this.#quotas.some((quota) => quota.low)
  }

  /** When a call has its turn that has `ahead` others before it, as far as is known; not before it may. */
  turnMs(nowMs: number, ahead: number): number {
    this.#roll(nowMs)
    let turnMs = this.#bucket?.turnMs(nowMs, ahead) ?? nowMs
    for (const quota of this.#quotas) turnMs = Math.max(turnMs, quota.turnMs(nowMs, ahead))
    return turnMs
  }

  /** The same, at the pace at which the quotas last until they are renewed. */
  pacedTurnMs(nowMs: number, ahead: number): number {
    let turnMs = this.turnMs(nowMs, ahead)
    if (ahead < this.#hurried) return turnMs
    for (const quota of this.#quotas) turnMs = Math.max(turnMs, quota.pacedTurnMs(nowMs, ahead))
    return turnMs
  }

  /** Counts a request that may be sent now; false, and nothing is counted, when none may. */
  take(nowMs: number): boolean {
    if (this.pacedTurnMs(nowMs, 0) > nowMs) return false
    this.#count(nowMs)
    return true
  }

  /** The same for one that can wait no longer: to keep the pace is no reason to refuse it. */
  takeHurried(nowMs: number): boolean {
    if (this.turnMs(nowMs, 0) > nowMs) return false
    this.#count(nowMs)
    return true
  }

  /** The next calls cannot wait until the pace lets them. */
  hurry(calls: number): void {
    this.#hurried = calls
  }

  /** Takes back what was counted for a request before it was sent. */
  giveBack(): void {
    this.#taken -= 1
    this.#bucket?.giveBack()
    for (const quota of this.#quotas) quota.giveBack()
  }

  /** Called when a request that was counted is sent. */
  begin(): Ticket {
    this.#begun += 1
    return { place: this.#begun, settledBefore: this.#settled }
  }

  /** The request came to its outcome, which is known by now: until then it counts as under way. */
  settle(isAnswered: boolean): void {
    this.#settled += 1
    if (isAnswered) this.#answered += 1
  }

  /** The request cannot have reached the origin, which has not counted it. */
  unsent(): void {
    for (const quota of this.#quotas) quota.giveBack()
  }

  /** The request was refused or given up further on, and never sent: its turn is that of the next one. */
  refused(): void {
    this.#bucket?.giveBack()
    this.unsent()
  }

  /** What the response to a request said. */
  learn(told: readonly Quota[], ticket: Ticket, nowMs: number, random: () => number): void {
    this.#roll(nowMs)
    for (const quota of told) this.#learnOne(quota, ticket, nowMs, random)
  }

  #learnOne(told: Quota, ticket: Ticket, nowMs: number, random: () => number): void {
    const { name, partition } = told
    const same = this.#quotas.filter((quota) => quota.name === name)
    let count = same.find((quota) => quota.partition === partition)
    // It was counted in each partition, for which would have to pay was not known.
    for (const other of same) if (other !== count && other.counts(ticket)) other.giveBack()
    if (count === undefined) {
      count = new QuotaCount(told, random())
      this.#quotas = [...this.#quotas.slice(1 - maxQuotas), count]
    }
    count.learn(told, ticket, this.#taken, nowMs)
  }

  #count(nowMs: number): void {
    this.#taken += 1
    if (this.#hurried > 0) this.#hurried -= 1
    this.#bucket?.take(nowMs)
    for (const quota of this.#quotas) quota.take(nowMs)
  }

  #roll(nowMs: number): void {
    if (this.#quotas.every((quota) => nowMs < quota.endMs)) return
    const counters = { taken: this.#taken, settled: this.#settled, answered: this.#answered }
    this.#quotas = this.#quotas.filter((quota) => quota.roll(nowMs, counters))
  }
}
