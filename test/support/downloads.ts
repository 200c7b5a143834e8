import type { Clock } from '../../src/clock.ts'

/** One version of a representation. */
export interface Version {
  readonly content: Uint8Array<ArrayBuffer>
  readonly etag: string
}

/** What a server does with a request; all but the first are mistakes, changes or refusals. */
export const manners = [
  'right',
  'whole',
  'whole of another version',
  'whole with a weak tag',
  'whole without a tag',
  'whole, coded',
  'whole of another length',
  'part of another version',
  'part with a weak tag',
  'part without a tag',
  'part, coded',
  'part, multipart',
  'part that begins earlier',
  'part that begins later',
  'part of another length',
  'part of an unknown length',
  'part in another unit',
  'part without Content-Range',
  'part, shorter than asked for',
  'part with too much content',
  'part with too little content',
  'part with a wrong Content-Length',
  'part with nothing in it',
  'not satisfiable',
  'not found',
  'unavailable',
  'redirect',
  'no content',
] as const

/** One of {@link manners}. */
export type Manner = (typeof manners)[number]

/** An answer, to be sent by whatever means. */
export interface Answer {
  readonly status: number
  readonly fields: Record<string, string>
  readonly content: Uint8Array<ArrayBuffer>
  /** How many bytes the client is told to expect; undefined when it is told nothing. */
  readonly length: number | undefined
}

/** The answer of a server with these manners to a request for `fromBytes` on, or for everything. */
export function answerOf(manner: Manner, version: Version, other: Version, fromBytes: number | undefined, told: boolean): Answer {
  if (fromBytes === undefined) return whole(version, told)
  const size = version.content.length
  const rest = version.content.subarray(fromBytes)
  const range = `bytes ${fromBytes}-${size - 1}/${size}`
  const part = (fields: Record<string, string>, content = rest): Answer =>
    answer(206, { etag: version.etag, 'content-range': range, ...fields }, content, told)
  const rangeOf = (from: number, until: number, complete: number | string = size): string =>
    `bytes ${from}-${until - 1}/${complete}`
  switch (manner) {
    case 'right':
      return fromBytes < size
        ? part({})
        : answer(416, { etag: version.etag, 'content-range': `bytes */${size}` }, bytes(''), true)
    case 'whole':
      return whole(version, told)
    case 'whole of another version':
      return whole(other, told)
    case 'whole with a weak tag':
      return answer(200, { etag: `W/${version.etag}` }, version.content, told)
    case 'whole without a tag':
      return answer(200, {}, version.content, told)
    case 'whole, coded':
      return answer(200, { etag: version.etag, 'content-encoding': 'x-unknown' }, other.content, told)
    case 'whole of another length':
      return answer(200, { etag: version.etag }, joined(version.content, bytes('more')), true)
    case 'part of another version':
      return part({ etag: other.etag }, other.content.subarray(fromBytes))
    case 'part with a weak tag':
      return part({ etag: `W/${version.etag}` })
    case 'part without a tag':
      return part({ etag: '' })
    case 'part, coded':
      return part({ 'content-encoding': 'x-unknown' }, other.content.subarray(fromBytes))
    case 'part, multipart':
      return part({ 'content-type': 'multipart/byteranges; boundary=b' }, bytes('--b\r\n\r\nx\r\n--b--\r\n'))
    case 'part that begins earlier':
      return part(
        { 'content-range': rangeOf(Math.max(0, fromBytes - 3), size) },
        version.content.subarray(Math.max(0, fromBytes - 3)),
      )
    case 'part that begins later':
      return part({ 'content-range': rangeOf(fromBytes + 1, size) }, version.content.subarray(fromBytes + 1))
    case 'part of another length':
      return part({ 'content-range': rangeOf(fromBytes, size, size + 1) })
    case 'part of an unknown length':
      return part({ 'content-range': rangeOf(fromBytes, size, '*') })
    case 'part in another unit':
      return part({ 'content-range': range.replace('bytes', 'lines') })
    case 'part without Content-Range':
      return part({ 'content-range': '' })
    case 'part, shorter than asked for': {
      const until = Math.min(size, fromBytes + 5)
      return part({ 'content-range': rangeOf(fromBytes, until) }, version.content.subarray(fromBytes, until))
    }
    case 'part with too much content':
      return part({}, joined(rest, bytes('more')))
    case 'part with too little content':
      return part({}, rest.subarray(0, Math.max(0, rest.length - 2)))
    case 'part with a wrong Content-Length':
      return { ...part({}), length: rest.length + 1 }
    case 'part with nothing in it':
      return part({}, bytes(''))
    case 'not satisfiable':
      return answer(416, { 'content-range': `bytes */${size}` }, bytes('not satisfiable'), true)
    case 'not found':
      return answer(404, {}, bytes('not found'), true)
    case 'unavailable':
      return answer(503, { 'retry-after': '1' }, bytes('not now'), true)
    case 'redirect':
      return answer(302, { location: '/elsewhere' }, bytes(''), true)
    case 'no content':
      return answer(204, { etag: version.etag }, bytes(''), false)
  }
}

function whole({ content, etag }: Version, told: boolean): Answer {
  return answer(200, { etag, 'accept-ranges': 'bytes' }, content, told)
}

function answer(status: number, fields: Record<string, string>, content: Uint8Array<ArrayBuffer>, told: boolean): Answer {
  const kept = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
  return { status, fields: kept, content, length: told ? content.length : undefined }
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part]))
}

/** The first byte that a request asks for; undefined when it asks for all. */
export function rangeStart(field: string | null | undefined): number | undefined {
  const start = /^bytes=(\d+)-$/.exec(field ?? '')?.[1]
  return start === undefined ? undefined : Number(start)
}

/** A clock on which every wait is over at once, and which tells how much was waited. */
export class HastyClock implements Clock {
  #nowMs = 0
  /** Waits that are neither over nor called off. */
  armed = 0

  now = (): number => this.#nowMs
  wallTime = (): number => Date.UTC(2026, 0, 1) + this.#nowMs

  after = (ms: number, run: () => void): (() => void) => {
    let live = true
    const stop = (): boolean => {
      if (!live) return false
      live = false
      this.armed -= 1
      return true
    }
    this.armed += 1
    setImmediate(() => {
      if (!stop()) return
      this.#nowMs += ms
      run()
    })
    return () => void stop()
  }
}
