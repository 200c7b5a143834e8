import type { HealthConfig } from './health.ts'

/** Options of `retryBudget`: how many retries an origin is granted while it fails. */
export interface RetryBudgetOptions {
  /** Tokens of a full budget. Default 100. */
  readonly capacity?: number
  /** Tokens a retry takes. Default 5. */
  readonly retryCost?: number
  /** Tokens a retry after a time limit takes: the origin may still be at work on the first attempt. Default 10. */
  readonly timeoutCost?: number
}

/** Options of `throttle`: the part of the calls that is refused here while an origin rejects nearly all. */
export interface ThrottleOptions {
  /** Requests sent per request accepted before any is refused, the K of the formula `(requests - K * accepts) / (requests + 1)`. Default 2. */
  readonly multiplier?: number
  /** Most of the calls that are refused, 0-1: the rest finds out when the origin is well again. Default 0.9. */
  readonly maxRatio?: number
  /** Milliseconds that are counted. Default 30,000. */
  readonly windowMs?: number
  /** Requests within them before any is refused. Default 20. */
  readonly minVolume?: number
}

/** State of a circuit breaker: `'isolated'` is open by hand. */
export type BreakerState = 'closed' | 'open' | 'half-open' | 'isolated'

/** A change of a circuit breaker. */
export interface BreakerChange {
  readonly origin: string
  readonly from: BreakerState
  readonly to: BreakerState
  /** Milliseconds it stays open; 0 when it does not, Infinity when it is isolated. */
  readonly openMs: number
}

/** Options of `breaker`: when calls to a failing origin are refused at once. Failures are those of the status table. */
export interface BreakerOptions {
  /** Part of the outcomes of the window that must have failed, 0-1. Default 0.5. */
  readonly failureRatio?: number
  /** Outcomes within the window before the ratio counts. Default 20. */
  readonly minVolume?: number
  /** Milliseconds of the sliding window. Default 10,000. */
  readonly windowMs?: number
  /** Failures in a row that open it whatever the ratio; `false` for none. Default false. */
  readonly consecutiveFailures?: number | false
  /** Milliseconds it stays open at first, and up to a fifth more; a Retry-After of the failure that opened it lengthens them, up to a minute. Default 1,000. */
  readonly openMs?: number
  /** Most milliseconds it stays open: the time doubles each time the probes fail, and starts anew when they succeed. Default 4,000: who waits longer is late when the origin is back. */
  readonly maxOpenMs?: number
  /** Calls let through at a time when half-open, and successes that close it; one failure opens it again. Default 3. */
  readonly probes?: number
  /**
   * Called after each change of state, half-open once the first call after the open time has come. What it throws fails no
   * call: it is thrown on its own, as an uncaught exception.
   */
  readonly onChange?: (change: BreakerChange) => void
}

/** The circuit breaker of one origin, in the hands of the caller. */
export interface BreakerControl {
  /** The state now: half-open as soon as the open time has passed, whether or not a call has come. */
  readonly state: BreakerState
  /** Opens it until {@link BreakerControl.close} is called. */
  isolate(): void
  /** Closes it, and forgets what has been counted. */
  close(): void
}

/** Options of `concurrency`: how many requests an origin is sent at a time; a request counts until its response header section. */
export interface ConcurrencyOptions {
  /** Requests at a time; `'adaptive'` finds the number by how response times change with it. Default `'adaptive'`. */
  readonly limit?: number | 'adaptive'
  /** What an adaptive limit starts from. Default 20. */
  readonly initialLimit?: number
  /** Least of an adaptive limit. Default 1. */
  readonly minLimit?: number
  /** Most of an adaptive limit. Default 1,000. */
  readonly maxLimit?: number
  /** Calls that wait for their turn; further ones are refused. Default 1,000. */
  readonly maxQueued?: number
  /** Most milliseconds a call waits for its turn; `false` for as long as its time limit lets it. Default 10,000, and 1,000 with an adaptive limit. */
  readonly maxQueueMs?: number | false
}

/** Options of `rateLimit`: how often requests are sent to an origin. */
export interface RateLimitOptions {
  /** Requests per `windowMs`. Default: no limit of our own. */
  readonly limit?: number
  /** Milliseconds in which `limit` requests may be sent. Default 1,000. */
  readonly windowMs?: number
  /** Requests that may be sent at once after a silence. Default: `limit`. */
  readonly burst?: number
  /** Whether the fields RateLimit, RateLimit-* and X-RateLimit-* of responses are obeyed. Default true. */
  readonly followServer?: boolean
  /** Calls that wait for their turn; further ones are refused. Default 10,000. */
  readonly maxQueued?: number
  /** Most milliseconds a call waits for its turn; one that would wait longer is refused at once. Default 60,000. */
  readonly maxWaitMs?: number
}

/** Options of `hedge`: a second request for an idempotent one that is slow; whichever is answered first counts. */
export interface HedgeOptions {
  /** Milliseconds until the hedge is sent. Default: the `percentile` of the response times of the origin. */
  readonly afterMs?: number
  /** Which part of the response times is waited for, 0-1. Default 0.95. */
  readonly percentile?: number
  /** Milliseconds to wait while too few response times are known. Default 1,000. */
  readonly initialMs?: number
  /** Hedges of one attempt. Default 1. */
  readonly maxHedges?: number
  /** Most hedges per call that is answered, 0-1, over time; ten may be sent at once. Default 0.1. */
  readonly budgetRatio?: number
}

/** Options of `endpoints`: origins that answer the same requests. */
export interface EndpointsOptions {
  /** The origins, such as `'https://a.example.com'`; requests to the origin of `baseUrl`, by default the first, go to one of them. */
  readonly origins: readonly (string | URL)[]
  /** Failures in a row after which an endpoint is left out. Default 5. */
  readonly ejectAfter?: number
  /** Milliseconds it is left out at first, more each time. Default 30,000. */
  readonly ejectMs?: number
  /** Most milliseconds it is left out. Default 300,000. */
  readonly maxEjectMs?: number
  /** Most of the endpoints left out at a time, 0-1; one always may be, where there are several. Default 0.5. */
  readonly maxEjectedRatio?: number
}

/** Options with every default filled in; those of `Left` have none. */
type Filled<Options, Left extends keyof Options = never> = Readonly<Required<Omit<Options, Left>> & Pick<Options, Left>>

/** A {@link RetryBudgetOptions} after validation. */
export type RetryBudgetConfig = Filled<RetryBudgetOptions>
/** A {@link ThrottleOptions} after validation. */
export type ThrottleConfig = Filled<ThrottleOptions>
/** A {@link BreakerOptions} after validation. */
export type BreakerConfig = Filled<BreakerOptions, 'onChange'>
/** A {@link ConcurrencyOptions} after validation. */
export type ConcurrencyConfig = Filled<ConcurrencyOptions>
/** A {@link RateLimitOptions} after validation. */
export type RateLimitConfig = Filled<RateLimitOptions, 'limit' | 'burst'>
/** A {@link HedgeOptions} after validation. */
export type HedgeConfig = Filled<HedgeOptions, 'afterMs'>
/** An {@link EndpointsOptions} after validation: canonical origins. */
export type EndpointsConfig = Filled<Omit<EndpointsOptions, 'origins'>> & { readonly origins: readonly string[] }

/** What protects origins and callers from one another; each is absent where it is not configured. */
export interface Protection {
  readonly retryBudget: RetryBudgetConfig | undefined
  readonly throttle: ThrottleConfig | undefined
  readonly breaker: BreakerConfig | undefined
  readonly health: HealthConfig | undefined
  readonly concurrency: ConcurrencyConfig | undefined
  readonly rateLimit: RateLimitConfig | undefined
  readonly hedge: HedgeConfig | undefined
  readonly endpoints: EndpointsConfig | undefined
  /** The field that tells the origin how many milliseconds are left. */
  readonly deadlineField: string | undefined
}
