import type { Clock } from '../clock.ts'
import type { Events } from '../events.ts'
import type { CacheConfig, CacheOptions } from './cache.ts'
import type { CallOptions, FieldsInit } from './call-options.ts'
import type { CoalesceConfig, CoalesceOptions } from './coalesce.ts'
import type { CookieJar } from './credentials.ts'
import type { EventName, EventOf, Unsubscribe } from './events.ts'
import type { Fields } from './exchange.ts'
import type { HealthOptions, OriginHealth } from './health.ts'
import type { PolicyTable } from './policy.ts'
import type { DownloadProgress, UploadProgress } from './progress.ts'
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
import type { OwnNames } from './redact.ts'
import type { ResumeConfig } from './resume.ts'
import type { SchemaOutput, StandardSchema, TypedResponse } from './schema.ts'
import type { TargetGuard, TargetOptions } from './targets.ts'
import type { ConnectOptions, Connector, DispatcherLike, Information, ResolvedConnect, Transport } from './transport.ts'
import type { Upgraded, UpgradeInit } from './upgrade.ts'

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
  /**
   * Where requests may go, for targets that come from outside: see {@link TargetOptions}, and `publicOnly` for rules that suit
   * most. Checked for every request of a call, redirects included, by its host before anything is done, and by its address on
   * the connection that is used. What is forbidden is a RefusedError of kind `'target forbidden'`. A child may add rules, and
   * take none away; it has connections of its own then: make one per purpose, not one per call. Default: none.
   */
  readonly targets?: TargetOptions | false
  /**
   * Sends identical GET and HEAD requests that are under way at the same time once; a request with other fields is another
   * one. Default: whether there is a cache.
   */
  readonly coalesce?: CoalesceOptions | boolean
  /** Retries granted to an origin while it fails; a success gives back. `false` for no limit. Default: 100 tokens, 5 a retry, 10 after a time limit. */
  readonly retryBudget?: RetryBudgetOptions | boolean
  /** Refuses a part of the calls to an origin that rejects nearly all of them. Default false. */
  readonly throttle?: ThrottleOptions | boolean
  /** Refuses all calls to an origin that fails, for a while. Default false. */
  readonly breaker?: BreakerOptions | boolean
  /** Counts what became of the requests to each origin, for {@link SteadFetch.health} and the event `origin.failing`. Default false. */
  readonly health?: HealthOptions | boolean
  /** How many requests an origin is sent at a time: a number, or an adaptive limit. Default: no limit. */
  readonly concurrency?: ConcurrencyOptions | number | boolean
  /** How often requests are sent to an origin; `true` obeys its RateLimit fields. Default false. */
  readonly rateLimit?: RateLimitOptions | boolean
  /** Sends an idempotent request a second time when its answer takes long. Default false. */
  readonly hedge?: HedgeOptions | boolean
  /** Origins that answer the same requests: calls to the origin of `baseUrl`, by default the first, are spread over them. Default: none. */
  readonly endpoints?: readonly (string | URL)[] | EndpointsOptions | false
  /** Keeps responses and answers from them, as RFC 9111 says. Default false. */
  readonly cache?: CacheOptions | boolean
  /** The field in which each request tells how many milliseconds are left to answer it, such as `'request-timeout-ms'`. Default: none. */
  readonly deadlineField?: string | false
  /** Keeps the cookies of responses and gives them to requests, redirects included; such as a CookieJar of tough-cookie. Default: none. */
  readonly cookies?: CookieJar | false
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
  /** The same, with the JSON content of the response validated by a schema. */
  <Schema extends StandardSchema>(
    input: string | URL | Request,
    init: SteadInit & { readonly schema: Schema },
  ): Promise<TypedResponse<SchemaOutput<Schema>>>
  /**
   * Sends a request and resolves to the response its policy accepts.
   *
   * @throws HttpError for a status whose policy is to fail; NetworkError, TimeoutError, RedirectError, RefusedError or
   * BodyError when there is no such response; TypeError for a request that cannot be sent; the signal's own reason.
   */
  (input: string | URL | Request, init?: SteadInit): Promise<Response>
  /**
   * Calls `listener` at each event of this name in the calls of this client and of those that were extended from it; gives
   * what takes it away again. What the listener throws fails no call: it is thrown on its own, as an uncaught exception.
   *
   * @throws TypeError for an unknown name, and for what is no function.
   */
  on<Name extends EventName>(name: Name, listener: (event: EventOf<NoInfer<Name>>) => void): Unsubscribe
  /** A child with these options over its parent's; it shares per-origin state and, without a `connect`, connections. */
  extend(options: ClientOptions): SteadFetch
  /** Waits for the requests under way, then closes the connections of the whole family. Calls after it are refused. */
  close(): Promise<void>
  /**
   * What became of the requests to each origin within the window of the option `health`, the one that fails most first.
   *
   * @throws TypeError without that option.
   */
  health(): readonly OriginHealth[]
  /**
   * The circuit breaker of an origin.
   *
   * @throws TypeError when the client has none, or for what is no http or https URL.
   */
  breaker(origin: string | URL): BreakerControl
  /**
   * Asks the origin to switch to another protocol on a connection of HTTP/1.1 (RFC 9110 §7.8), and resolves to the connection
   * once it has; it belongs to the caller then. Policies and limits are those of any GET.
   *
   * @throws NetworkError of kind `'protocol'` for an answer that is accepted but does not switch, or switches to something
   * else; for a refusal what a call throws; TypeError for an option it does not have, and for a client with a `transport`.
   */
  upgrade(target: string | URL, init: UpgradeInit): Promise<Upgraded>
}

/** Options after validation, every default filled in. */
export interface ResolvedOptions extends Protection {
  readonly on: PolicyTable
  /** Whether `on` holds functions. */
  readonly asksFunctions: boolean
  /** Whether `on` may ask for new credentials. */
  readonly refreshes: boolean
  readonly maxAttempts: number
  readonly timeoutMs: number | false
  readonly attemptTimeoutMs: number | false
  readonly idleTimeoutMs: number | false
  readonly maxDecodedBytes: number | false
  readonly resume: ResumeConfig | undefined
  readonly connectTimeoutMs: number | false
  readonly errors: 'throw' | 'return' | 'fetch'
  /** Undefined only in what clients start from. */
  readonly details: 'production' | 'development' | undefined
  readonly redact: OwnNames | undefined
  readonly onInformation: ((information: Information) => void) | undefined
  readonly expectContinue: number | false
  readonly baseUrl: URL | undefined
  readonly headers: Fields
  readonly transport: Transport | undefined
  readonly dispatcher: DispatcherLike | undefined
  readonly connect: ResolvedConnect | undefined
  readonly targets: TargetGuard | undefined
  readonly cache: CacheConfig | undefined
  /** Undefined where nothing was said: then only what is read whole has a limit. */
  readonly maxResponseBytes: number | false | undefined
  readonly onDownloadProgress: ((progress: DownloadProgress) => void) | undefined
  readonly onUploadProgress: ((progress: UploadProgress) => void) | undefined
  readonly schema: Readonly<Record<string, StandardSchema>> | undefined
  readonly cookies: CookieJar | undefined
  readonly idempotencyKey: boolean | (() => string)
  /** `false` where a client says so. */
  readonly coalesce: CoalesceConfig | false | undefined
  /** Who listens. */
  readonly events: Events
  readonly clock: Clock
  readonly random: () => number
}
