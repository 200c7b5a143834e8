import { AsyncResource } from 'node:async_hooks'
import type { Bytes } from '../types/body.ts'
import type { ByteStream, Content } from '../types/exchange.ts'
import type { UploadProgress } from '../types/progress.ts'

/** How much is handed over, and told of, at a time. */
const stepBytes = 65_536

/** The content, with `listener` told how far it has come, in the context of the caller. */
export function counted(content: Content, listener: (progress: UploadProgress) => void): Content {
  const context = new AsyncResource('STEADFETCH_UPLOAD')
  let attempt = 0
  let failure: { readonly error: unknown } | undefined
  let totalBytes: number | undefined
  const opened = (): ByteStream => {
    const source = content.open()
    const parts = partsOf(source)
    totalBytes = sizeOf(source)
    attempt += 1
    const ofThis = attempt
    let sentBytes = 0
    return new ReadableStream<Bytes>(
      {
        async pull(controller) {
          const { done, value } = await parts.next()
          if (done === true) return controller.close()
          sentBytes += value.byteLength
          try {
            context.runInAsyncScope(listener, undefined, { sentBytes, totalBytes, attempt: ofThis })
          } catch (error) {
            failure = { error }
            throw error
          }
          return controller.enqueue(value)
        },
        async cancel(reason) {
          await parts.return?.(reason)
        },
      },
      { highWaterMark: 0 },
    )
  }
  return {
    type: content.type,
    replayable: content.replayable,
    open: opened,
    get size() {
      return totalBytes
    },
    failure: () => failure ?? content.failure(),
    discard: (reason) => content.discard(reason),
  }
}

function sizeOf(source: string | Bytes | Blob | ByteStream): number | undefined {
  if (typeof source === 'string') return Buffer.byteLength(source)
  if (source instanceof Blob) return source.size
  return source instanceof Uint8Array ? source.byteLength : undefined
}

async function* partsOf(source: string | Bytes | Blob | ByteStream): AsyncGenerator<Bytes> {
  if (source instanceof ReadableStream) {
    yield* source as unknown as AsyncIterable<Bytes>
    return
  }
  const whole = typeof source === 'string' ? (Buffer.from(source) as Bytes) : source
  const size = whole instanceof Blob ? whole.size : whole.byteLength
  for (let at = 0; at < size; at += stepBytes) {
    if (whole instanceof Blob) yield new Uint8Array(await whole.slice(at, at + stepBytes).arrayBuffer())
    // A copy: who takes it may take its memory away, and the content may have to be sent again.
    else yield new Uint8Array(whole.subarray(at, at + stepBytes))
  }
}
