import { isBodiless } from '../status/table.ts'
import type { Body, Bytes, Watcher } from '../types/body.ts'
import type { Received } from '../types/exchange.ts'
import { WireBody } from './body.ts'
import { SteadResponse } from './response.ts'
import { bodyOf } from './stream.ts'

/** Fields as undici parses them: a repeated one has a list. */
export type WireFields = Record<string, string | string[] | undefined>

/** The value of a field; null when it is absent. */
export function wireField(fields: WireFields, name: string): string | null {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  return Array.isArray(value) ? value.join(', ') : (value ?? null)
}

/** The same of a flat list: name, value, name, value. */
export function wireFields(raw: readonly string[]): WireFields {
  const fields = Object.create(null) as Record<string, string | string[]>
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase()
    const value = raw[index + 1] as string
    const before = fields[name]
    fields[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]
  }
  return fields
}

/** The declarations of the platform call the methods of Headers fields. */
const PlatformHeaders = Headers as unknown as new (init: Headers | [string, string][]) => object

function refuse(): never {
  throw new TypeError('the headers of a response are immutable')
}

/** The headers of a response cannot be changed, Fetch standard §5.1 ("immutable"). */
class FrozenHeaders extends PlatformHeaders {
  append(): never {
    return refuse()
  }

  set(): never {
    return refuse()
  }

  delete(): never {
    return refuse()
  }
}

/** A response as it came from a connection or from a foreign transport. */
export class ReceivedResponse implements Received {
  readonly status: number
  readonly statusText: string
  readonly url: string
  readonly #fields: WireFields | Headers
  readonly #wire: Body | null
  #headers: Headers | undefined
  #response: SteadResponse | undefined
  #watcher: Watcher | undefined
  redirected = false
  crossedOrigins = false

  constructor(status: number, statusText: string, url: string, fields: WireFields | Headers, wire: Body | null) {
    this.status = status
    this.statusText = statusText
    this.url = url
    this.#fields = fields
    this.#wire = wire
  }

  get headers(): Headers {
    this.#headers ??= this.frozenHeaders()
    return this.#headers
  }

  get response(): Response {
    this.#response ??= new SteadResponse(this, this.#wire)
    return this.#response as unknown as Response
  }

  get bodiless(): boolean {
    return this.#wire === null
  }

  get watcher(): Watcher | undefined {
    return this.#watcher
  }

  /** What is left to be read: of the body itself, or of the Response that somebody took a clone of. */
  get body(): Body | null {
    if (this.#response === undefined) return this.#wire
    const rest = this.#response.unread()
    return rest instanceof ReadableStream ? bodyOf(rest) : rest
  }

  gave(stream: ReadableStream): boolean {
    return this.#response?.gave(stream) === true
  }

  field(name: string): string | null {
    if (this.#fields instanceof Headers) return this.#fields.get(name)
    return wireField(this.#fields, name)
  }

  release(reason: unknown): void {
    this.#wire?.cancel(reason)
  }

  /** Is told how the body is getting on; at once when there is none. */
  watch(watcher: Watcher): void {
    this.#watcher = watcher
    if (this.#wire === null) watcher.ended()
    else this.#wire.watch(watcher)
  }

  /** The same with another body; the fields stay as they came, for a Headers of joined values would trim them. */
  withBody(body: Body | null): ReceivedResponse {
    const Kind = this instanceof ExcerptedResponse ? ExcerptedResponse : ReceivedResponse
    return new Kind(this.status, this.statusText, this.url, this.#fields, body)
  }

  /** Headers of one Response; its clones have others. */
  frozenHeaders(): Headers {
    if (this.#fields instanceof Headers) return new FrozenHeaders(this.#fields) as unknown as Headers
    const pairs: [string, string][] = []
    for (const name of Object.keys(this.#fields)) {
      const value = this.#fields[name]
      if (Array.isArray(value)) for (const item of value) pairs.push([name, item])
      else if (value !== undefined) pairs.push([name, value])
    }
    return new FrozenHeaders(pairs) as unknown as Headers
  }
}

/** The response of a foreign transport, to a request of this method and target; `told` says what a failure of its body is told as. */
export function receivedFrom(
  response: Response,
  method: string,
  url: string,
  told?: (error: unknown) => unknown,
): ReceivedResponse {
  const { status, statusText, headers, body } = response
  if (isBodiless(method, status)) body?.cancel().catch(() => {})
  const wire = isBodiless(method, status) || body === null ? null : bodyOf(body as ReadableStream<Uint8Array<ArrayBuffer>>, told)
  return new ReceivedResponse(status, statusText, url, headers, wire)
}

/** A response of whose content only the start may be left. */
export class ExcerptedResponse extends ReceivedResponse {}

/** A response whose content was read, so that it can still be returned after its connection is gone. */
export function revived({ status, statusText, url, headers, bodiless }: Received, excerpt: Bytes): ReceivedResponse {
  return new ExcerptedResponse(status, statusText, url, headers, bodiless ? null : receivedBytes(excerpt))
}

/** The same response with another body in the place of its own, such as its own with something looking on. */
export function withBody(received: Received, body: Body | null): ReceivedResponse {
  if (received instanceof ReceivedResponse) return received.withBody(body)
  const { status, statusText, url, headers } = received
  return new ReceivedResponse(status, statusText, url, headers, body)
}

const noSource = { pause() {}, resume() {}, abort() {} }

/** A body that is there already. */
export function receivedBytes(...parts: readonly Bytes[]): Body {
  const body = new WireBody(noSource)
  for (const part of parts) if (part.byteLength > 0) body.write(part)
  body.end()
  return body
}
