import { Readable } from 'node:stream'
import type { Cancellation } from '../cancellation.ts'
import type { Bytes } from '../types/body.ts'
import type { ByteStream, Content } from '../types/exchange.ts'
import { encodeMultipart } from './multipart.ts'
import { textOf } from './text.ts'

const nothing = (): undefined => undefined

/** Content that is sent as it stands, as often as needed. */
export function replayable(source: string | Bytes | Blob, type: string | null): Content {
  return { type, replayable: true, open: () => source, failure: nothing, discard: nothing }
}

/** Request content of any kind fetch takes (Fetch standard §5.2), read so that every attempt sends the same bytes. */
export function toContent(body: unknown): Content | null {
  if (body === null || body === undefined) return null
  if (typeof body === 'string') return replayable(body, 'text/plain;charset=UTF-8')
  if (body instanceof URLSearchParams) {
    return replayable(body.toString(), 'application/x-www-form-urlencoded;charset=UTF-8')
  }
  if (body instanceof ArrayBuffer) return bytesContent(new Uint8Array(body.slice(0)))
  if (ArrayBuffer.isView(body)) {
    return bytesContent(new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice() as Bytes)
  }
  if (body instanceof Blob) return blobContent(body)
  if (body instanceof FormData) return blobContent(encodeMultipart(body))
  if (body instanceof ReadableStream) return streamContent(body)
  if (isAsyncIterable(body)) return streamContent(Readable.toWeb(Readable.from(body)) as unknown as ByteStream)
  return replayable(textOf('body', body), 'text/plain;charset=UTF-8')
}

/** Bytes of our own, not shared with the caller. */
export function bytesContent(bytes: Bytes, type: string | null = null): Content {
  return replayable(bytes, type)
}

function blobContent(blob: Blob): Content {
  return replayable(blob, blob.type === '' ? null : blob.type)
}

/** A source that can be read once. @throws TypeError for a stream that is locked, or was read before. */
function streamContent(stream: ByteStream): Content {
  if (stream.locked) throw new TypeError('body is a ReadableStream that is locked')
  if (wasRead(stream)) throw new TypeError('body is a ReadableStream that was read before')
  let reader: ReadableStreamDefaultReader<Bytes> | undefined
  let failure: { readonly error: unknown } | undefined
  return {
    type: null,
    replayable: false,
    failure: () => failure,
    open() {
      const source = stream.getReader()
      reader = source
      return new ReadableStream<Bytes>(
        {
          async pull(controller) {
            try {
              const part = await nextPart(source)
              if (part === undefined) controller.close()
              else controller.enqueue(part)
            } catch (error) {
              failure = { error }
              throw error
            }
          },
          cancel: (reason) => source.cancel(reason),
        },
        { highWaterMark: 0 },
      )
    },
    discard(reason) {
      const cancelled = reader === undefined ? stream.cancel(reason) : reader.cancel(reason)
      cancelled.catch(nothing)
    },
  }
}

/** The next part of a stream, undefined at its end. */
async function nextPart(source: ReadableStreamDefaultReader<Bytes>): Promise<Bytes | undefined> {
  const { done, value } = await source.read()
  if (done) return undefined
  if (value instanceof Uint8Array) return value
  throw new TypeError('body is a stream of something other than Uint8Array')
}

/** Fetch treats a stream that is disturbed as unusable; a Response is the platform's way to ask. */
function wasRead(stream: ByteStream): boolean {
  try {
    return new Response(stream).bodyUsed
  } catch {
    return true
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<Bytes> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** Content of a Request up to this size is read before it is sent, so that it has a length and can be replayed. */
const readAheadBytes = 1_048_576

/**
 * The content of a Request, whose source is hidden behind a stream even when it was a string. Up to 1 MiB is read
 * ahead and kept, so that the usual Request is repeated like any other; beyond that it stays a one-shot stream.
 */
export async function contentOfRequest(stream: ByteStream, cancellation: Cancellation): Promise<Content> {
  const reader = stream.getReader()
  const stopListening = cancellation.onCancel((reason) => void reader.cancel(reason).catch(nothing))
  const parts: Bytes[] = []
  for (let size = 0; size <= readAheadBytes; ) {
    const { done, value } = await reader.read()
    if (done) {
      stopListening()
      return bytesContent(new Uint8Array(Buffer.concat(parts)))
    }
    parts.push(value)
    size += value.byteLength
  }
  stopListening()
  return streamContent(
    new ReadableStream<Bytes>(
      {
        async pull(controller) {
          const part = parts.shift()
          if (part !== undefined) return controller.enqueue(part)
          const { done, value } = await reader.read()
          if (done) controller.close()
          else controller.enqueue(value)
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    ),
  )
}
