import { inspect } from 'node:util'
import type { Exchange } from '../exchange.ts'
import { isOk } from '../status/table.ts'
import type { Body, Bytes } from '../types/body.ts'
import type { ByteStream } from '../types/exchange.ts'
import { collect, decodeUtf8, joined } from './collect.ts'
import { readJson } from './json.ts'
import type { ReceivedResponse } from './received.ts'
import { shownResponse } from './shown-response.ts'
import { streamOf } from './stream.ts'

const bodyUsed = 'Body is unusable: Body has already been read'

/**
 * The Response of the caller (Fetch standard §5.5). Headers and streams are made when they are asked for; a body read
 * whole is collected straight from the wire. Once it is taken as a stream, cloned, or read as a form, a platform
 * Response made around the same stream, its twin, stands for its body.
 */
export class SteadResponse {
  readonly #received: ReceivedResponse
  readonly #wire: Body | null
  #headers: Headers | undefined
  #twin: Response | undefined
  #spent: ByteStream | undefined
  #used = false

  constructor(received: ReceivedResponse, wire: Body | null, twin?: Response) {
    this.#received = received
    this.#wire = wire
    this.#twin = twin
  }

  /** A body as a stream of text, which Node.js 26 has. */
  static textStream(response: SteadResponse): ReadableStream<string> {
    if (response.#used) throw new TypeError(bodyUsed)
    response.#received.watcher?.streaming()
    const twin = response.#wire === null ? new Response(null) : response.#platform(response.#wire)
    return (twin as Response & { textStream(): ReadableStream<string> }).textStream()
  }

  static receivedOf(value: object): ReceivedResponse | undefined {
    return #received in value ? value.#received : undefined
  }

  get type(): 'basic' | 'cors' {
    return this.#received.crossedOrigins ? 'cors' : 'basic'
  }

  get url(): string {
    return this.#received.url
  }

  get redirected(): boolean {
    return this.#received.redirected
  }

  get status(): number {
    return this.#received.status
  }

  get ok(): boolean {
    return isOk(this.#received.status)
  }

  get statusText(): string {
    return this.#received.statusText
  }

  get headers(): Headers {
    this.#headers ??= this.#received.frozenHeaders()
    return this.#headers
  }

  get body(): ByteStream | null {
    if (this.#wire === null) return null
    this.#received.watcher?.streaming()
    if (this.#used) return this.#spentStream()
    return this.#platform(this.#wire).body as ByteStream
  }

  get bodyUsed(): boolean {
    return this.#used || this.#twin?.bodyUsed === true
  }

  async text(): Promise<string> {
    const parts = this.#consume()
    return decodeUtf8(parts instanceof Promise ? await parts : parts)
  }

  async json(): Promise<unknown> {
    const parts = this.#consume()
    return readJson(decodeUtf8(parts instanceof Promise ? await parts : parts), this.#received)
  }

  async bytes(): Promise<Bytes> {
    return joined(await this.#consume())
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return joined(await this.#consume()).buffer
  }

  async blob(): Promise<Blob> {
    return this.#typed(await this.#consume()).blob()
  }

  async formData(): Promise<FormData> {
    return this.#typed(await this.#consume()).formData()
  }

  clone(): Response {
    if (this.#used) throw new TypeError('Response.clone: Body has already been consumed.')
    const twin = this.#wire === null ? undefined : this.#platform(this.#wire).clone()
    return new SteadResponse(this.#received, this.#wire, twin) as unknown as Response
  }

  /** What nobody has read yet; null where there is nothing to read. */
  unread(): Body | ByteStream | null {
    if (this.#twin === undefined) return this.#used ? null : this.#wire
    const { body, bodyUsed } = this.#twin
    return bodyUsed || body === null || body.locked ? null : (body as ByteStream)
  }

  /** Whether this very stream is its body, taken by somebody. */
  gave(stream: ReadableStream): boolean {
    return this.#twin?.body === stream
  }

  /** The twin, made once. */
  #platform(wire: Body): Response {
    this.#twin ??= this.#typed(streamOf(wire))
    return this.#twin
  }

  /** A platform Response of this content, for what only the platform can make of it. */
  #typed(content: ByteStream | readonly Bytes[]): Response {
    const type = this.#received.field('content-type')
    const body = content instanceof ReadableStream ? content : joined(content)
    return new Response(body, { headers: type === null ? {} : { 'content-type': type } })
  }

  /** The content whole, without a promise where it is there already. */
  #consume(): readonly Bytes[] | Promise<readonly Bytes[]> {
    if (this.#twin !== undefined) return bytesOf(this.#twin)
    if (this.#wire === null) return []
    if (this.#used) throw new TypeError(bodyUsed)
    this.#used = true
    return collect(this.#wire, this.#received.watcher as Exchange | undefined)
  }

  /** The stream of a body that was read whole: locked and at its end, as the Fetch standard leaves it. */
  #spentStream(): ByteStream {
    if (this.#spent === undefined) {
      this.#spent = new ReadableStream({ type: 'bytes', start: (controller) => controller.close() }) as ByteStream
      void this.#spent.getReader().read()
    }
    return this.#spent
  }
}

async function bytesOf(twin: Response): Promise<readonly Bytes[]> {
  return [(await twin.bytes()) as Bytes]
}

/** What a Response of ours is made of; undefined for anything else. */
export function receivedOf(value: object): ReceivedResponse | undefined {
  return SteadResponse.receivedOf(value)
}

if ('textStream' in Response.prototype) {
  Object.defineProperty(SteadResponse.prototype, 'textStream', {
    value(this: SteadResponse) {
      return SteadResponse.textStream(this)
    },
    configurable: true,
    writable: true,
  })
}

// A Response to instanceof and to everything that looks at prototypes, without the cost of constructing one.
Object.setPrototypeOf(SteadResponse.prototype, Response.prototype)
Object.defineProperty(SteadResponse.prototype, inspect.custom, {
  value(this: SteadResponse, _depth: number, options: object) {
    return shownResponse(this, SteadResponse.receivedOf(this)?.watcher, options)
  },
  configurable: true,
  writable: true,
})
Object.defineProperty(SteadResponse.prototype, 'constructor', { value: Response, configurable: true, writable: true })
