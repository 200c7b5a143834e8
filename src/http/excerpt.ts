import type { Clock } from '../clock.ts'
import type { Problem } from '../errors/http-error.ts'
import type { Body, Bytes, Sink } from '../types/body.ts'
import { joined } from './collect.ts'

/** How much of the content of a failed response is kept. */
const excerptBytes = 65_536
/** How long the rest of such content is waited for; what has come by then is kept. */
const excerptMs = 1_000

/** Takes the start of a body and lets the rest go. */
class Excerpt implements Sink {
  readonly #body: Body
  readonly #resolve: (bytes: Bytes) => void
  readonly #parts: Bytes[] = []
  readonly #stopTimer: (() => void) | undefined
  #size = 0

  constructor(body: Body, clock: Clock, resolve: (bytes: Bytes) => void) {
    this.#body = body
    this.#resolve = resolve
    if (!body.done) this.#stopTimer = clock.after(excerptMs, () => body.cancel(undefined))
  }

  write(part: Bytes): boolean {
    this.#parts.push(part)
    this.#size += part.byteLength
    if (this.#size >= excerptBytes) this.#body.cancel(undefined)
    return true
  }

  end(): void {
    this.#stopTimer?.()
    this.#resolve(joined(this.#parts).subarray(0, excerptBytes))
  }

  /** What came before the failure is the excerpt; the status is what the caller is told. */
  fail(): void {
    this.end()
  }
}

/**
 * Reads the start of a body and lets the rest go. A short body read to its end leaves the connection free for the
 * next request, which cancelling it would not.
 */
export function readExcerpt(body: Body | null, clock: Clock): Promise<Bytes> {
  if (body === null) return Promise.resolve(new Uint8Array())
  return new Promise((resolve) => body.attach(new Excerpt(body, clock, resolve)))
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
