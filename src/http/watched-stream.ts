import type { Cancellation } from '../cancellation.ts'
import type { Clock } from '../clock.ts'

/** What watches over a body from its first byte to its end. */
export interface Watch {
  readonly clock: Clock
  readonly cancellation: Cancellation
  /** Longest silence between two parts. */
  readonly idleTimeoutMs: number | false
  /** Makes the error of that silence. */
  idleError(): unknown
  /** Called once when the body has ended, failed or was cancelled. */
  onEnd(): void
  /** Called when the caller takes the body as a stream. */
  readonly onStream: () => void
}

/** How much is read ahead of the consumer, so that a short body ends, and frees its connection, unread. */
const readAheadBytes = 65_536

/** The bytes of `source`, ended by the cancellation or by a silence that is too long. */
export function watchedStream(
  source: ReadableStream<Uint8Array<ArrayBuffer>>,
  watch: Watch,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = source.getReader()
  let stopListening = (): void => {}
  const end = (): void => {
    stopListening()
    watch.onEnd()
  }
  const watched = new ReadableStream(
    {
      type: 'bytes',
      start(controller) {
        stopListening = watch.cancellation.onCancel((reason) => {
          controller.error(reason)
          reader.cancel(reason).catch(() => {})
          end()
        })
      },
      async pull(controller) {
        const stopTimer = armIdleTimer(watch)
        try {
          const part = await readPart(reader)
          stopTimer()
          if (watch.cancellation.cancelled) return
          if (part !== undefined) return controller.enqueue(part)
          end()
          controller.close()
          // A reader with a buffer of its own gets it back empty, Streams standard §4.7.4.
          ;(controller.byobRequest as unknown as ReadableStreamBYOBRequest | null)?.respond(0)
        } catch (error) {
          stopTimer()
          end()
          throw error
        }
      },
      async cancel(reason) {
        end()
        await reader.cancel(reason)
      },
    },
    { highWaterMark: readAheadBytes },
  )
  return watched as ReadableStream<Uint8Array<ArrayBuffer>>
}

/** The next part that is not empty, in memory of its own: a byte stream takes its buffer away. */
async function readPart(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return undefined
    if (value.byteLength > 0) return value.slice()
  }
}

function armIdleTimer({ clock, cancellation, idleTimeoutMs, idleError }: Watch): () => void {
  if (idleTimeoutMs === false) return () => {}
  return clock.after(idleTimeoutMs, () => cancellation.cancel(idleError()))
}
