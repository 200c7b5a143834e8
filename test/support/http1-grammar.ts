import fc from 'fast-check'

/** A response as a server might write it. */
export interface Written {
  readonly bytes: Buffer
  /** Whether only the end of the connection ends it, or it says that no other will follow. */
  readonly last: boolean
}

const tchar = [..."!#$%&'*+-.^_`|~09azAZ"]
const name = fc.string({ unit: fc.constantFrom(...tchar), minLength: 1, maxLength: 8 }).map((text) => `x-${text}`)
const value = fc.string({ unit: fc.constantFrom(...'aZ09 \t"\\,;=<>()[]{}@:/\x80\xff\xe9'), maxLength: 12 })
const space = fc.constantFrom('', ' ', '  ', '\t', ' \t ')
const field = fc.tuple(name, space, value, space).map(([key, before, text, after]) => `${key}:${before}${text}${after}\r\n`)
const fields = fc.array(field, { maxLength: 4 }).map((lines) => lines.join(''))
const phrase = fc.oneof(
  fc.constantFrom('', ' ', ' OK', ' Not Found'),
  fc.string({ unit: fc.constantFrom(...'aZ0 \t\x80\xff'), maxLength: 8 }).map((text) => ` ${text}`),
)
const anyBytes = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
const text = fc.constantFrom('', 'a', 'HTTP/1.1 200 OK\r\n\r\n', '0\r\n\r\n', '\r\n', '\n').map((part) => Buffer.from(part))
const large = fc.integer({ min: 1, max: 100_000 }).map((size) => Buffer.alloc(size, 'large '))

/** What is sent as content: mostly small, some of it like the syntax around it. */
const content = fc.oneof({ weight: 6, arbitrary: anyBytes }, { weight: 3, arbitrary: text }, { weight: 1, arbitrary: large })

const interim = fc
  .tuple(fc.constantFrom('100 Continue', '100', '102 Processing', '103 Early Hints', '199 '), fields)
  .map(([status, lines]) => `HTTP/1.1 ${status}\r\n${lines}\r\n`)

const extension = fc.constantFrom('', '', ';a', ';a=b', ';a="b c"')
const trailers = fc.oneof(fc.constant(''), fields)

const chunked = fc
  .tuple(fc.array(fc.tuple(content, extension, fc.boolean()), { maxLength: 4 }), trailers, extension)
  .map(([chunks, lines, lastExtension]) => {
    const parts = chunks
      .filter(([data]) => data.length > 0)
      .flatMap(([data, ext, upper]) => {
        const size = data.length.toString(16)
        return [Buffer.from(`${upper ? size.toUpperCase() : size.padStart(4, '0')}${ext}\r\n`), data, Buffer.from('\r\n')]
      })
    return Buffer.concat([...parts, Buffer.from(`0${lastExtension}\r\n${lines}\r\n`, 'latin1')])
  })

type Framing = { readonly head: string; readonly body: Buffer; readonly close: boolean }

const framing: fc.Arbitrary<Framing> = fc.oneof(
  content.map((body) => ({ head: `content-length: ${body.length}\r\n`, body, close: false })),
  // undici 8.12 counts white space after the number as a digit, and refuses the response.
  content.map((body) => ({ head: `Content-Length:\t ${body.length}\r\n`, body, close: false })),
  fc.tuple(chunked, fc.constantFrom('transfer-encoding: chunked\r\n', 'Transfer-Encoding:Chunked\r\n')).map(([body, head]) => ({
    head,
    body,
    close: false,
  })),
  content.map((body) => ({ head: '', body, close: true })),
)

const finalStatus = fc.oneof(
  { weight: 3, arbitrary: fc.constant(200) },
  { weight: 1, arbitrary: fc.constantFrom(204, 304) },
  { weight: 3, arbitrary: fc.integer({ min: 200, max: 999 }).filter((status) => status !== 205 && status !== 407) },
)

/** A whole response to a request, as RFC 9112 has it; told whose it is by a field, so that none can be taken for another. */
export function wellFormed(tag: string, method: string): fc.Arbitrary<Written> {
  const connection = fc.constantFrom('', '', 'connection: keep-alive\r\n', 'connection: close\r\n')
  return fc
    .tuple(fc.array(interim, { maxLength: 3 }), finalStatus, phrase, fields, framing, connection, fc.boolean(), fc.boolean())
    .map(([before, status, reason, lines, { head, body, close }, option, tagFirst, old]) => {
      const bodiless = method === 'HEAD' || status === 204 || status === 304
      // HTTP/1.0 has no chunks.
      const version = old && !head.toLowerCase().includes('chunked') ? '1.0' : '1.1'
      const tagged = tagFirst ? `x-tag: ${tag}\r\n${lines}` : `${lines}x-tag: ${tag}\r\n`
      const section = `${before.join('')}HTTP/${version} ${status}${reason}\r\n${tagged}${option}${head}\r\n`
      const bytes = Buffer.concat([Buffer.from(section, 'latin1'), bodiless ? Buffer.alloc(0) : body])
      const kept = version === '1.1' ? !option.includes('close') : option.includes('keep-alive')
      return { bytes, last: !kept || (close && !bodiless) }
    })
}

const nasty = fc.constantFrom(
  ...['\r', '\n', '\0', ' ', '\t', ':', '\r\n', '\r\n\r\n', '\n\n', '\x7f', '\x1b', ',', ';', '"', '-', '+', '0', 'F', '\xff'],
  ...['Transfer-Encoding: chunked\r\n', 'transfer-encoding: identity\r\n', 'Transfer-Encoding: x, chunked\r\n'],
  ...['Content-Length: 3\r\n', 'content-length: 5, 5\r\n', 'content-length: -1\r\n', 'content-length : 7\r\n', ' folded\r\n'],
  ...[
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'HTTP/0.9 200 OK\r\n',
    'connection: upgrade\r\nupgrade: x\r\n',
  ],
)

/** A change that a fault, or somebody who means harm, makes to the bytes; at places between 0 and 1. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.double({ min: 0, max: 1, noNaN: true }), bit: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.double({ min: 0, max: 1, noNaN: true }), what: nasty }),
  fc.record({
    kind: fc.constant('delete' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    size: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({
    kind: fc.constant('repeat' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    size: fc.integer({ min: 1, max: 30 }),
  }),
  fc.record({ kind: fc.constant('cut off' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('surplus' as const), what: fc.constantFrom('x', '\r\n', evil('evil'), `\r\n${evil('evil')}`) }),
)
type Change = typeof change extends fc.Arbitrary<infer Kind> ? Kind : never

function evil(tag: string): string {
  return `HTTP/1.1 200 OK\r\nx-tag: ${tag}\r\ncontent-length: 4\r\n\r\nevil`
}

/** The same, changed. Most of what is changed is in the header section, wherever it ends. */
export function broken(tag: string, method: string): fc.Arbitrary<Written> {
  return fc
    .tuple(wellFormed(tag, method), fc.array(fc.tuple(change, fc.boolean()), { minLength: 1, maxLength: 3 }))
    .map(([{ bytes, last }, changes]) => ({ bytes: changes.reduce(changed, bytes), last }))
}

function changed(bytes: Buffer, [how, inHead]: readonly [Change, boolean]): Buffer {
  if (how.kind === 'surplus') return Buffer.concat([bytes, Buffer.from(how.what, 'latin1')])
  const headEnd = bytes.indexOf('\r\n\r\n') + 4
  const at = Math.floor(how.at * (inHead && headEnd > 3 ? headEnd : bytes.length))
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  if (how.kind === 'cut off') return before
  if (how.kind === 'insert') return Buffer.concat([before, Buffer.from(how.what, 'latin1'), after])
  if (how.kind === 'delete') return Buffer.concat([before, after.subarray(how.size)])
  if (how.kind === 'repeat') return Buffer.concat([before, after.subarray(0, how.size), after])
  const flipped = Buffer.from(bytes)
  if (at < flipped.length) flipped[at] = (flipped[at] as number) ^ (1 << how.bit)
  return flipped
}
