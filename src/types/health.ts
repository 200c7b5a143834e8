/** Options of `health`: what became of the requests to each origin is counted. */
export interface HealthOptions {
  /** Milliseconds that are counted. Default 60,000. */
  readonly windowMs?: number
  /** Part of the requests that must have failed, 0-1, for the event `origin.failing`. Failures are those of the status table: a 404 is none. Default 0.05. */
  readonly failureRatio?: number
  /** Requests within the window before the ratio counts. Default 20. */
  readonly minVolume?: number
}

/** The same, with every default filled in. */
export type HealthConfig = Required<HealthOptions>

/** What became of the requests to one origin within the window. */
export interface OriginHealth {
  readonly origin: string
  /** Whether it fails, as the events `origin.failing` and `origin.recovered` told last. */
  readonly failing: boolean
  readonly windowMs: number
  readonly requests: number
  /** Those that the origin failed to answer well. */
  readonly failures: number
  readonly failureRatio: number
  /** How often each status, or code of a failure, came; the most frequent first. */
  readonly results: readonly { readonly result: string; readonly count: number; readonly ratio: number }[]
}
