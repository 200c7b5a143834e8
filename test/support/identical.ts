import { type ClientOptions, createFetch, type SteadFetch } from '../../src/index.ts'
import { FakeClock } from './fake-clock.ts'
import { HeldTransport } from './held-transport.ts'

/** A client that coalesces, on a fake clock, whose requests are answered by hand. */
export function coalescing(options: ClientOptions = {}): { fetch: SteadFetch; clock: FakeClock; held: HeldTransport } {
  const clock = new FakeClock()
  const held = new HeldTransport(clock.now)
  const fetch = createFetch({ transport: held.send, clock, random: () => 0.5, coalesce: true, ...options })
  return { fetch, clock, held }
}

/** A content that comes part by part, as the test says; it tells how much of it was taken. */
export class Trickle {
  readonly #parts: Uint8Array<ArrayBuffer>[] = []
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>
  /** Parts that were asked for so far. */
  taken = 0
  cancelled: { readonly reason: unknown } | undefined
  #ended = false
  #wanted = false

  constructor(parts: readonly (string | Uint8Array<ArrayBuffer>)[] = []) {
    this.stream = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => {
          this.#wanted = true
          this.#give()
        },
        cancel: (reason) => {
          this.cancelled = { reason }
        },
      },
      { highWaterMark: 0 },
    )
    for (const part of parts) this.add(part)
  }

  add(part: string | Uint8Array<ArrayBuffer>): void {
    this.#parts.push(typeof part === 'string' ? new TextEncoder().encode(part) : part)
    this.#give()
  }

  end(): void {
    this.#ended = true
    this.#give()
  }

  fail(error: unknown): void {
    this.#controller?.error(error)
  }

  #give(): void {
    if (!this.#wanted) return
    const part = this.#parts.shift()
    if (part !== undefined) {
      this.#wanted = false
      this.taken += 1
      this.#controller?.enqueue(part)
    } else if (this.#ended && this.cancelled === undefined) this.#controller?.close()
  }
}

/** Bytes that differ from place to place. */
export function bytesOf(length: number, seed = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index += 1) bytes[index] = (index * 31 + (index >> 8) * 7 + seed) & 0xff
  return bytes
}
