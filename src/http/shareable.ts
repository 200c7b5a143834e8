import type { Fields, Received } from '../types/exchange.ts'
import { fieldOf } from './fields.ts'

const noStore = /(?:^|[\s,])no-store\b/i
/** What asks for an answer that is made for this very request, RFC 9111 §5.2.1 and §5.2.2.4. */
const anew = /(?:^|[\s,])(?:no-store|no-cache|max-age\s*=\s*"?0)\b/i

/**
 * Whether the answer to a request of these fields is what any other request of the same fields would get: it asks for all of
 * the content, and for no answer of its own.
 */
export function asksForShareable(fields: Fields): boolean {
  if (fieldOf(fields, 'range') !== undefined || fieldOf(fields, 'pragma') !== undefined) return false
  return !anew.test(fieldOf(fields, 'cache-control') ?? '')
}

/**
 * Whether a response may be given to others who sent the very same request (RFC 9111 §4). One that sets a cookie may begin
 * a session, which belongs to one of them.
 */
export function mayBeShared(received: Received): boolean {
  if (noStore.test(received.field('cache-control') ?? '')) return false
  if (received.field('set-cookie') !== null) return false
  return !(received.field('vary') ?? '').includes('*')
}

/** The same for who asks after it was made: it is a stored response for them, and must be one that needs no validation. */
export function mayBeSharedLate(received: Received): boolean {
  return !anew.test(received.field('cache-control') ?? '')
}
