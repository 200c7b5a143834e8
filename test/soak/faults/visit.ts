// One request as a raw server answers it.
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { Chance } from './chance.ts'
import type { RawRequest } from './request.ts'

/** Bytes, or text of one byte a character. */
type Bytes = string | Uint8Array

/** A request and the connection it came on. */
export class Visit {
  readonly request: RawRequest
  readonly chance: Chance
  /** Where the servers listen: by name. */
  readonly origins: Readonly<Record<string, string>>
  readonly #socket: Duplex
  readonly #next: () => void

  constructor(request: RawRequest, socket: Duplex, next: () => void, chance: Chance, origins: Readonly<Record<string, string>>) {
    this.request = request
    this.chance = chance
    this.origins = origins
    this.#socket = socket
    this.#next = next
  }

  /** The last part of the path. */
  get key(): string {
    return this.request.path.split('/').at(-1) as string
  }

  /** The part of the path before it. */
  get route(): string {
    return this.request.path.split('/')[1] as string
  }

  get gone(): boolean {
    return this.#socket.destroyed || !this.#socket.writable
  }

  write(bytes: Bytes): void {
    if (!this.gone) this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** A response of these fields and this content, after which the connection goes on. */
  answer(status: string, fields: Readonly<Record<string, string | number>> = {}, content: Bytes = ''): void {
    const body = typeof content === 'string' ? Buffer.from(content) : content
    this.write(headOf(status, { 'content-length': body.length, ...fields }))
    if (this.request.method !== 'HEAD') this.write(body)
    this.next()
  }

  /** Only the head of a response. */
  head(status: string, fields: Readonly<Record<string, string | number>> = {}): void {
    this.write(headOf(status, fields))
  }

  /** The connection takes the next request. */
  next(): void {
    this.#next()
  }

  close(): void {
    this.#socket.end()
  }

  /** TLS has no reset of its own. */
  reset(): void {
    if (this.#socket instanceof TLSSocket || !(this.#socket instanceof Socket)) this.#socket.destroy()
    else this.#socket.resetAndDestroy()
  }

  /** Does something later, unless the connection is gone by then. */
  later(ms: number, run: () => void): void {
    setTimeout(() => {
      if (!this.gone) run()
    }, ms)
  }

  /** Writes bytes in small parts, then goes on. */
  drip(bytes: Uint8Array, parts: number, everyMs: number, then: () => void): void {
    const size = Math.max(1, Math.ceil(bytes.length / parts))
    const step = (at: number): void => {
      this.write(bytes.subarray(at, at + size))
      if (at + size < bytes.length) this.later(everyMs, () => step(at + size))
      else then()
    }
    step(0)
  }

  /** Writes the same bytes for ever, as fast as they are taken, or now and then. */
  flood(bytes: Uint8Array, everyMs = 0): void {
    const more = (): void => {
      if (this.gone) return
      if (everyMs > 0) {
        this.write(bytes)
        this.later(everyMs, more)
      } else if (this.#socket.write(bytes)) setImmediate(more)
      else this.#socket.once('drain', more)
    }
    more()
  }
}

/** The head of a response. */
export function headOf(status: string, fields: Readonly<Record<string, string | number>>): string {
  return `HTTP/1.1 ${status}\r\n${Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`
}

/** The chunks of content: so many parts, with an extension of each chunk. */
export function chunked(content: Uint8Array, parts = 3, extension = ''): Uint8Array[] {
  const size = Math.max(1, Math.ceil(content.length / parts))
  const chunks: Uint8Array[] = []
  for (let at = 0; at < content.length; at += size) {
    const part = content.subarray(at, at + size)
    chunks.push(Buffer.concat([Buffer.from(`${part.length.toString(16)}${extension}\r\n`), part, Buffer.from('\r\n')]))
  }
  return chunks
}
