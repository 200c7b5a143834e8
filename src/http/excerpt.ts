import type { Clock } from '../clock.ts'
import type { Problem } from '../errors/http-error.ts'
import type { Body, Bytes, Sink } from '../types/body.ts'
import { decodeUtf8, joined } from './collect.ts'

/** How much of the content of a failed response is kept. */
const excerptBytes = 65_536
/** How long the rest of such content is waited for; what has come by then is kept. */
const excerptMs = 1_000

/** Takes the start of a body and lets the rest go. */
class Excerpt implements Sink {
  readonly #body: Body
  readonly #parts: Bytes[] = []
  #size = 0
  #stopTimer: (() => void) | undefined
  #resolve: ((bytes: Bytes) => void) | undefined
  /** Set once the body has ended, or enough of it has come. */
  bytes: Bytes | undefined

  constructor(body: Body) {
    this.#body = body
  }

  write(part: Bytes): boolean {
    this.#parts.push(part)
    this.#size += part.byteLength
    if (this.#size >= excerptBytes) this.#body.cancel(undefined)
    return true
  }

  end(): void {
    this.#stopTimer?.()
    const [first] = this.#parts
    this.bytes = (first !== undefined && this.#parts.length === 1 ? first : joined(this.#parts)).subarray(0, excerptBytes)
    this.#resolve?.(this.bytes)
  }

  /** What came before the failure is the excerpt; the status is what the caller is told. */
  fail(): void {
    this.end()
  }

  /** The rest is waited for only so long. */
  promise(clock: Clock, ms: number): Promise<Bytes> {
    this.#stopTimer = clock.after(ms, () => this.#body.cancel(undefined))
    return new Promise((resolve) => {
      this.#resolve = resolve
    })
  }
}

/**
 * Reads the start of a body and lets the rest go; at once where it is there already. A short body read to its end leaves
 * the connection free for the next request, which cancelling it would not. Where the call goes on afterwards, until
 * `deadlineMs`, it is not to spend more than a quarter of its time on that.
 */
export function readExcerpt(body: Body | null, clock: Clock, deadlineMs?: number): Bytes | Promise<Bytes> {
  if (body === null) return new Uint8Array()
  const excerpt = new Excerpt(body)
  body.attach(excerpt)
  if (excerpt.bytes !== undefined) return excerpt.bytes
  const shareMs = deadlineMs === undefined ? excerptMs : Math.max(0, deadlineMs - clock.now()) / 4
  return excerpt.promise(clock, Math.min(excerptMs, shareMs))
}

/** The content of a failed response; it is decoded and parsed once somebody asks. */
export class ErrorContent {
  readonly #bytes: Bytes
  readonly #type: string | null
  #text: string | undefined

  constructor(bytes: Bytes, type: string | null) {
    this.#bytes = bytes
    this.#type = type
  }

  get text(): string {
    this.#text ??= decodeUtf8([this.#bytes])
    return this.#text
  }

  get problem(): Problem | undefined {
    return parseProblem(this.#type, this.text)
  }
}

/** Problem details of JSON content, RFC 9457 §3; undefined for other content and for JSON that is no object. */
function parseProblem(contentType: string | null, text: string): Problem | undefined {
  if (contentType === null || !/^application\/problem\+json\s*(?:;|$)/i.test(contentType)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Problem) : undefined
  } catch {
    return undefined
  }
}
