import type { Received } from '../types/exchange.ts'
import { parseHttpDate } from './http-date.ts'

/** An entity tag that is not weak, RFC 9110 §8.8.3. */
const strongTag = /^"[\x21\x23-\x7e\x80-\xff]*"$/
/**
 * How much older than its response a representation must be for its date to be strong. RFC 9110 §8.8.2.2 asks for a second
 * where both times are known to be of one clock, which is never known here; this is the number that RFC 7232 §2.2.2 had.
 */
const settledMs = 60_000

/** Whether a validator is an entity tag, not a date. */
export function isEntityTag(validator: string): boolean {
  return strongTag.test(validator)
}

/**
 * The strong validator of a response, as If-Range takes it: its entity tag, or its date only where there is no entity tag
 * at all (RFC 9110 §13.1.5); undefined when it has none.
 */
export function strongValidator(received: Pick<Received, 'field'>, nowMs: number): string | undefined {
  const tag = received.field('etag')
  if (tag !== null) return isEntityTag(tag) ? tag : undefined
  const modified = received.field('last-modified')
  const date = received.field('date')
  if (modified === null || date === null) return undefined
  const modifiedMs = parseHttpDate(modified, nowMs)
  const dateMs = parseHttpDate(date, nowMs)
  return modifiedMs !== null && dateMs !== null && dateMs - modifiedMs >= settledMs ? modified : undefined
}

/** Whether the response is one of the very representation that has this validator, by strong comparison (RFC 9110 §8.8.3.2). */
export function hasValidator(received: Pick<Received, 'field'>, validator: string): boolean {
  const tag = received.field('etag')
  return isEntityTag(validator) ? tag === validator : tag === null && received.field('last-modified') === validator
}
