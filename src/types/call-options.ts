import type { PolicyTable } from './policy.ts'
import type { DownloadProgress, UploadProgress } from './progress.ts'
import type { RedactOptions } from './redact.ts'
import type { ResumeOptions } from './resume.ts'
import type { SchemaTable, StandardSchema } from './schema.ts'
import type { Information } from './transport.ts'

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
  /**
   * What `console.log` and `JSON.stringify` show of an error: `'development'` adds the fields of the request and the response
   * and the start of its content, secrets masked, and the attempts. Default `'production'`, unless the environment variable
   * NODE_ENV is `development` when the client is made.
   */
  readonly details?: 'production' | 'development'
  /**
   * Names of fields and parameters whose values are secrets, beside the usual ones: they are masked in errors and traces, and
   * such fields are not sent on when a redirect leads to another origin. Those of the client are kept. Default: none.
   */
  readonly redact?: RedactOptions
  /**
   * Sends an Idempotency-Key with each request whose method is not idempotent and that has none, the same one on every
   * attempt, so that it may be repeated: `true` for a random UUID, or a function that gives the value. Default false.
   */
  readonly idempotencyKey?: boolean | (() => string)
  /**
   * Lets a GET go on that is cut short by the network while its content is read: the rest is asked for by Range with a strong
   * validator, and appended only if it is provably that (RFC 9110 §14 and §13.1.5). Content is asked for without a coding
   * then. Default false.
   */
  readonly resume?: ResumeOptions | boolean
  /**
   * Most bytes of the content of a delivered response, without its coding; beyond it a BodyError. `false` for no limit. By
   * default 500 MiB for a body read whole, and no limit for one taken as a stream.
   */
  readonly maxResponseBytes?: number | false
  /** Told how far the content of the response has come; what it throws is what reading the content fails with. */
  readonly onDownloadProgress?: (progress: DownloadProgress) => void
  /** Told how far the content of the request has come; what it throws is the cause of the BodyError that ends the call. */
  readonly onUploadProgress?: (progress: UploadProgress) => void
  /**
   * What `response.json()` is validated by, and `error.data` of failed statuses: a schema for all 2xx, or schemas by status
   * or class. Default: none.
   */
  readonly schema?: StandardSchema | SchemaTable
  /**
   * Called with each informational (1xx) response as it arrives, RFC 9110 §15.2; none of them prolongs a time limit, and more
   * than 1,000 to one request are a NetworkError of kind `'protocol'`.
   */
  readonly onInformation?: (information: Information) => void
  /**
   * Sends `Expect: 100-continue` with content, and the content once the server says so (RFC 9110 §10.1.1), or after `afterMs`,
   * by default 1,000. Such a request has a connection to itself. Not together with `dispatcher` or `transport`.
   * Default false.
   */
  readonly expectContinue?: boolean | { readonly afterMs?: number }
}
