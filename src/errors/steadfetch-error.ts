import type { CallFacts } from '../types/exchange.ts'
import type { RequestFacts } from '../types/trace.ts'

/** The mark every error of every copy of steadfetch carries. */
const brand: unique symbol = Symbol.for('steadfetch.error')

type Branch = 'http' | 'network' | 'redirect' | 'timeout' | 'refused' | 'body'

/** What an error is made of. */
export interface ErrorDetails {
  readonly code: `ERR_STEADFETCH_${string}`
  /** What went wrong, as the end of the message: `503 Service Unavailable`. */
  readonly summary: string
  readonly retryable: boolean
  readonly facts: CallFacts
  readonly cause?: unknown
  /** What one class tells beside. */
  readonly more?: object
}

/** The members common to all errors of steadfetch. */
export interface SteadfetchErrorLike extends Error {
  /** Stable, starts with `ERR_STEADFETCH_`. */
  readonly code: string
  /** Whether a later call may well succeed. */
  readonly retryable: boolean
  /** Method and target, with secrets masked. */
  readonly request: RequestFacts
  /** How many times a request was sent. */
  readonly attempts: number
  /** Milliseconds from the start of the call. */
  readonly elapsedMs: number
}

/** The message of an error: `GET https://a/b failed: 503 Service Unavailable (3 attempts, 1200 ms)`. */
export function messageOf({ summary, facts }: ErrorDetails): string {
  const { request, attempts, elapsedMs } = facts
  const tries = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  return `${request.method} ${request.url} failed: ${summary} (${tries}, ${elapsedMs} ms)`
}

/**
 * Marks the errors of a class: their branch, their name and their form as JSON. It stands on the prototype, so that an
 * error costs no more than another one, and its stack begins with its name.
 */
export function mark(prototype: Error, branch: Branch): void {
  Object.defineProperty(prototype, brand, { value: branch })
  Object.defineProperty(prototype, 'name', { get: nameOf, set: ownName, configurable: true })
  Object.defineProperty(prototype, 'toJSON', { value: toJSON, configurable: true, writable: true })
}

function nameOf(this: Error): string {
  return this.constructor.name
}

function ownName(this: Error, value: unknown): void {
  Object.defineProperty(this, 'name', { value, configurable: true, writable: true })
}

/** JSON.stringify leaves the name and the message of an Error out; a log needs them. */
function toJSON(this: Error): object {
  const { name, message } = this
  return Object.assign({ name, message }, this)
}

/** Which branch of the error tree `value` belongs to; undefined when it is no error of ours. */
export function branchOf(value: unknown): Branch | undefined {
  return value instanceof Error ? (value as { [brand]?: Branch })[brand] : undefined
}

/** What a trace calls the end of an attempt without a response. */
export function traceCode(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown }
  if (typeof code === 'string') return code
  return typeof name === 'string' ? name : 'aborted'
}

/**
 * The root of every error steadfetch makes.
 *
 * ```
 * SteadfetchError
 * ├─ HttpError ─ ClientError ─ BadRequestError, NotFoundError, …   one class per registered 4xx code
 * │            ├ ServerError ─ BadGatewayError, …                  one class per registered 5xx code
 * │            └ OperationFailedError                              of a status monitor
 * ├─ NetworkError     also a TypeError, as fetch's own failures are
 * ├─ RedirectError    also a TypeError
 * ├─ TimeoutError
 * ├─ RefusedError
 * └─ BodyError        also a TypeError
 * ```
 */
export class SteadfetchError extends Error implements SteadfetchErrorLike {
  readonly code: string
  readonly retryable: boolean
  readonly request: RequestFacts
  readonly attempts: number
  readonly elapsedMs: number
  readonly #details: ErrorDetails

  /** @internal */
  constructor(details: ErrorDetails) {
    super(messageOf(details), details.cause === undefined ? undefined : { cause: details.cause })
    const { code, retryable, facts } = details
    this.code = code
    this.retryable = retryable
    this.request = facts.request
    this.attempts = facts.attempts
    this.elapsedMs = facts.elapsedMs
    this.#details = details
  }

  /** @internal */
  static detailsOf(error: object): ErrorDetails | undefined {
    return #details in error ? error.#details : undefined
  }

  /** True for the errors of any copy of steadfetch, the TypeErrors among them too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this === SteadfetchError) return branchOf(value) !== undefined
    return Function.prototype[Symbol.hasInstance].call(this, value)
  }
}
