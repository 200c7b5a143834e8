import type { Body, Bytes } from '../types/body.ts'
import type { CacheWriter, StoredContent } from '../types/cache.ts'
import type { ByteStream, Received } from '../types/exchange.ts'
import { ReceivedResponse, receivedBytes, type WireFields, withBody } from './received.ts'
import { bodyOf } from './stream.ts'
import { tapped } from './tap.ts'

/** How much may wait for a store that is slower than the reader; beyond it the response is not stored. */
const maxWaitingBytes = 1_048_576

/** The response with its content stored as it is read; what is cut short or left unread is not kept. */
export function storing(received: Received, writer: CacheWriter): Received {
  writer.on('error', () => {})
  if (received.body === null) {
    writer.end()
    return received
  }
  const body = tapped(received.body, {
    part(part) {
      // A copy: the reader may change what it gets.
      if (writer.writableLength > maxWaitingBytes) writer.destroy()
      else writer.write(Uint8Array.from(part))
    },
    end: () => writer.end(),
    fail: () => writer.destroy(),
  })
  return withBody(received, body)
}

/** A response made of what was stored; of content that comes by and by the rest is asked for as it is read. */
export function restored(
  status: Pick<Received, 'status' | 'statusText' | 'url'>,
  fields: WireFields,
  content: StoredContent | undefined,
  bodiless: boolean,
): Received {
  const body = bodiless ? null : bodyFrom(content)
  return new ReceivedResponse(status.status, status.statusText, status.url, fields, body)
}

function bodyFrom(content: StoredContent | undefined): Body {
  if (content === undefined || typeof content === 'string' || content instanceof Uint8Array)
    return receivedBytes(copyOf(content ?? ''))
  if (Symbol.iterator in content) return receivedBytes(joinedCopy(content))
  return bodyOf(streamFrom(content[Symbol.asyncIterator]()))
}

function joinedCopy(parts: Iterable<Uint8Array | string>): Bytes {
  return Uint8Array.from(Buffer.concat([...parts].map(copyOf)))
}

function streamFrom(parts: AsyncIterator<Uint8Array | string>): ByteStream {
  return new ReadableStream<Bytes>(
    {
      async pull(controller) {
        const { done, value } = await parts.next()
        if (done === true) controller.close()
        else controller.enqueue(copyOf(value))
      },
      async cancel() {
        await parts.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

/** What is stored stays as it is, whatever the reader does. */
function copyOf(part: Uint8Array | string): Bytes {
  return Uint8Array.from(typeof part === 'string' ? Buffer.from(part) : part)
}

/** Reads a body to its end, so that whatever looks on sees all of it; rejects with what it fails with. */
export function drained(body: Body | null): Promise<void> {
  if (body === null) return Promise.resolve()
  return new Promise((resolve, reject) => body.attach({ write: () => true, end: resolve, fail: reject }))
}
