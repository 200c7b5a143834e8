import type { RetryBudgetConfig } from '../types/protection.ts'

/**
 * The retries granted to one origin: a bucket that each retry takes tokens from and each success gives back to. A few
 * failures are repeated as if there were no limit; while all fail the bucket is soon empty, and stays so.
 */
export class RetryBudget {
  readonly #config: RetryBudgetConfig
  #tokens: number

  constructor(config: RetryBudgetConfig) {
    this.#config = config
    this.#tokens = config.capacity
  }

  get tokens(): number {
    return this.#tokens
  }

  get full(): boolean {
    return this.#tokens === this.#config.capacity
  }

  /** Whether it is to be remembered. */
  get busy(): boolean {
    return !this.full
  }

  /** What a retry costs. */
  cost(afterTimeout: boolean): number {
    return afterTimeout ? this.#config.timeoutCost : this.#config.retryCost
  }

  /** Takes tokens for a retry; false, and nothing is taken, when there are too few. */
  take(tokens: number): boolean {
    if (tokens > this.#tokens) return false
    this.#tokens -= tokens
    return true
  }

  /** Gives tokens back. */
  give(tokens: number): void {
    this.#tokens = Math.min(this.#config.capacity, this.#tokens + tokens)
  }
}
