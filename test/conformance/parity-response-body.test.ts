import { type Case, head, nameOf, parity, raw, settled, textOf, tried } from '../support/parity.ts'

const withType = (type: string, body: string | Buffer): Buffer => raw('200 OK', [`content-type: ${type}`], body)
const utf8 = (text: string): Buffer => Buffer.from(text)
const texts: readonly Case[] = (
  [
    ['UTF-8 is decoded', utf8('naïve €😀')],
    ['a byte order mark is dropped', utf8('\ufeffcontent')],
    ['invalid UTF-8 becomes replacement characters', Buffer.from([0x61, 0xff, 0xc3, 0x62, 0xe2, 0x82])],
    ['an overlong form is invalid', Buffer.from([0xc0, 0x80])],
    ['the charset of the type is not looked at', Buffer.from('na\u00efve', 'latin1')],
    ['NUL is a character', Buffer.from('a\0b')],
    ['lines end as they were sent', utf8('a\r\nb\rc\n')],
    ['a megabyte is whole', Buffer.alloc(1_048_576, 'ab€')],
  ] as const
).map(([rule, body]) => ({
  title: `text(): ${rule}`,
  reply: withType('text/plain; charset=iso-8859-1', body),
  run: async (fetch, origin) => (await fetch(origin)).text(),
}))

const parts = Array.from({ length: 50 }, (_nothing, index) => `${index} `.repeat(index + 1))
const atOnce = raw(
  '200 OK',
  ['transfer-encoding: chunked'],
  `${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`,
)
const chunks: readonly Case[] = [
  {
    title: 'text(): chunks that arrive at once are all there',
    reply: atOnce,
    run: async (fetch, origin) => (await fetch(origin)).text(),
  },
  {
    title: 'bytes(): chunks that arrive at once are all there',
    reply: atOnce,
    run: async (fetch, origin) => Buffer.from(await (await fetch(origin)).bytes()).toString(),
  },
  {
    title: 'a stream: chunks that arrive at once are all there',
    reply: atOnce,
    run: async (fetch, origin) => textOf((await fetch(origin)).body),
  },
]

const json: readonly Case[] = (
  [
    ['an object', '{"a":[1,null,"€"]}'],
    ['a bare value', '5'],
    ['a byte order mark is dropped', '\ufeff{"a":1}'],
    ['white space around it', ' \n{"a":1}\t '],
    ['nothing is a SyntaxError', ''],
    ['invalid JSON is a SyntaxError', '{"a":'],
    ['HTML is a SyntaxError', '<html>'],
    ['__proto__ is a member like others', '{"__proto__":{"a":1}}'],
  ] as const
).map(([rule, body]) => ({
  title: `json(): ${rule}`,
  reply: withType('text/html', utf8(body)),
  run: async (fetch, origin) => {
    const response = await fetch(origin)
    return [await settled(response.json()), response.bodyUsed]
  },
}))

const binary: readonly Case[] = [
  {
    title: 'bytes() gives a Uint8Array of its own memory',
    reply: withType('application/octet-stream', Buffer.from([0, 128, 255])),
    run: async (fetch, origin) => {
      const bytes = await (await fetch(origin)).bytes()
      return [bytes.constructor.name, [...bytes], bytes.buffer.byteLength]
    },
  },
  {
    title: 'arrayBuffer() gives exactly the content',
    reply: withType('application/octet-stream', Buffer.from([0, 128, 255])),
    run: async (fetch, origin) => {
      const buffer = await (await fetch(origin)).arrayBuffer()
      return [buffer.constructor.name, [...new Uint8Array(buffer)]]
    },
  },
  {
    title: 'bytes() and arrayBuffer() of no content are empty',
    reply: raw('200 OK'),
    run: async (fetch, origin) => [
      (await (await fetch(origin)).bytes()).length,
      (await (await fetch(origin)).arrayBuffer()).byteLength,
    ],
  },
  ...(['text/plain', 'Text/HTML; Charset=UTF-8', 'text/plain;a="b c"', 'nonsense', 'image/png, text/plain', ''] as const).map(
    (type): Case => ({
      title: `blob() with the Content-Type ${JSON.stringify(type)}`,
      reply: withType(type, 'content'),
      run: async (fetch, origin) => {
        const blob = await (await fetch(origin)).blob()
        return [blob instanceof Blob, blob.type, blob.size, await blob.text()]
      },
    }),
  ),
  {
    title: 'blob() without a Content-Type has no type',
    reply: raw('200 OK', [], 'content'),
    run: async (fetch, origin) => (await (await fetch(origin)).blob()).type,
  },
  {
    title: 'blob() of a null body is empty',
    reply: raw('204 No Content', ['content-length: 0', 'content-type: text/plain']),
    run: async (fetch, origin) => {
      const blob = await (await fetch(origin)).blob()
      return [blob.type, blob.size]
    },
  },
]

const readers = ['text', 'json', 'bytes', 'arrayBuffer', 'blob', 'formData'] as const
const once: readonly Case[] = [
  ...readers.map(
    (name): Case => ({
      title: `${name}() a second time rejects with a TypeError`,
      reply: withType('application/x-www-form-urlencoded', '5'),
      run: async (fetch, origin) => {
        const response = await fetch(origin)
        const before = response.bodyUsed
        const first = response[name]()
        const during = response.bodyUsed
        await first
        return [before, during, response.bodyUsed, await settled(response[name]()), head(response)]
      },
    }),
  ),
  {
    title: 'a body that is being read cannot be read by another',
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const text = response.text()
      return [await settled(response.bytes()), await tried(() => response.clone()), await text]
    },
  },
  {
    title: 'a body that was read is closed',
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      await response.text()
      return [response.bodyUsed, response.body?.locked, await tried(() => response.body?.getReader().read())]
    },
  },
  {
    title: 'the methods are called on the response',
    run: async (fetch, origin) => {
      const { text } = await fetch(origin)
      return settled(Reflect.apply(text, undefined, []))
    },
  },
  {
    title: 'a method called on something else rejects and does not throw',
    run: async (fetch, origin) => {
      const { json: read } = await fetch(origin)
      return Reflect.apply(read, {}, []).catch(nameOf)
    },
  },
]

parity('the text of a response', [...texts, ...chunks])
parity('the JSON of a response', json)
parity('the bytes of a response', binary)
parity('a body is read once', once)
