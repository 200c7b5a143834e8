import type { HedgeConfig } from '../types/protection.ts'
import { ResponseTimes } from './response-times.ts'

/** Response times needed before their percentile means something. */
const minTimes = 20
/** Hedges that may be sent at once after a calm. */
const maxTokens = 10

/** When the requests to one origin are hedged, and how many of them. */
export class Hedging {
  readonly #config: HedgeConfig
  readonly #times = new ResponseTimes()
  #tokens = maxTokens

  constructor(config: HedgeConfig) {
    this.#config = config
  }

  /** What has been learned is worth keeping. */
  get busy(): boolean {
    return this.#tokens < maxTokens || this.#times.count >= minTimes
  }

  /** Milliseconds from the sending of a request until it is hedged. */
  get delayMs(): number {
    const { afterMs, percentile, initialMs } = this.#config
    if (afterMs !== undefined) return afterMs
    return this.#times.count < minTimes ? initialMs : this.#times.percentile(percentile)
  }

  /** A call was answered well, which earns a part of a hedge: an origin that fails is sent none. */
  answered(): void {
    this.#tokens = Math.min(maxTokens, this.#tokens + this.#config.budgetRatio)
  }

  /** Whether a hedge may be sent; it is counted then. Were there no limit, hedges would double the load of a slow origin. */
  take(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** A hedge was refused or given up before it was sent. */
  giveBack(): void {
    this.#tokens = Math.min(maxTokens, this.#tokens + 1)
  }

  /** A request was answered after that time, or was given up then: the answer would have taken longer. */
  took(ms: number): void {
    if (this.#config.afterMs === undefined) this.#times.add(ms)
  }
}
