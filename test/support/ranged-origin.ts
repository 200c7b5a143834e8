import type { DispatcherLike } from '../../src/index.ts'

/** What a server does with one request. */
export interface Turn {
  /** What is odd about its answer. */
  readonly way:
    | 'proper'
    | 'ignores ranges'
    | 'has changed'
    | 'says another start'
    | 'says another length'
    | 'says another tag'
    | 'says a weak tag'
    | 'says no tag'
    | 'codes the part'
    | 'sends several parts'
    | 'cannot satisfy'
    | 'is busy'
    | 'is gone'
    | 'ends early'
    | 'sends too much'
    | 'sends less than asked'
  /** Bytes of content after which the connection is cut; none where it is not. */
  readonly cutAfter: number | undefined
  readonly chunk: number
  /** Whether a whole response tells its length. */
  readonly tellsLength: boolean
}

interface Handler {
  onRequestStart(controller: object, context: object): void
  onResponseStart(controller: object, status: number, fields: Record<string, string>, text: string): void
  onResponseData(controller: object, part: Buffer): void
  onResponseEnd(controller: object, trailers: object): void
  onResponseError(controller: object, error: Error): void
}

interface Asked {
  readonly headers: readonly string[]
}

interface Answer {
  readonly status: number
  readonly fields: Record<string, string>
  readonly content: Uint8Array
}

/** An origin without sockets that has one representation, and does with each request what the script says; then it is proper. */
export class RangedOrigin implements DispatcherLike {
  readonly content: Uint8Array
  readonly requests: { readonly range: string | undefined; readonly ifRange: string | undefined }[] = []
  readonly #turns: readonly Turn[]

  constructor(content: Uint8Array, turns: readonly Turn[]) {
    this.content = content
    this.#turns = turns
  }

  dispatch(options: never, handler: never): boolean {
    this.#serve((options as Asked).headers, handler as Handler)
    return true
  }

  #serve(headers: readonly string[], handler: Handler): void {
    const field = (name: string): string | undefined => {
      const index = headers.indexOf(name)
      return index === -1 ? undefined : headers[index + 1]
    }
    const range = field('range')
    const turn = this.#turns[this.requests.length] ?? { way: 'proper', cutAfter: undefined, chunk: 7, tellsLength: true }
    this.requests.push({ range, ifRange: field('if-range') })
    let aborted = false
    const controller = { abort: () => (aborted = true), pause() {}, resume() {} }
    handler.onRequestStart(controller, {})
    const lost = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' })
    if (turn.way === 'is gone') {
      handler.onResponseError(controller, lost)
      return
    }
    const { status, fields, content } = this.#answer(turn, range)
    handler.onResponseStart(controller, status, fields, '')
    const end = Math.min(turn.cutAfter ?? Infinity, content.byteLength)
    for (let at = 0; at < end && !aborted; at += turn.chunk)
      handler.onResponseData(controller, Buffer.from(content.subarray(at, Math.min(at + turn.chunk, end))))
    if (aborted) handler.onResponseError(controller, lost)
    else if (turn.cutAfter !== undefined && turn.cutAfter < content.byteLength) handler.onResponseError(controller, lost)
    else handler.onResponseEnd(controller, {})
  }

  #answer({ way, tellsLength }: Turn, range: string | undefined): Answer {
    const etag = '"a"'
    const { content } = this
    const complete = content.byteLength
    if (way === 'is busy') return { status: 503, fields: {}, content: new Uint8Array(3) }
    if (way === 'has changed') return { status: 200, fields: { etag: '"b"' }, content: content.map((byte) => byte ^ 0xff) }
    const position = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? Number.NaN)
    if (Number.isNaN(position) || way === 'ignores ranges') {
      const isShort = way === 'ends early' && tellsLength
      const length = tellsLength ? { 'content-length': String(complete) } : {}
      return { status: 200, fields: { etag, ...length }, content: isShort ? content.subarray(0, complete >> 1) : content }
    }
    if (way === 'cannot satisfy')
      return { status: 416, fields: { 'content-range': `bytes */${complete}` }, content: new Uint8Array(0) }
    const rest = content.subarray(position)
    const last = way === 'sends less than asked' ? position + (rest.byteLength >> 1) : complete - 1
    const fields: Record<string, string> = {
      etag: way === 'says another tag' ? '"b"' : way === 'says a weak tag' ? 'W/"a"' : etag,
      'content-range': `bytes ${way === 'says another start' ? position + 1 : position}-${last}/${way === 'says another length' ? complete + 1 : complete}`,
    }
    if (way === 'says no tag') delete fields.etag
    if (way === 'codes the part') fields['content-encoding'] = 'x-unknown'
    if (way === 'sends several parts') {
      fields['content-type'] = 'multipart/byteranges; boundary=x'
      delete fields['content-range']
    }
    const sent = content.subarray(position, last + 1)
    if (way === 'ends early') return { status: 206, fields, content: sent.subarray(0, sent.byteLength >> 1) }
    if (way === 'sends too much') return { status: 206, fields, content: Buffer.concat([sent, Buffer.from('more')]) }
    return { status: 206, fields, content: sent }
  }
}
