import { isBodiless, isConstructible, isOk } from '../status/table.ts'
import { type Watch, watchedStream } from './watched-stream.ts'

type ByteStream = ReadableStream<Uint8Array<ArrayBuffer>>

/** The platform's Response with the accessors and the method it really has; its declarations call them fields. */
interface PlatformResponse {
  get status(): number
  get ok(): boolean
  get url(): string
  get redirected(): boolean
  get headers(): Headers
  get body(): ByteStream | null
  clone(): PlatformResponse
}
const PlatformResponse = Response as unknown as new (body: ByteStream | null, init: ResponseInit) => PlatformResponse

/** What a response is made of, beside its body. */
export interface ResponseHead {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
  readonly url: string
  readonly redirected: boolean
}

/**
 * A platform Response that knows its url, may have any status from 100 to 999, keeps both when cloned, and tells
 * whether its body is taken as a stream.
 */
class SteadResponse extends PlatformResponse {
  readonly #head: ResponseHead
  readonly #onStream: (() => void) | undefined

  constructor(body: ByteStream | null, head: ResponseHead, onStream?: () => void) {
    const { status, statusText, headers } = head
    super(body, isConstructible(status) ? { status, statusText, headers } : { statusText, headers })
    this.#head = head
    this.#onStream = onStream
  }

  override get status(): number {
    // The platform's constructor asks before there is a head.
    return #head in this ? this.#head.status : super.status
  }

  override get ok(): boolean {
    return isOk(this.#head.status)
  }

  override get url(): string {
    return this.#head.url
  }

  override get redirected(): boolean {
    return this.#head.redirected
  }

  override get body(): ByteStream | null {
    this.#onStream?.()
    return super.body
  }

  override clone(): SteadResponse {
    const copy = super.clone()
    return new SteadResponse(copy.body, { ...this.#head, headers: copy.headers }, this.#onStream)
  }
}

/** A Response of any status that knows its url. */
export function steadResponse(body: ByteStream | null, head: ResponseHead, onStream?: () => void): Response {
  return new SteadResponse(body, head, onStream) as unknown as Response
}

/** The same response, its url without a fragment (Fetch standard §5.5), its body under watch. */
export function delivered(response: Response, method: string, url: URL, redirected: boolean, watch: Watch): Response {
  const { status, statusText, headers } = response
  const bodiless = isBodiless(method, status) || response.body === null
  const body = bodiless ? null : watchedStream(response.body as ByteStream, watch)
  if (bodiless) watch.onEnd()
  const href = url.hash === '' ? url.href : url.href.slice(0, -url.hash.length)
  return steadResponse(body, { status, statusText, headers, url: href, redirected }, watch.onStream)
}

/** A response whose content was read, so that it can still be returned after its connection is gone. */
export function revived(response: Response, excerpt: Uint8Array<ArrayBuffer>): Response {
  const { status, statusText, headers, url, redirected } = response
  const body = isBodiless('GET', status) ? null : (new Blob([excerpt]).stream() as ByteStream)
  return steadResponse(body, { status, statusText, headers, url, redirected })
}
