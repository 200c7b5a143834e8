import { ClientError, type HttpError, type HttpErrorDetails, ServerError, UnexpectedStatusError } from '../errors/http-error.ts'
import * as errors from '../errors/status-errors.ts'
import type { Repeat, StatusClass } from '../types/policy.ts'

/** What the built-in table does with a status. */
export type BuiltInPolicy = 'inform' | 'accept' | 'follow' | 'fail' | 'retry' | 'pause'
/** What Retry-After (RFC 9110 §10.2.3) means on a status: nothing, a wait, a wait of the whole origin, the condition of a retry. */
export type RetryAfterRule = 'ignored' | 'waits' | 'pauses' | 'required'
/** What becomes of the method when a redirect is followed, RFC 9110 §15.4. */
export type RedirectRule = 'post-becomes-get' | 'becomes-get' | 'keeps-request'
type HttpErrorClass = new (details: HttpErrorDetails) => HttpError

interface Extras {
  readonly error?: HttpErrorClass
  readonly redirect?: RedirectRule
  readonly bodiless?: true
  /** Whether content may come all the same, for it is framed like any other, RFC 9112 §6.3. */
  readonly framed?: true
  readonly switches?: true
  /** Whether another connection may be told something else. */
  readonly newConnection?: true
  /** Whether the work goes on; whether the request came too early in TLS; whether the network or a proxy says so. */
  readonly pending?: true
  readonly tooEarly?: true
  readonly notOfOrigin?: true
}

/** One line of the status table. */
export interface StatusRow extends Extras {
  readonly phrase: string
  readonly policy: BuiltInPolicy
  readonly repeat: Repeat
  readonly retryAfter: RetryAfterRule
  readonly reference: string
}

/** Phrase, policy, who may be repeated, what Retry-After means, reference, error class or rule. */
type Line = [string, BuiltInPolicy, Repeat, RetryAfterRule, string, Extras?]

function row(...[phrase, policy, repeat, retryAfter, reference, extras]: Line): StatusRow {
  return Object.assign(Object.create(null) as StatusRow, { phrase, policy, repeat, retryAfter, reference }, extras)
}

/** A line for every code of the IANA registry; status numbers stand nowhere else. */
const registered: Readonly<Record<number, StatusRow | undefined> & { __proto__: null }> = {
  __proto__: null,
  100: row('Continue', 'inform', 'never', 'ignored', 'RFC 9110 §15.2.1'),
  101: row('Switching Protocols', 'inform', 'never', 'ignored', 'RFC 9110 §15.2.2', { switches: true }),
  102: row('Processing', 'inform', 'never', 'ignored', 'RFC 2518 §10.1'),
  103: row('Early Hints', 'inform', 'never', 'ignored', 'RFC 8297 §2'),
  104: row('Upload Resumption Supported', 'inform', 'never', 'ignored', 'draft-ietf-httpbis-resumable-upload §5'),
  200: row('OK', 'accept', 'never', 'ignored', 'RFC 9110 §15.3.1'),
  201: row('Created', 'accept', 'never', 'ignored', 'RFC 9110 §15.3.2'),
  202: row('Accepted', 'accept', 'never', 'ignored', 'RFC 9110 §15.3.3', { pending: true }),
  203: row('Non-Authoritative Information', 'accept', 'never', 'ignored', 'RFC 9110 §15.3.4'),
  204: row('No Content', 'accept', 'never', 'ignored', 'RFC 9110 §15.3.5', { bodiless: true }),
  205: row('Reset Content', 'accept', 'never', 'ignored', 'RFC 9110 §15.3.6', { bodiless: true, framed: true }),
  206: row('Partial Content', 'accept', 'never', 'ignored', 'RFC 9110 §15.3.7'),
  207: row('Multi-Status', 'accept', 'never', 'ignored', 'RFC 4918 §11.1'),
  208: row('Already Reported', 'accept', 'never', 'ignored', 'RFC 5842 §7.1'),
  226: row('IM Used', 'accept', 'never', 'ignored', 'RFC 3229 §10.4.1'),
  300: row('Multiple Choices', 'accept', 'never', 'ignored', 'RFC 9110 §15.4.1'),
  301: row('Moved Permanently', 'follow', 'never', 'waits', 'RFC 9110 §15.4.2', { redirect: 'post-becomes-get' }),
  302: row('Found', 'follow', 'never', 'waits', 'RFC 9110 §15.4.3', { redirect: 'post-becomes-get' }),
  303: row('See Other', 'follow', 'never', 'waits', 'RFC 9110 §15.4.4', { redirect: 'becomes-get' }),
  304: row('Not Modified', 'accept', 'never', 'ignored', 'RFC 9110 §15.4.5', { bodiless: true }),
  305: row('Use Proxy', 'accept', 'never', 'ignored', 'RFC 9110 §15.4.6'),
  306: row('(Unused)', 'accept', 'never', 'ignored', 'RFC 9110 §15.4.7'),
  307: row('Temporary Redirect', 'follow', 'never', 'waits', 'RFC 9110 §15.4.8', { redirect: 'keeps-request' }),
  308: row('Permanent Redirect', 'follow', 'never', 'waits', 'RFC 9110 §15.4.9', { redirect: 'keeps-request' }),
  400: row('Bad Request', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.1', { error: errors.BadRequestError }),
  401: row('Unauthorized', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.2', { error: errors.UnauthorizedError }),
  402: row('Payment Required', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.3', { error: errors.PaymentRequiredError }),
  403: row('Forbidden', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.4', { error: errors.ForbiddenError }),
  404: row('Not Found', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.5', { error: errors.NotFoundError }),
  405: row('Method Not Allowed', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.6', { error: errors.MethodNotAllowedError }),
  406: row('Not Acceptable', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.7', { error: errors.NotAcceptableError }),
  407: row('Proxy Authentication Required', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.8', {
    error: errors.ProxyAuthenticationRequiredError,
    notOfOrigin: true,
  }),
  408: row('Request Timeout', 'retry', 'idempotent', 'waits', 'RFC 9110 §15.5.9', { error: errors.RequestTimeoutError }),
  409: row('Conflict', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.10', { error: errors.ConflictError }),
  410: row('Gone', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.11', { error: errors.GoneError }),
  411: row('Length Required', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.12', { error: errors.LengthRequiredError }),
  412: row('Precondition Failed', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.13', { error: errors.PreconditionFailedError }),
  413: row('Content Too Large', 'retry', 'idempotent', 'required', 'RFC 9110 §15.5.14', { error: errors.ContentTooLargeError }),
  414: row('URI Too Long', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.15', { error: errors.UriTooLongError }),
  415: row('Unsupported Media Type', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.16', {
    error: errors.UnsupportedMediaTypeError,
  }),
  416: row('Range Not Satisfiable', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.17', { error: errors.RangeNotSatisfiableError }),
  417: row('Expectation Failed', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.18', { error: errors.ExpectationFailedError }),
  418: row('(Unused)', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.19', { error: ClientError }),
  421: row('Misdirected Request', 'retry', 'any', 'waits', 'RFC 9110 §15.5.20', {
    error: errors.MisdirectedRequestError,
    newConnection: true,
  }),
  422: row('Unprocessable Content', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.21', { error: errors.UnprocessableContentError }),
  423: row('Locked', 'fail', 'never', 'ignored', 'RFC 4918 §11.3', { error: errors.LockedError }),
  424: row('Failed Dependency', 'fail', 'never', 'ignored', 'RFC 4918 §11.4', { error: errors.FailedDependencyError }),
  425: row('Too Early', 'retry', 'any', 'waits', 'RFC 8470 §5.2', { error: errors.TooEarlyError, tooEarly: true }),
  426: row('Upgrade Required', 'fail', 'never', 'ignored', 'RFC 9110 §15.5.22', { error: errors.UpgradeRequiredError }),
  428: row('Precondition Required', 'fail', 'never', 'ignored', 'RFC 6585 §3', { error: errors.PreconditionRequiredError }),
  429: row('Too Many Requests', 'pause', 'idempotent', 'pauses', 'RFC 6585 §4', { error: errors.TooManyRequestsError }),
  431: row('Request Header Fields Too Large', 'fail', 'never', 'ignored', 'RFC 6585 §5', {
    error: errors.RequestHeaderFieldsTooLargeError,
  }),
  451: row('Unavailable For Legal Reasons', 'fail', 'never', 'ignored', 'RFC 7725 §3', {
    error: errors.UnavailableForLegalReasonsError,
  }),
  500: row('Internal Server Error', 'retry', 'idempotent', 'waits', 'RFC 9110 §15.6.1', { error: errors.InternalServerError }),
  501: row('Not Implemented', 'fail', 'never', 'ignored', 'RFC 9110 §15.6.2', { error: errors.NotImplementedError }),
  502: row('Bad Gateway', 'retry', 'idempotent', 'waits', 'RFC 9110 §15.6.3', { error: errors.BadGatewayError }),
  503: row('Service Unavailable', 'retry', 'idempotent', 'pauses', 'RFC 9110 §15.6.4', { error: errors.ServiceUnavailableError }),
  504: row('Gateway Timeout', 'retry', 'idempotent', 'waits', 'RFC 9110 §15.6.5', { error: errors.GatewayTimeoutError }),
  505: row('HTTP Version Not Supported', 'fail', 'never', 'ignored', 'RFC 9110 §15.6.6', {
    error: errors.HttpVersionNotSupportedError,
  }),
  506: row('Variant Also Negotiates', 'fail', 'never', 'ignored', 'RFC 2295 §8.1', { error: errors.VariantAlsoNegotiatesError }),
  507: row('Insufficient Storage', 'fail', 'never', 'ignored', 'RFC 4918 §11.5', { error: errors.InsufficientStorageError }),
  508: row('Loop Detected', 'fail', 'never', 'ignored', 'RFC 5842 §7.2', { error: errors.LoopDetectedError }),
  510: row('Not Extended', 'fail', 'never', 'ignored', 'RFC 2774 §7', { error: errors.NotExtendedError }),
  511: row('Network Authentication Required', 'fail', 'never', 'ignored', 'RFC 6585 §6', {
    error: errors.NetworkAuthenticationRequiredError,
    notOfOrigin: true,
  }),
}

/** What a code that is not registered is treated as, RFC 9110 §15: as the x00 of its class. */
const classes: Readonly<Record<StatusClass, StatusRow>> = {
  '1xx': row('', 'inform', 'never', 'ignored', 'RFC 9110 §15.2'),
  '2xx': row('', 'accept', 'never', 'ignored', 'RFC 9110 §15.3'),
  '3xx': row('', 'accept', 'never', 'ignored', 'RFC 9110 §15.4', { error: UnexpectedStatusError }),
  '4xx': row('', 'fail', 'never', 'ignored', 'RFC 9110 §15.5', { error: ClientError }),
  '5xx': row('', 'retry', 'idempotent', 'waits', 'RFC 9110 §15.6', { error: ServerError }),
}

/** 600 and above are invalid and count as 5xx, RFC 9110 §15; what they mean is unknown, so they are not repeated. */
const beyond: StatusRow = row('', 'fail', 'never', 'ignored', 'RFC 9110 §15', { error: ServerError })

/** The status of a whole representation, RFC 9110 §15.3.1. */
export const wholeStatus = 200
/** The status of an answer with a part of the representation, RFC 9110 §15.3.7. */
export const partialStatus = 206
/** The status of an answer to a conditional request that finds nothing new, RFC 9110 §15.4.5. */
export const notModifiedStatus = 304
/** The status of an answer made here because the origin cannot be asked, RFC 9111 §5.2.1.7. */
export const gatewayTimeoutStatus = 504
/** What may be stored without being told so, RFC 9110 §15.1; a part of a representation never is. */
export const cacheableStatuses: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])

/** The class of a status code. */
export function statusClass(status: number): StatusClass {
  return `${Math.min(Math.floor(status / 100), 5)}xx` as StatusClass
}

/** The line of a status code; the one of its class when it is not registered. Total over 100-999. */
export function statusRow(status: number): StatusRow {
  return registered[status] ?? (status < 600 ? classes[statusClass(status)] : beyond)
}

/** The class of the error for a status. */
export function errorClass(status: number): HttpErrorClass {
  return statusRow(status).error ?? UnexpectedStatusError
}

/** Whether a response is only informational, RFC 9110 §15.2. */
export function isInformational(status: number): boolean {
  return status < 200
}

/** Three digits, RFC 9110 §15. */
export function isStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 100 && status <= 999
}

/** Whether a Response of this status is `ok`, Fetch standard §5.5. */
export function isOk(status: number): boolean {
  return statusClass(status) === '2xx'
}

/** Whether a response to a request like this carries no content, whatever its fields say, RFC 9112 §6.3. */
export function isBodiless(method: string, status: number): boolean {
  return method === 'HEAD' || isInformational(status) || statusRow(status).bodiless === true
}

/** Ascending. */
export function registeredStatuses(): number[] {
  return Object.keys(registered).map(Number)
}
