/** A limit of requests per window of time. */
export interface WindowLimit {
  readonly windowMs: number
  readonly limit: number
}

/** What a response tells of the limit. */
export interface Quota {
  readonly rateLimit: string
  readonly policy: string
}

/** Lets so many requests through in each window of wall time, and tells the others when the next one begins. */
export class FixedWindowLimiter {
  readonly #limit: WindowLimit
  #window = Number.NaN
  #count = 0

  constructor(limit: WindowLimit) {
    this.#limit = limit
  }

  /** The RateLimit and RateLimit-Policy fields of a response at this moment. */
  told(wallMs: number): Quota {
    const { windowMs, limit } = this.#limit
    const resetS = Math.ceil((windowMs - (wallMs % windowMs)) / 1_000)
    return { rateLimit: `"default";r=${limit - this.#count};t=${resetS}`, policy: `"default";q=${limit};w=${windowMs / 1_000}` }
  }

  /** Undefined when the request may pass, else the Retry-After in whole seconds, at least 1. */
  admit(wallMs: number): number | undefined {
    const { windowMs, limit } = this.#limit
    const window = Math.floor(wallMs / windowMs)
    if (window !== this.#window) {
      this.#window = window
      this.#count = 0
    }
    if (this.#count < limit) {
      this.#count += 1
      return undefined
    }
    return Math.max(1, Math.ceil(((window + 1) * windowMs - wallMs) / 1_000))
  }
}
