import { parseHttpDate } from '../http/http-date.ts'
import { partialStatus, wholeStatus } from '../status/table.ts'
import type { Received } from '../types/exchange.ts'

/** A representation whose rest can be asked for: what names it, and how long it is, where that is known. */
export interface Resumable {
  /** A strong validator: the value of If-Range, RFC 9110 §13.1.5. */
  readonly validator: string
  /** The field it stands in. */
  readonly field: 'etag' | 'last-modified'
  readonly completeLength: number | undefined
}

/** Where a response to a request for the rest goes on. */
export type Continuation =
  /** Its content follows after what is there; `endsAt` is the position after its last byte. */
  | { readonly kind: 'rest'; readonly endsAt: number; readonly completeLength: number | undefined }
  /** It is the very same representation from its start. */
  | { readonly kind: 'whole' }
  | { readonly kind: 'unfit'; readonly why: string }

/** A day of which the second is over makes a date a strong validator, RFC 9110 §8.8.2.2. */
const strongAfterMs = 1_000

/** What the rest of this response could be asked for with; undefined when it must not be stitched. */
export function resumable(received: Received, nowMs: number): Resumable | undefined {
  if (received.status !== wholeStatus || received.body === null || isCoded(received)) return undefined
  if (received.field('accept-ranges')?.trim().toLowerCase() === 'none') return undefined
  const length = received.field('content-length')
  const completeLength = length !== null && /^\d+$/.test(length) ? Number(length) : undefined
  const etag = received.field('etag')
  if (etag !== null) return isStrong(etag) ? { validator: etag, field: 'etag', completeLength } : undefined
  const modified = received.field('last-modified')
  const date = received.field('date')
  const modifiedMs = modified === null ? null : parseHttpDate(modified, nowMs)
  const dateMs = date === null ? null : parseHttpDate(date, nowMs)
  if (modified === null || modifiedMs === null || dateMs === null || dateMs - modifiedMs < strongAfterMs) return undefined
  return { validator: modified, field: 'last-modified', completeLength }
}

/** Whether, and where, the response goes on after `position` bytes of the representation, RFC 9110 §14.4 and §15.3.7. */
export function continuationOf(received: Received, known: Resumable, position: number): Continuation {
  const same = received.field(known.field) === known.validator && !isCoded(received)
  if (received.status === wholeStatus)
    return same && known.field === 'etag' ? { kind: 'whole' } : unfit('the representation has changed')
  if (received.status !== partialStatus) return unfit(`the rest was answered with ${received.status}`)
  if (!same) return unfit('the part is of another representation')
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(received.field('content-range') ?? '')
  if (range === null) return unfit('the part has no single Content-Range')
  const [first, last] = [Number(range[1]), Number(range[2])]
  const length = range[3] === '*' ? known.completeLength : Number(range[3])
  const isKnown = known.completeLength === undefined || known.completeLength === length
  if (first !== position || last < first || !isKnown || (length !== undefined && last >= length))
    return unfit('the part is not the one that was asked for')
  return { kind: 'rest', endsAt: last + 1, completeLength: length }
}

/** Strong comparison needs a strong tag, RFC 9110 §8.8.3.2. */
function isStrong(etag: string): boolean {
  return /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag)
}

/** A range is one of bytes as they are sent; those of coded content have been decoded here. */
function isCoded(received: Received): boolean {
  return !['', 'identity'].includes((received.field('content-encoding') ?? '').trim().toLowerCase())
}

function unfit(why: string): Continuation {
  return { kind: 'unfit', why }
}
