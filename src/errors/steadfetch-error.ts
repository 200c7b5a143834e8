import type { CallFacts } from '../types/exchange.ts'
import type { RequestFacts } from '../types/trace.ts'
import { type Branch, branchOf, brand } from './brand.ts'
import { redactError } from './redact-error.ts'
import { secretsOf } from './redact-fields.ts'
import { escapeControls } from './redact-text.ts'
import { markShown } from './shown.ts'

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

/** The message of an error, one line: `GET https://a/b failed: 503 Service Unavailable (3 attempts, 1200 ms)`. */
export function messageOf({ summary, facts }: ErrorDetails): string {
  const { request, attempts, elapsedMs } = facts
  const tries = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  return escapeControls(`${request.method} ${request.url} failed: ${summary} (${tries}, ${elapsedMs} ms)`)
}

/** The cause of an error as Error takes it, with nothing secret in it. */
export function causeOf({ cause, facts }: ErrorDetails): { readonly cause: unknown } | undefined {
  if (cause === undefined) return undefined
  const { request, options } = facts.exchange
  return { cause: redactError(cause, options.redact, secretsOf(request.fields, options.redact)) }
}

/**
 * Marks the errors of a class: their branch, their name and how they are shown. It stands on the prototype, so that an
 * error costs no more than another one, and its stack begins with its name.
 */
export function mark(prototype: Error, branch: Branch): void {
  Object.defineProperty(prototype, brand, { value: branch })
  Object.defineProperty(prototype, 'name', { get: nameOf, set: ownName, configurable: true })
  markShown(prototype, factsOf)
}

/** The classes of both roots have this static member. */
function factsOf(error: Error): CallFacts | undefined {
  return (error.constructor as Partial<typeof SteadfetchError>).detailsOf?.(error)?.facts
}

function nameOf(this: Error): string {
  return this.constructor.name
}

function ownName(this: Error, value: unknown): void {
  Object.defineProperty(this, 'name', { value, configurable: true, writable: true })
}

/** What a trace calls the end of an attempt without a response; what is spelt like no code may be anything. */
export function traceCode(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown }
  const told = [code, name].find((word): word is string => typeof word === 'string' && /^[A-Za-z_$][\w$]{0,63}$/.test(word))
  return told ?? 'aborted'
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
    super(messageOf(details), causeOf(details))
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
