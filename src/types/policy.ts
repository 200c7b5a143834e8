import type { RefreshPolicy } from './credentials.ts'
import type { RequestFacts } from './trace.ts'

/** A class of status codes, RFC 9110 §15. Codes of 600 and above count as `5xx`. */
export type StatusClass = '1xx' | '2xx' | '3xx' | '4xx' | '5xx'

/** A failure without a status: the network failed, or a time limit passed. */
export type FailureKey = 'network' | 'timeout'

/** Whose requests may be sent again: none, idempotent or keyed ones, or every one. */
export type Repeat = 'never' | 'idempotent' | 'any'

/** Options of {@link retry}. */
export interface RetryOptions {
  /** Attempts of one call, the first included. Default: the `maxAttempts` of the call. */
  readonly maxAttempts?: number
  /** Back-off before the first retry, in milliseconds, doubled for each further one. Default 100. */
  readonly baseMs?: number
  /** Upper limit of the back-off, in milliseconds; it never shortens a Retry-After. Default 5,000. */
  readonly capMs?: number
  /** Longest Retry-After worth waiting for, in milliseconds; beyond it the error is thrown at once. Default 60,000. */
  readonly maxWaitMs?: number
  /**
   * `'idempotent'` repeats idempotent methods and requests with an Idempotency-Key (RFC 9110 §9.2.2);
   * `'any'` repeats every method: only where the origin cannot have applied the request. Default: the status table's.
   */
  readonly repeat?: 'idempotent' | 'any'
}

/** Options of {@link pause}. */
export interface PauseOptions extends RetryOptions {
  /** Most calls held back per origin; further ones are refused. Default 10,000. */
  readonly maxHeld?: number
}

/** Options of {@link follow}. */
export interface FollowOptions {
  /** Most redirects of one call. Default 20. */
  readonly maxHops?: number
  /** Whether https may be redirected to http. Default false. */
  readonly allowDowngrade?: boolean
  /** Whether content may be sent again to another origin (RFC 9110 §15.4.8 and §15.4.9). Default false. */
  readonly replayCrossOrigin?: boolean
  /**
   * Fields not sent to another origin: `'credential-like'` drops Authorization, Cookie, Proxy-Authorization and every
   * field whose name looks like a credential; `'standard'` only what the Fetch standard drops. Default `'credential-like'`.
   */
  readonly strip?: 'credential-like' | 'standard'
}

/** Options of {@link poll}. */
export interface PollOptions {
  /** Milliseconds before the first poll, and the least before any other. Default 1,000. */
  readonly intervalMs?: number
  /** What the interval grows to, by half with each poll; a Retry-After takes its place. Default 10,000, or `intervalMs` if that is more. */
  readonly maxIntervalMs?: number
  /**
   * Milliseconds for the polling as a whole, `false` for no limit. The `timeoutMs` of the client does not count what it takes;
   * one that the call itself sets does, and so does a deadline. Default 60,000.
   */
  readonly timeoutMs?: number | false
  /**
   * Whether the work is done; asked with a copy of each answer that is no failure, and nothing else is looked at then. Default:
   * what is no 202, and no JSON whose `status` or `done` says that the work goes on.
   */
  readonly until?: (response: Response) => boolean | Promise<boolean>
}

/** What {@link fallback} answers with: a Response, or a function that makes one from the outcome. */
export type Substitute = (outcome: PolicyInput) => Response | Promise<Response>

/** Deliver the response. */
export interface AcceptPolicy {
  readonly kind: 'accept'
}
/** Throw the typed error of the status. */
export interface FailPolicy {
  readonly kind: 'fail'
}
/** Send the request again where that is safe, then fail. */
export interface RetryPolicy extends RetryOptions {
  readonly kind: 'retry'
}
/** Hold the whole origin back, then send again where that is safe. */
export interface PausePolicy extends PauseOptions {
  readonly kind: 'pause'
}
/** Follow the redirect. */
export interface FollowPolicy extends FollowOptions {
  readonly kind: 'follow'
}
/** Ask for the outcome of accepted work until it is done. */
export interface PollPolicy extends PollOptions {
  readonly kind: 'poll'
}
/** Answer with a substitute, after the policy `after` has given up. */
export interface FallbackPolicy {
  readonly kind: 'fallback'
  readonly substitute: Substitute
  readonly after?: RetryPolicy | PausePolicy
}
/** What steadfetch does with one outcome. */
export type Policy =
  | AcceptPolicy
  | FailPolicy
  | RetryPolicy
  | PausePolicy
  | FollowPolicy
  | PollPolicy
  | FallbackPolicy
  | RefreshPolicy

/** A policy with its defaults, as a bare word. */
export type PolicyWord = 'accept' | 'fail' | 'retry' | 'pause' | 'follow' | 'poll'

/** The outcome of one attempt, as a policy function sees it. Read a body only from `response.clone()`. */
export type PolicyInput = ResponseInput | FailureInput

/** A response arrived. */
export interface ResponseInput {
  readonly kind: 'response'
  readonly response: Response
  readonly request: RequestFacts
  /** Attempts so far, this one included. */
  readonly attempts: number
}

/** No response arrived. */
export interface FailureInput {
  readonly kind: 'failure'
  readonly error: unknown
  readonly request: RequestFacts
  /** Attempts so far, this one included. */
  readonly attempts: number
}

type Decision = Policy | PolicyWord | undefined

/** Decides per outcome; `undefined` leaves the decision to the next less specific entry. */
export type PolicyFunction<Input extends PolicyInput> = (outcome: Input) => Decision | Promise<Decision>

/** One entry of the `on` option. */
export type PolicyEntry<Input extends PolicyInput = PolicyInput> = Policy | PolicyWord | PolicyFunction<Input>

/** The `on` option: the most specific key wins; a code, then its class, then the built-in table. */
export type PolicyTable = { readonly [status: number]: PolicyEntry<ResponseInput> } & {
  readonly [Key in StatusClass]?: PolicyEntry<ResponseInput>
} & { readonly [Key in FailureKey]?: PolicyEntry<FailureInput> }
