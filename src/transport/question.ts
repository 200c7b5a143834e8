import type { Readable, Writable } from 'node:stream'
import { errors } from 'undici'
import { fieldOf, filteredFields } from '../http/fields.ts'
import type { WireFields } from '../http/received.ts'
import type { Bytes } from '../types/body.ts'
import type { ByteStream, Content, Fields, HopRequest } from '../types/exchange.ts'
import type { Head } from './answer.ts'
import { sentFields } from './outgoing.ts'

/** A request that was sent up to its content, over a connection of its own. */
export interface Question {
  /** Takes the content. */
  readonly writable: Writable
  /** Ends the request, and closes the connection. */
  destroy(): void
}

/** Who is told what comes of a {@link Question}. */
export interface Questioner {
  /** All but the content is on its way. */
  onSent(): void
  onContinue(): void
  onInformation(status: number, fields: WireFields): void
  /** The protocol was switched, which nobody asked for. */
  onSwitch(status: number): void
  onResponse(head: Head, content: Readable): void
  onError(error: unknown): void
}

/** Whether a request may ask: it has content (RFC 9110 §10.1.1), of the length that its fields say, if they do. */
export function mayAsk(hop: HopRequest, content: Content): boolean {
  const size = sizeOf(content)
  const length = fieldOf(hop.fields, 'content-length')
  return size !== 0 && (length === undefined || (/^\d+$/.test(length) && (size === undefined || size === Number(length))))
}

/** The fields of the request itself, without those that are put differently on each version of HTTP. */
export function endToEndFields({ fields }: HopRequest, content: Content): Fields {
  return filteredFields(sentFields(fields, content), (name) => name !== 'host' && name !== 'connection')
}

/** The parts of a stream, which must come to as many bytes as the fields say, if they do. */
export async function* exactly(hop: HopRequest, source: ByteStream): AsyncGenerator<Bytes> {
  const length = fieldOf(hop.fields, 'content-length')
  let left = length === undefined ? undefined : Number(length)
  for await (const part of source as unknown as AsyncIterable<Bytes>) {
    if (left !== undefined) left -= part.byteLength
    if (left !== undefined && left < 0) break
    yield part
  }
  if (left !== undefined && left !== 0) throw new errors.RequestContentLengthMismatchError()
}

/** Bytes of the content; undefined for a stream. */
export function sizeOf(content: Content): number | undefined {
  if (!content.replayable) return undefined
  const source = content.open()
  if (typeof source === 'string') return Buffer.byteLength(source)
  if (source instanceof Blob) return source.size
  if (source instanceof Uint8Array) return source.byteLength
  // Opened to be looked at alone.
  source.cancel().catch(() => {})
  return undefined
}
