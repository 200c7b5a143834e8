import { BodyError } from '../errors/body-error.ts'
import type { Exchange } from '../exchange.ts'
import type { Body, Bytes, Sink } from '../types/body.ts'

/** Most bytes that are collected where no `maxResponseBytes` is said: a little less than what fits into a string. */
const maxCollectedBytes = 524_288_000

/** Collects the parts of a body. */
class Collector implements Sink {
  readonly #parts: Bytes[] = []
  readonly #body: Body
  readonly #exchange: Exchange | undefined
  readonly #resolve: (parts: readonly Bytes[]) => void
  readonly #reject: (error: unknown) => void
  #bytes = 0

  constructor(
    body: Body,
    exchange: Exchange | undefined,
    resolve: (parts: readonly Bytes[]) => void,
    reject: (error: unknown) => void,
  ) {
    this.#body = body
    this.#exchange = exchange
    this.#resolve = resolve
    this.#reject = reject
  }

  write(part: Bytes): boolean {
    this.#parts.push(part)
    this.#bytes += part.byteLength
    if (this.#bytes > maxCollectedBytes) this.#refuse()
    return true
  }

  end(): void {
    this.#resolve(this.#parts)
  }

  fail(error: unknown): void {
    this.#parts.length = 0
    this.#reject(error)
  }

  #refuse(): void {
    const exchange = this.#exchange
    if (exchange === undefined || exchange.options.maxResponseBytes !== undefined) return
    const summary = `the content is larger than ${maxCollectedBytes} bytes, and maxResponseBytes does not say that it may be`
    this.#body.cancel(new BodyError('too large', summary, exchange.facts()))
  }
}

/** Everything of a body, at once where it is there already; else straight from the wire, or its failure. */
export function collect(body: Body, exchange?: Exchange): readonly Bytes[] | Promise<readonly Bytes[]> {
  return body.takeAll() ?? new Promise((resolve, reject) => body.attach(new Collector(body, exchange, resolve, reject)))
}

/** The parts as one, in memory of its own. */
export function joined(parts: readonly Uint8Array[]): Bytes {
  let size = 0
  for (const part of parts) size += part.byteLength
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.byteLength
  }
  return bytes
}

/** UTF-8 decode (Encoding standard §6.1): a byte order mark is dropped, what is no UTF-8 becomes U+FFFD. */
export function decodeUtf8(parts: readonly Uint8Array[]): string {
  const [first, second] = parts
  if (first === undefined) return ''
  const bytes = second === undefined ? asBuffer(first) : Buffer.concat(parts)
  const text = bytes.toString('utf8')
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
