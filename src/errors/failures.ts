import type { CallFacts } from '../types/exchange.ts'
import type { RequestFacts } from '../types/trace.ts'
import { branchOf, type ErrorDetails, mark, messageOf, SteadfetchError, type SteadfetchErrorLike } from './steadfetch-error.ts'

/** What part of the network failed. */
export type NetworkFailure = 'connect' | 'dns' | 'tls' | 'reset' | 'protocol' | 'truncated' | 'unknown'
/** Why a redirect was not followed. */
export type RedirectFailure =
  | 'too many'
  | 'location'
  | 'scheme'
  | 'downgrade'
  | 'credentials'
  | 'port'
  | 'content'
  | 'forbidden'
  | 'wait'
/** Which time limit passed. */
export type TimeLimit = 'call' | 'deadline' | 'attempt' | 'connect' | 'idle'
/** Why steadfetch did not send a request. */
export type RefusalKind =
  | 'paused'
  | 'queue full'
  | 'queued too long'
  | 'throttled'
  | 'breaker open'
  | 'isolated'
  | 'rate limited'
  | 'closed'
/** What was wrong with content. */
export type BodyFailure = 'decode' | 'too large' | 'integrity' | 'source'

function codeOf(branch: string, kind: string): `ERR_STEADFETCH_${string}` {
  return `ERR_STEADFETCH_${branch}_${kind.toUpperCase().replaceAll(' ', '_')}`
}

/** A failure that is also a TypeError, as the failures of fetch are (Fetch standard, "network error"). */
abstract class FetchFailure extends TypeError implements SteadfetchErrorLike {
  readonly code: string
  readonly retryable: boolean
  readonly request: RequestFacts
  readonly attempts: number
  readonly elapsedMs: number
  readonly #facts: CallFacts

  constructor(details: ErrorDetails) {
    super(messageOf(details), details.cause === undefined ? undefined : { cause: details.cause })
    const { code, retryable, facts } = details
    this.code = code
    this.retryable = retryable
    this.request = facts.request
    this.attempts = facts.attempts
    this.elapsedMs = facts.elapsedMs
    this.#facts = facts
  }

  /** @internal */
  static factsOf(error: object): CallFacts | undefined {
    return #facts in error ? error.#facts : undefined
  }
}

/** No response, or only a part of one: connecting, DNS, TLS or the connection failed. */
export class NetworkError extends FetchFailure {
  static {
    mark(this.prototype, 'network')
  }

  readonly kind: NetworkFailure
  /** `'no'` when the request cannot have reached the origin. */
  readonly sent: 'no' | 'maybe'

  /** @internal */
  constructor(kind: NetworkFailure, sent: 'no' | 'maybe', summary: string, facts: CallFacts, cause?: unknown) {
    super({ code: codeOf('NETWORK', kind), summary, retryable: true, facts, cause })
    this.kind = kind
    this.sent = sent
  }
}

/** A redirect that must not, or cannot, be followed. */
export class RedirectError extends FetchFailure {
  static {
    mark(this.prototype, 'redirect')
  }

  readonly kind: RedirectFailure
  readonly status: number

  /** @internal */
  constructor(kind: RedirectFailure, status: number, summary: string, facts: CallFacts) {
    super({ code: codeOf('REDIRECT', kind), summary, retryable: false, facts, cause: new Error(summary) })
    this.kind = kind
    this.status = status
  }
}

const whatTook: Readonly<Record<TimeLimit, string>> = {
  call: 'the call took',
  deadline: 'the deadline that the call inherited left it no',
  attempt: 'the attempt took',
  connect: 'connecting took',
  idle: 'the body was silent for',
}

/** A time limit passed; never thrown for the caller's own signal, whose reason is thrown unchanged. */
export class TimeoutError extends SteadfetchError {
  static {
    mark(this.prototype, 'timeout')
  }

  readonly kind: TimeLimit
  readonly sent: 'no' | 'maybe'

  /** @internal */
  constructor(kind: TimeLimit, limitMs: number, facts: CallFacts, cause?: unknown, more?: string) {
    const what = whatTook[kind]
    const none = kind === 'deadline' ? `${what} time` : `${what} longer than the system allows`
    const limit = limitMs > 0 ? `${what} more than ${limitMs} ms` : none
    const summary = more === undefined ? limit : `${limit}, ${more}`
    super({ code: codeOf('TIMEOUT', kind), summary, retryable: true, facts, cause })
    this.kind = kind
    this.sent = kind === 'connect' ? 'no' : 'maybe'
  }
}

/** steadfetch did not send the request. */
export class RefusedError extends SteadfetchError {
  static {
    mark(this.prototype, 'refused')
  }

  readonly kind: RefusalKind
  /** Milliseconds until a call has a chance again; undefined when that is not known. */
  readonly retryAfterMs: number | undefined

  /** @internal */
  constructor(kind: RefusalKind, summary: string, facts: CallFacts, retryAfterMs?: number) {
    super({ code: codeOf('REFUSED', kind), summary, retryable: kind !== 'closed', facts })
    this.kind = kind
    this.retryAfterMs = retryAfterMs
  }
}

/** Content that could not be read: a wrong content coding, or the caller's own stream that failed. */
export class BodyError extends FetchFailure {
  static {
    mark(this.prototype, 'body')
  }

  readonly kind: BodyFailure

  /** @internal */
  constructor(kind: BodyFailure, summary: string, facts: CallFacts, cause?: unknown) {
    super({ code: codeOf('BODY', kind), summary, retryable: false, facts, cause: cause ?? new Error(summary) })
    this.kind = kind
  }
}

/** The call an error tells of; undefined for an error that is not ours. */
export function factsOf(error: object): CallFacts | undefined {
  return SteadfetchError.factsOf(error) ?? FetchFailure.factsOf(error)
}

/** Whether fetch would fail with a TypeError in the place of `error`. */
export function isFetchFailure(error: unknown): error is TypeError {
  return error instanceof FetchFailure
}

/** Whether `error` is a NetworkError, of any copy of steadfetch. */
export function isNetworkError(error: unknown): error is NetworkError {
  return branchOf(error) === 'network'
}

/** Whether `error` is a RefusedError, of any copy of steadfetch. */
export function isRefusedError(error: unknown): error is RefusedError {
  return branchOf(error) === 'refused'
}

/** Whether `error` is a TimeoutError, of any copy of steadfetch. */
export function isTimeoutError(error: unknown): error is TimeoutError {
  return branchOf(error) === 'timeout'
}
