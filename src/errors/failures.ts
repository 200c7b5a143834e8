import type { CallFacts } from '../types/exchange.ts'
import { codeOf, FetchFailure } from './fetch-failure.ts'
import { branchOf, type ErrorDetails, mark, SteadfetchError } from './steadfetch-error.ts'

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
export type TimeLimit = 'call' | 'deadline' | 'attempt' | 'connect' | 'idle' | 'poll' | 'unread'
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
  | 'target forbidden'

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
  poll: 'the work that was accepted takes',
  unread: 'other calls had to wait for this one to read their common body for',
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
    // A later call would ask for the work a second time.
    super({ code: codeOf('TIMEOUT', kind), summary, retryable: kind !== 'poll', facts, cause })
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
    super({ code: codeOf('REFUSED', kind), summary, retryable: kind !== 'closed' && kind !== 'target forbidden', facts })
    this.kind = kind
    this.retryAfterMs = retryAfterMs
  }
}

/** The call an error tells of; undefined for an error that is not ours. */
export function factsOf(error: object): CallFacts | undefined {
  return detailsOf(error)?.facts
}

function detailsOf(error: object): ErrorDetails | undefined {
  return SteadfetchError.detailsOf(error) ?? FetchFailure.detailsOf(error)
}

/** The same failure as another call tells it: callers do not share an error, which is theirs to change; one that is not ours stays. */
export function retold(error: unknown, facts: CallFacts): unknown {
  const details = error instanceof Error ? detailsOf(error) : undefined
  if (details === undefined) return error
  const { request, attempts, elapsedMs } = facts
  const told = Reflect.construct(
    isFetchFailure(error) ? FetchFailure : SteadfetchError,
    [{ ...details, facts }],
    (error as Error).constructor,
  )
  return Object.assign(told, error, { request, attempts, elapsedMs })
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

/** Whether `error` says that its target is forbidden: nothing else is to be made of it, by a repeat or a stale response. */
export function isForbidden(error: unknown): error is RefusedError {
  return isRefusedError(error) && error.kind === 'target forbidden'
}

/** Whether `error` is a TimeoutError, of any copy of steadfetch. */
export function isTimeoutError(error: unknown): error is TimeoutError {
  return branchOf(error) === 'timeout'
}
