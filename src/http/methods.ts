import { shownValue } from '../errors/redact-text.ts'
import type { Fields } from '../types/exchange.ts'
import { fieldOf } from './fields.ts'

/** RFC 9110 §9.2.2, and QUERY. */
const idempotentMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY'])
/** RFC 9110 §9.2.1, and those of other standards that only read. */
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND', 'REPORT', 'SEARCH'])
/** The methods the Fetch standard turns into upper case, §2.2.1. */
const normalised = /^(?:delete|get|head|options|post|put)$/i
/** The methods the Fetch standard forbids, §2.2.1. */
const forbidden = /^(?:connect|trace|track)$/i
/** RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** The method as it is sent. @throws TypeError for one that is no token or is forbidden. */
export function normaliseMethod(method: string): string {
  if (method === 'GET') return method
  if (!token.test(method)) throw new TypeError(`method must be a token (RFC 9110 §9.1), got ${shownValue(method)}`)
  if (forbidden.test(method)) throw new TypeError(`method ${method.toUpperCase()} cannot be sent by fetch`)
  return normalised.test(method) ? method.toUpperCase() : method
}

/** Whether content has no meaning with the method, so that fetch refuses it. */
export function forbidsContent(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Whether sending the request twice has the effect of sending it once: by its method, or by its Idempotency-Key. */
export function isIdempotent(method: string, fields: Fields): boolean {
  return idempotentMethods.has(method) || fieldOf(fields, 'idempotency-key') !== undefined
}

/** Whether a request only reads; one of an unknown method may do anything. */
export function isSafe(method: string): boolean {
  return safeMethods.has(method)
}

/** Whether the request says that it was received in early data, RFC 8470 §5.1. */
export function isOfEarlyData(fields: Fields): boolean {
  return fieldOf(fields, 'early-data') !== undefined
}
