import type { Health } from '../status/health.ts'
import type { EndpointsConfig } from '../types/protection.ts'
import { jittered } from './backoff.ts'

/** What came of one request to an endpoint. */
export interface Result {
  readonly health: Health | 'unknown'
  /** Monotonic milliseconds at which it was sent; undefined when it never was. */
  readonly sentMs: number | undefined
  /** Milliseconds until its outcome. */
  readonly durationMs: number
}

/** Milliseconds after which the averages keep a good third of what they were. */
const memoryMs = 10_000
/** The part of the error ratio that is the latest outcome. */
const latestPart = 0.3
/** The error ratio counts between these: what is less is forgotten, and one that fails always is only so much dearer. */
const leastErrors = 0.1
const mostErrors = 0.999
/** Latencies below are as good as one another. */
const leastLatencyMs = 1

/** One of several origins that answer the same requests: how fast, how busy and how well it is. */
export class Endpoint {
  readonly origin: string
  readonly #config: EndpointsConfig
  #underWay = 0
  /** Averages, and when they were true. */
  #latencyMs: number | undefined
  #latencyAtMs = 0
  #errors = 0
  #errorsAtMs = 0
  /** In a row. */
  #failures = 0
  #successes = 0
  #ejections = 0
  #ejectedAtMs = Number.NEGATIVE_INFINITY
  #ejectedUntilMs = Number.NEGATIVE_INFINITY
  /** Whether it has yet to answer well after an ejection. */
  #onTrial = false

  constructor(origin: string, config: EndpointsConfig) {
    this.origin = origin
    this.#config = config
  }

  /** Requests without an outcome. */
  get underWay(): number {
    return this.#underWay
  }

  /** Whether it is left out. */
  isEjected(nowMs: number): boolean {
    return nowMs < this.#ejectedUntilMs
  }

  /** Whether it came back from an ejection, and the one request that finds out how it is now is under way. */
  get isProbed(): boolean {
    return this.#onTrial && this.#underWay > 0
  }

  /** Whether it has failed so often that it is to be left out. */
  isDue(nowMs: number): boolean {
    return this.#failures >= this.#config.ejectAfter && !this.isEjected(nowMs)
  }

  /** The average time to the response header section; it fades while nothing is heard. Undefined while none is known. */
  latencyMs(nowMs: number): number | undefined {
    return this.#latencyMs === undefined ? undefined : this.#latencyMs * fading(nowMs - this.#latencyAtMs)
  }

  /** What a request is expected to cost here; `assumedMs` is its latency while it is not known. */
  cost(nowMs: number, assumedMs: number): number {
    const latencyMs = Math.max(leastLatencyMs, this.latencyMs(nowMs) ?? assumedMs)
    const errors = this.#errors * fading(nowMs - this.#errorsAtMs)
    return (latencyMs * (this.#underWay + 1)) / (errors < leastErrors ? 1 : 1 - Math.min(mostErrors, errors))
  }

  /** A request begins. */
  begin(): void {
    this.#underWay += 1
  }

  /** A request has an outcome, or will never have one. */
  end(): void {
    this.#underWay -= 1
  }

  /** Takes down what came of a request. */
  note({ health, sentMs, durationMs }: Result, nowMs: number): void {
    if (sentMs === undefined || health === 'limiting') return
    this.#noteLatency(health, durationMs, nowMs)
    if (health === 'unknown') return
    const failed = health === 'failing'
    this.#errors = this.#errors * fading(nowMs - this.#errorsAtMs) * (1 - latestPart) + (failed ? latestPart : 0)
    this.#errorsAtMs = nowMs
    // What was sent before the ejection tells nothing new about it.
    if (sentMs > this.#ejectedAtMs) this.#count(failed, nowMs)
  }

  /** Leaves it out, longer each time. */
  eject(nowMs: number, random: () => number): void {
    const { ejectAfter, ejectMs, maxEjectMs } = this.#config
    this.#ejections += 1
    this.#ejectedAtMs = nowMs
    // An ejectMs above the default of maxEjectMs is meant as it is.
    const awayMs = Math.max(ejectMs, Math.min(maxEjectMs, ejectMs * this.#ejections))
    this.#ejectedUntilMs = nowMs + jittered(awayMs, random)
    this.#onTrial = true
    // One more failure afterwards is enough; else it begins anew.
    this.#failures = ejectAfter - 1
    this.#successes = 0
    this.#errors = 0
    this.#latencyMs = undefined
  }

  /**
   * A peak counts at once. What failed, or was given up, took at least so long, but may have ended early: it does not lower
   * the average, else a dead endpoint, which fails fast, would look like the fastest.
   */
  #noteLatency(health: Health | 'unknown', ms: number, nowMs: number): void {
    const before = this.#latencyMs
    const kept = fading(nowMs - this.#latencyAtMs)
    if (before === undefined) this.#latencyMs = health === 'failing' ? undefined : ms
    else if (ms > before * kept) this.#latencyMs = ms
    else if (health === 'well') this.#latencyMs = before * kept + ms * (1 - kept)
    else if (health === 'unknown') return
    // After a failure the average does not fade, either.
    this.#latencyAtMs = nowMs
  }

  #count(failed: boolean, nowMs: number): void {
    this.#failures = failed ? this.#failures + 1 : 0
    this.#successes = failed ? 0 : this.#successes + 1
    if (failed) return
    // An answer of one that was asked although it was left out, because all were.
    this.#ejectedUntilMs = Math.min(this.#ejectedUntilMs, nowMs)
    this.#onTrial = false
    if (this.#successes >= this.#config.ejectAfter) this.#ejections = 0
  }
}

function fading(ms: number): number {
  return Math.exp(-ms / memoryMs)
}
