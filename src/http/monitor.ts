import { statusRow } from '../status/table.ts'
import type { ByteStream, HopRequest, Received } from '../types/exchange.ts'
import type { OwnNames } from '../types/redact.ts'
import { decodeUtf8 } from './collect.ts'
import { filteredFields } from './fields.ts'
import { destination, keptFields, type Refused, staysAt } from './redirect.ts'
import { isJson } from './representation.ts'
import { targetOf } from './target.ts'

/** Where a status monitor is: no RFC names the field; these are what the clouds use. */
const monitorFields = ['operation-location', 'azure-asyncoperation', 'location'] as const
/** Fields of the request that mean nothing, or the wrong thing, when its outcome is asked for. */
const ofRequestAlone = new Set(['idempotency-key', 'range', 'early-data', 'expect'])
const conditional = /^if-/
/** A status document is short; what is longer is the result itself. */
const maxDocumentBytes = 65_536

/** The status monitor of accepted work. */
export interface Monitor {
  /** As the response gives it. */
  readonly location: string
  /** Whether the field is for monitors alone: then Location may be where the result is. */
  readonly isOperation: boolean
}

/** The status monitor that a response names, RFC 9110 §15.3.3; undefined when it names none. */
export function monitorOf(received: Pick<Received, 'status' | 'field'>): Monitor | undefined {
  for (const name of monitorFields) {
    const location = received.field(name)
    if (location !== null) return { location, isOperation: name !== 'location' }
  }
  // What describes the state of the request has a target of its own, RFC 9110 §8.7.
  const location = isPending(received) ? received.field('content-location') : null
  return location === null ? undefined : { location, isOperation: false }
}

/** Whether the status says that the work is not done yet. */
export function isPending({ status }: Pick<Received, 'status'>): boolean {
  return statusRow(status).pending === true
}

/** The request that asks at `location` for the outcome of `request`; credentials stay with their origin, as for redirects. */
export function inquiry(request: HopRequest, location: string, own?: OwnNames): HopRequest | Refused {
  const url = destination(request.href, location, false, 'referred')
  if (!(url instanceof URL)) return url
  const kept = keptFields(request.fields, staysAt(request, url.origin), true, 'credential-like', own)
  const fields = filteredFields(kept, (name) => !ofRequestAlone.has(name) && !conditional.test(name))
  return { method: request.method === 'HEAD' ? 'HEAD' : 'GET', ...targetOf(url), fields, content: null }
}

/**
 * The JSON document that a response has for content, read from a copy; undefined for other content, for more than 64 KiB of
 * it, and for what is no JSON.
 *
 * @throws whatever the body fails with.
 */
export async function documentOf(received: Received): Promise<unknown> {
  const isShort = Number(received.field('content-length') ?? 0) <= maxDocumentBytes
  if (received.bodiless || !isShort || !isJson(received)) return undefined
  const reader = (received.response.clone().body as ByteStream).getReader()
  const parts: Uint8Array[] = []
  let size = 0
  while (size <= maxDocumentBytes) {
    const { done, value } = await reader.read()
    if (done) return parsed(decodeUtf8(parts))
    parts.push(value)
    size += value.byteLength
  }
  // Nobody waits for it: a copy is let go only together with what it is a copy of.
  reader.cancel().catch(() => {})
  return undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
