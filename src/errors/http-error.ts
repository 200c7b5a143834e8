import type { CallFacts, Received } from '../types/exchange.ts'
import type { SchemaOutput, StandardSchema } from '../types/schema.ts'
import { branchOf } from './brand.ts'
import { mark, SteadfetchError } from './steadfetch-error.ts'

/** Problem details of an API, RFC 9457 §3.1; extension members are kept. */
export interface Problem {
  readonly type?: string
  readonly title?: string
  readonly status?: number
  readonly detail?: string
  readonly instance?: string
  readonly [extension: string]: unknown
}

/** What an {@link HttpError} is made of. */
export interface HttpErrorDetails {
  readonly status: number
  readonly statusText: string
  /** The response; its headers are made when they are asked for. */
  readonly received: Pick<Received, 'headers'>
  readonly retryAfterMs: number | undefined
  readonly retryable: boolean
  /** The start of the content, and what it says. */
  readonly content: { readonly text: string; readonly problem: Problem | undefined }
  /** The content as a schema has made it, and that schema. */
  readonly validated?: { readonly schema: StandardSchema; readonly value: unknown } | undefined
  /** Why the request was not repeated although its policy would have. */
  readonly notRepeated: string | null
  /** What failed, where it is not the status that says so. */
  readonly what?: { readonly code: `ERR_STEADFETCH_${string}`; readonly summary: string }
  readonly facts: CallFacts
}

/**
 * A response whose status its policy calls a failure. The fields and the content of the response are not part of what
 * `console.log`, `JSON.stringify` or `inspect` show: they may carry secrets. Read them through the accessors.
 */
export class HttpError<Status extends number = number> extends SteadfetchError {
  static {
    mark(this.prototype, 'http')
  }

  /** The status code, RFC 9110 §15. */
  readonly status: Status
  /** The reason phrase of the registry, else the one received. */
  readonly statusText: string
  /** Milliseconds the origin asked to wait, RFC 9110 §10.2.3; undefined when it did not. */
  readonly retryAfterMs: number | undefined
  readonly #received: Pick<Received, 'headers'>
  readonly #content: HttpErrorDetails['content']
  readonly #validated: HttpErrorDetails['validated']
  #problem: { readonly parsed: Problem | undefined } | undefined

  /** @internal */
  constructor(details: HttpErrorDetails) {
    const { status, statusText, notRepeated } = details
    const phrase = statusText === '' ? `${status}` : `${status} ${statusText}`
    const summary = notRepeated === null ? phrase : `${phrase}, not repeated: ${notRepeated}`
    const { code = `ERR_STEADFETCH_HTTP_${status}` as const, summary: what = summary } = details.what ?? {}
    super({ code, summary: what, retryable: details.retryable, facts: details.facts })
    this.status = status as Status
    this.statusText = statusText
    this.retryAfterMs = details.retryAfterMs
    this.#received = details.received
    this.#content = details.content
    this.#validated = details.validated
  }

  /** The fields of the response. */
  get headers(): Headers {
    return this.#received.headers
  }

  /**
   * The problem details, when the response carried `application/problem+json` (RFC 9457), as the schema for the status has
   * made them, where there is one that they fit; else undefined.
   */
  get problem(): Problem | undefined {
    this.#problem ??= {
      parsed: this.#content.problem && ((this.#validated?.value as Problem | undefined) ?? this.#content.problem),
    }
    return this.#problem.parsed
  }

  /** The JSON content, as the schema for the status has made it; undefined without one, and when it does not fit. */
  get data(): unknown {
    return this.#validated?.value
  }

  /** Whether {@link HttpError.data} is what this very schema has made. */
  fits(schema: StandardSchema): boolean {
    return this.#validated?.schema === schema
  }

  /** The start of the content as text, at most 64 KiB; the connection is not held by it. */
  get body(): string {
    return this.#content.text
  }
}

/**
 * Whether `error` is an HttpError, of any copy of steadfetch; with a status, only one of that status; with a schema, only one
 * whose content that schema has validated.
 */
export function isHttpError(error: unknown): error is HttpError
export function isHttpError<Status extends number>(error: unknown, status: Status): error is HttpError<Status>
export function isHttpError<Status extends number, Schema extends StandardSchema>(
  error: unknown,
  status: Status,
  schema: Schema,
): error is HttpError<Status> & { readonly data: SchemaOutput<Schema> }
export function isHttpError(error: unknown, status?: number, schema?: StandardSchema): boolean {
  if (branchOf(error) !== 'http') return false
  const failed = error as HttpError
  return (status === undefined || failed.status === status) && (schema === undefined || failed.fits(schema))
}

/** A 4xx status: the request seems to be at fault, RFC 9110 §15.5. */
export class ClientError<Status extends number = number> extends HttpError<Status> {}
/** A 5xx status, or one of 600 and above: the server failed, RFC 9110 §15.6 and §15. */
export class ServerError<Status extends number = number> extends HttpError<Status> {}
/** Work that was accepted, and failed or was cancelled in the end: its status monitor says so with a status of success. */
export class OperationFailedError<Status extends number = number> extends HttpError<Status> {
  /** @internal */
  constructor(details: HttpErrorDetails) {
    super({ ...details, what: { code: 'ERR_STEADFETCH_OPERATION_FAILED', summary: 'the work that was accepted failed' } })
  }

  /** What the status monitor says, parsed; undefined for more than 64 KiB. */
  get operation(): unknown {
    try {
      return JSON.parse(this.body)
    } catch {
      return undefined
    }
  }
}
/** A failed status of another class, where a policy says so. */
export class UnexpectedStatusError<Status extends number = number> extends HttpError<Status> {}
