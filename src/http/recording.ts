import { Readable, type Writable } from 'node:stream'
import type { Body, Bytes } from '../types/body.ts'
import type { StoredContent } from '../types/cache.ts'
import { receivedBytes } from './received.ts'
import { bodyOf } from './stream.ts'
import type { Tap } from './tap.ts'

/** How much may wait for a slow store; a response that is read faster than it is stored is not stored. */
const maxWaitingBytes = 1_048_576

/** Writes a body to a store while somebody reads it. What becomes of that is nothing to the reader. */
export class Recording implements Tap {
  #out: Writable | undefined
  readonly #isWanted: () => boolean

  /** `isWanted` is asked at the end, before the response is stored. */
  constructor(out: Writable, isWanted: () => boolean) {
    this.#out = out
    this.#isWanted = isWanted
    out.on('error', () => {
      this.#out = undefined
    })
  }

  /** Whether nothing is stored any more. */
  get over(): boolean {
    return this.#out === undefined
  }

  /** Stores a copy: a part is often a small piece of a large buffer, which it would keep. */
  part(part: Bytes): void {
    const out = this.#out
    if (out === undefined) return
    if (out.destroyed || out.writableLength > maxWaitingBytes) this.fail()
    else this.#quietly(() => out.write(new Uint8Array(part)))
  }

  end(): void {
    if (this.#isWanted()) this.#quietly(() => this.#out?.end())
    else this.fail()
    this.#out = undefined
  }

  /** A store is not asked to begin anew. */
  anew(): void {
    this.fail()
  }

  fail(): void {
    const out = this.#out
    this.#out = undefined
    this.#quietly(() => out?.destroy())
  }

  #quietly(run: () => void): void {
    try {
      run()
    } catch {
      this.#out = undefined
    }
  }
}

/** The content of a stored response as a body. */
export function storedBody(content: StoredContent | undefined): Body {
  if (content === undefined || content === null) return receivedBytes()
  if (typeof content === 'string' || content instanceof Uint8Array) return receivedBytes(bytesOf(content))
  if (Symbol.iterator in content) return receivedBytes(...[...content].map(bytesOf))
  return bodyOf(streamed(content))
}

/** A Readable is destroyed when it is not read on: its iterator would wait for the next part first. */
function streamed(content: AsyncIterable<Uint8Array | string>): ReadableStream<Bytes> {
  const parts = content[Symbol.asyncIterator]()
  return new ReadableStream<Bytes>(
    {
      async pull(controller) {
        const { done, value } = await parts.next()
        if (done === true) controller.close()
        else controller.enqueue(bytesOf(value))
      },
      async cancel() {
        if (content instanceof Readable) content.destroy()
        else await parts.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

function bytesOf(part: Uint8Array | string): Bytes {
  return (typeof part === 'string' ? Buffer.from(part) : part) as Bytes
}

/** Reads a body that nobody else reads, for as long as it is recorded. */
export function drained(body: Body, recording: Recording | undefined): Promise<void> {
  return new Promise((resolve) => {
    body.attach({
      write() {
        if (recording === undefined || recording.over) body.cancel(undefined)
        return true
      },
      end: resolve,
      fail: () => resolve(),
    })
  })
}
