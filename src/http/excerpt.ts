import { Cancellation } from '../cancellation.ts'
import type { Clock } from '../clock.ts'
import type { Problem } from '../errors/http-error.ts'

/** How much of the content of a failed response is kept. */
const excerptBytes = 65_536
/** How long the rest of such content is waited for; what has come by then is kept. */
const excerptMs = 1_000

const nothing = (): void => {}

/**
 * Reads the start of a body and lets the rest go. A short body read to its end leaves the connection free for the
 * next request, which cancelling it would not.
 */
export async function readExcerpt(response: Response, clock: Clock): Promise<Uint8Array<ArrayBuffer>> {
  if (response.body === null || response.bodyUsed || response.body.locked) return new Uint8Array()
  const reader = response.body.getReader()
  const limit = new Cancellation()
  const stopTimer = clock.after(excerptMs, () => limit.cancel(undefined))
  limit.onCancel(() => reader.cancel().catch(nothing))
  const parts: Uint8Array[] = []
  try {
    for (let size = 0; size < excerptBytes; ) {
      const { done, value } = await reader.read()
      if (done) break
      parts.push(value)
      size += value.byteLength
    }
  } catch {
    // What came before the failure is the excerpt; the status is what the caller is told.
  }
  stopTimer()
  reader.cancel().catch(nothing)
  return new Uint8Array(Buffer.concat(parts).subarray(0, excerptBytes))
}

/** Problem details of JSON content, RFC 9457 §3; undefined for other content and for JSON that is no object. */
export function parseProblem(contentType: string | null, text: string): Problem | undefined {
  if (contentType === null || !/^application\/problem\+json\s*(?:;|$)/i.test(contentType)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Problem) : undefined
  } catch {
    return undefined
  }
}
