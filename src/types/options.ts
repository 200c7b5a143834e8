import type { Clock } from '../clock.ts'
import type { Fields } from './exchange.ts'
import type { PolicyTable } from './policy.ts'
import type {
  BreakerControl,
  BreakerOptions,
  ConcurrencyOptions,
  EndpointsOptions,
  HedgeOptions,
  Protection,
  RateLimitOptions,
  RetryBudgetOptions,
  ThrottleOptions,
} from './protection.ts'
import type { ResumeConfig, ResumeOptions } from './resume.ts'
import type { ConnectOptions, Connector, DispatcherLike, Information, ResolvedConnect, Transport } from './transport.ts'

/** Fields in any form fetch takes them: Headers, pairs, or a record. */
export type FieldsInit = NonNullable<RequestInit['headers']>

/** Options of a single call, beside everything of RequestInit. */
export interface CallOptions {
  /** Policies by status code, class (`'5xx'`), `'network'` or `'timeout'`. Default: the built-in table. */
  readonly on?: PolicyTable
  /** Attempts of one call, the first included; 1 sends once. Default 3. */
  readonly maxAttempts?: number
  /**
   * Milliseconds for the whole call, to the last byte of a body read whole; `false` for no limit. Default 30,000.
   * A body taken as a stream is bound by it only if the call itself set it.
   */
  readonly timeoutMs?: number | false
  /** Milliseconds for one attempt, to the response header section; `false` for no limit. Default 10,000. */
  readonly attemptTimeoutMs?: number | false
  /** Longest silence between two parts of a response body, in milliseconds; `false` for no limit. Default 60,000. */
  readonly idleTimeoutMs?: number | false
  /**
   * Most bytes that compressed content may become; beyond it, and where content grows without measure, a BodyError is
   * thrown. `false` for no limit. A body taken as a stream is bound by it only if the call itself set it. Default 100 MiB.
   */
  readonly maxDecodedBytes?: number | false
  /**
   * `'throw'` turns failed statuses into typed errors; `'return'` hands them back as Responses. `'fetch'` does so too, and
   * fails as fetch does, with a plain TypeError whose `cause` is that of the system. Default `'throw'`.
   */
  readonly errors?: 'throw' | 'return' | 'fetch'
  /** Asks for the rest of a download that broke off, where it cannot be taken for that of another version. Default false. */
  readonly resume?: ResumeOptions | boolean
  /** Called with each informational (1xx) response as it arrives, RFC 9110 §15.2. */
  readonly onInformation?: (information: Information) => void
}

/** Options of {@link createFetch} and of {@link SteadFetch.extend}. */
export interface ClientOptions extends CallOptions {
  /** What relative targets are resolved against; a path is always taken as a folder. */
  readonly baseUrl?: string | URL
  /** Fields sent with every request; those that look like credentials only to the origin of `baseUrl`, where one is set. */
  readonly headers?: FieldsInit
  /**
   * Milliseconds to connect, TLS included; `false` for no limit. Unused with an own `dispatcher`; a child that shares the
   * connections of its parent shares this limit too. Default 10,000.
   */
  readonly connectTimeoutMs?: number | false
  /**
   * How connections are opened: certificates, a Unix socket, a local address …; or a function that opens them, as undici's
   * connectors do. A child with a `connect` of its own has connections of its own, which are closed with those of its
   * parent: make one per purpose, not one per call. Not together with `dispatcher` or `transport`.
   */
  readonly connect?: ConnectOptions | Connector
  /** Sends the requests instead of undici; any function of fetch's shape. */
  readonly transport?: Transport
  /**
   * The undici dispatcher that sends the requests, such as a ProxyAgent or an EnvHttpProxyAgent. It is not closed by
   * {@link SteadFetch.close}.
   */
  readonly dispatcher?: DispatcherLike
  /** Retries granted to an origin while it fails; a success gives back. `false` for no limit. Default: 100 tokens, 5 a retry, 10 after a time limit. */
  readonly retryBudget?: RetryBudgetOptions | boolean
  /** Refuses a part of the calls to an origin that rejects nearly all of them. Default false. */
  readonly throttle?: ThrottleOptions | boolean
  /** Refuses all calls to an origin that fails, for a while. Default false. */
  readonly breaker?: BreakerOptions | boolean
  /** How many requests an origin is sent at a time: a number, or an adaptive limit. Default: no limit. */
  readonly concurrency?: ConcurrencyOptions | number | boolean
  /** How often requests are sent to an origin; `true` obeys its RateLimit fields. Default false. */
  readonly rateLimit?: RateLimitOptions | boolean
  /** Sends an idempotent request a second time when its answer takes long. Default false. */
  readonly hedge?: HedgeOptions | boolean
  /** Origins that answer the same requests: calls to the origin of `baseUrl`, by default the first, are spread over them. Default: none. */
  readonly endpoints?: readonly (string | URL)[] | EndpointsOptions | false
  /** The field in which each request tells how many milliseconds are left to answer it, such as `'request-timeout-ms'`. Default: none. */
  readonly deadlineField?: string | false
  /** Source of time. Default: the machine's. */
  readonly clock?: Clock
  /** Source of chance, a number from 0 up to but not including 1. Default `Math.random`. */
  readonly random?: () => number
}

/** The second argument of a steadfetch: RequestInit, any {@link CallOptions}, and `json`. */
export interface SteadInit extends RequestInit, CallOptions {
  /** Says that a stream in `body` is sent before the response is read; fetch demands it for streams. */
  readonly duplex?: 'half'
  /** A value sent as JSON content, with its Content-Type; instead of `body`. */
  readonly json?: unknown
}

/** A fetch with policies. */
export interface SteadFetch {
  /**
   * Sends a request and resolves to the response its policy accepts.
   *
   * @throws HttpError for a status whose policy is to fail; NetworkError, TimeoutError, RedirectError, RefusedError or
   * BodyError when there is no such response; TypeError for a request that cannot be sent; the signal's own reason.
   */
  (input: string | URL | Request, init?: SteadInit): Promise<Response>
  /** A child with these options over its parent's; it shares per-origin state and, without a `connect`, connections. */
  extend(options: ClientOptions): SteadFetch
  /** Waits for the requests under way, then closes the connections of the whole family. Calls after it are refused. */
  close(): Promise<void>
  /**
   * The circuit breaker of an origin.
   *
   * @throws TypeError when the client has none, or for what is no http or https URL.
   */
  breaker(origin: string | URL): BreakerControl
}

/** Options after validation, every default filled in. */
export interface ResolvedOptions extends Protection {
  readonly on: PolicyTable
  /** Whether `on` holds functions. */
  readonly asksFunctions: boolean
  readonly maxAttempts: number
  readonly timeoutMs: number | false
  readonly attemptTimeoutMs: number | false
  readonly idleTimeoutMs: number | false
  readonly maxDecodedBytes: number | false
  readonly resume: ResumeConfig | undefined
  readonly connectTimeoutMs: number | false
  readonly errors: 'throw' | 'return' | 'fetch'
  readonly onInformation: ((information: Information) => void) | undefined
  readonly baseUrl: URL | undefined
  readonly headers: Fields
  readonly transport: Transport | undefined
  readonly dispatcher: DispatcherLike | undefined
  readonly connect: ResolvedConnect | undefined
  readonly clock: Clock
  readonly random: () => number
}
