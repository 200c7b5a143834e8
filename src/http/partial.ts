import { partialStatus, wholeStatus } from '../status/table.ts'
import type { HopRequest, Received } from '../types/exchange.ts'
import { isConditional } from './cache-mode.ts'
import { fieldOf, filteredFields, withField } from './fields.ts'
import { isCoded, lengthOf } from './representation.ts'
import { hasValidator, isEntityTag, strongValidator } from './validator.ts'

/** What is known of a representation of which a part has been received. */
export interface Representation {
  readonly validator: string
  /** Undefined while it is not known. */
  readonly completeBytes: number | undefined
}

/** Where the content of a response belongs in the representation: its first byte, and the one after its last. */
export interface Stretch {
  readonly fromBytes: number
  /** Infinity when only the end of the content tells. */
  readonly untilBytes: number
  readonly completeBytes: number | undefined
}

/** Why a response does not continue what has been received. */
export type Misfit = 'representation changed' | 'range not served'

/** RFC 9110 §14.4. */
const contentRange = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i

/**
 * Whether the request is for a whole representation, whatever version of it: what it is answered with may be resumed. So may be
 * what takes the place of a stored response.
 */
export function asksForWhole({ method, fields, validates }: HopRequest): boolean {
  return method === 'GET' && fieldOf(fields, 'range') === undefined && (validates === true || !isConditional(fields))
}

/** The request for the rest of a representation, RFC 9110 §13.1.5; that its first bytes came has answered other conditions. */
export function rangeOf(request: HopRequest, { validator }: Pick<Representation, 'validator'>, fromBytes: number): HopRequest {
  const kept = filteredFields(request.fields, (name) => name !== 'if-none-match' && name !== 'if-modified-since')
  return { ...request, fields: withField(withField(kept, 'range', `bytes=${fromBytes}-`), 'if-range', validator) }
}

/** The representation of which this response is the beginning; undefined when the rest of it could not be asked for. */
export function representationOf(received: Received, nowMs: number): Representation | undefined {
  if (received.status !== wholeStatus || isCoded(received)) return undefined
  if (received.field('accept-ranges')?.trim().toLowerCase() === 'none') return undefined
  const validator = strongValidator(received, nowMs)
  const completeBytes = lengthOf(received)
  return validator === undefined || completeBytes === 'invalid' ? undefined : { validator, completeBytes }
}

/** Where the content of the answer to a resumption belongs, RFC 9110 §15.3.7; or why it belongs nowhere. */
export function continuation(received: Received, known: Representation, takenBytes: number): Stretch | Misfit {
  if (received.status === partialStatus) return partOf(received, known, takenBytes)
  if (received.status !== wholeStatus) return 'range not served'
  // Only an entity tag promises that each byte is the same; that of a date would be the whole proof here.
  if (!isEntityTag(known.validator) || !hasValidator(received, known.validator)) return 'representation changed'
  const length = lengthOf(received)
  if (isCoded(received) || length === 'invalid') return 'range not served'
  const completeBytes = known.completeBytes ?? length
  if (length !== undefined && length !== completeBytes) return 'representation changed'
  return { fromBytes: 0, untilBytes: completeBytes ?? Infinity, completeBytes }
}

function partOf(received: Received, known: Representation, takenBytes: number): Stretch | Misfit {
  if (!hasValidator(received, known.validator)) return 'representation changed'
  const range = contentRange.exec(received.field('content-range')?.trim() ?? '')
  if (range === null || isCoded(received) || isMultipart(received)) return 'range not served'
  const fromBytes = Number(range[1])
  const untilBytes = Number(range[2]) + 1
  const completeBytes = range[3] === '*' ? known.completeBytes : Number(range[3])
  if (known.completeBytes !== undefined && completeBytes !== known.completeBytes) return 'representation changed'
  const fits = fromBytes === takenBytes && untilBytes > fromBytes && completeBytes !== undefined && untilBytes <= completeBytes
  const length = lengthOf(received)
  if (!fits || (length !== undefined && length !== untilBytes - fromBytes)) return 'range not served'
  return { fromBytes, untilBytes, completeBytes }
}

/** Several ranges come with their own fields inside of the content, RFC 9110 §15.3.7.2; one range was asked for. */
function isMultipart(received: Received): boolean {
  return /^multipart\/byteranges\b/i.test(received.field('content-type') ?? '')
}
