import { Readable } from 'node:stream'
import { type Case, exchange, type Fetch, type Init, outcome, parity, settled } from '../support/parity.ts'

const bytes = Uint8Array.from([0, 1, 127, 128, 255])
const streamOf = (...parts: unknown[]): ReadableStream =>
  new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part)
      controller.close()
    },
  })
async function* parts(): AsyncGenerator<Uint8Array> {
  yield bytes
  yield bytes
}
function form(): FormData {
  const all = new FormData()
  all.append('a', '1')
  all.append('a', 'zwei\nlines\r€')
  all.append('na"me\r\n', 'x')
  all.append('file', new File(['content'], 'na"me ä.txt', { type: 'text/x' }))
  all.append('blob', new Blob([bytes]))
  all.append('empty', new File([], 'empty'))
  return all
}

/** What cannot be used twice is made for every run. */
const bodies: readonly (readonly [string, () => unknown])[] = [
  ['a string', () => 'naïve €😀'],
  ['an empty string', () => ''],
  ['a string with a lone surrogate', () => 'a\ud800b'],
  ['null', () => null],
  ['undefined', () => undefined],
  [
    'URLSearchParams',
    () =>
      new URLSearchParams([
        ['a', 'b c'],
        ['a', 'ä&='],
      ]),
  ],
  ['empty URLSearchParams', () => new URLSearchParams()],
  ['a Uint8Array', () => bytes],
  ['an empty Uint8Array', () => new Uint8Array()],
  ['an ArrayBuffer', () => bytes.buffer],
  ['a Buffer', () => Buffer.from('content')],
  ['a view of a part of a buffer', () => new Uint8Array(bytes.buffer, 1, 3)],
  ['a Uint16Array', () => new Uint16Array([1, 0xffff])],
  ['a DataView', () => new DataView(bytes.buffer, 2, 2)],
  ['a Blob with a type', () => new Blob(['con', bytes], { type: 'image/x; a=b' })],
  ['a Blob without a type', () => new Blob(['content'])],
  ['an empty Blob', () => new Blob([], { type: 'text/plain' })],
  ['a File', () => new File(['content'], 'name.txt', { type: 'text/plain' })],
  ['FormData', form],
  ['empty FormData', () => new FormData()],
  ['a number', () => 5],
  ['a boolean', () => false],
  ['an object', () => ({ a: 1 })],
  ['an array', () => [1, 2]],
  ['a Date-like object with toString', () => ({ toString: () => 'text' })],
  ['a symbol', () => Symbol('a')],
  ['an object without toString', () => Object.create(null)],
]

const post = (fetch: Fetch, origin: string, init: Init): Promise<Response> => fetch(origin, { method: 'POST', ...init })

const kinds: readonly Case[] = bodies.map(([title, body]) => ({
  title: `content: ${title}`,
  run: (fetch, origin, server) => exchange(post(fetch, origin, { body: body() as BodyInit }), server),
}))

const streams: readonly Case[] = (
  [
    ['a stream of bytes', () => streamOf(bytes, bytes)],
    ['a stream of nothing', () => streamOf()],
    ['a stream of empty parts', () => streamOf(new Uint8Array(), bytes, new Uint8Array())],
    ['a stream of Buffers', () => streamOf(Buffer.from('content'))],
    ['a stream of ArrayBuffers', () => streamOf(bytes.buffer)],
    ['a stream that fails', () => new ReadableStream({ pull: (controller) => controller.error(new Error('broken')) })],
    ['an async generator', parts],
    ['a Readable of Node', () => Readable.from([Buffer.from('con'), Buffer.from('tent')])],
    ['the stream of a Blob', () => new Blob(['content']).stream()],
    ['the body of a Response', () => new Response('content').body],
  ] as const
).map(([title, body]) => ({
  title: `content: ${title}`,
  run: (fetch, origin, server) => exchange(post(fetch, origin, { body: body() as BodyInit, duplex: 'half' }), server),
}))

const lockedStream = (): ReadableStream => {
  const stream = streamOf(bytes)
  stream.getReader()
  return stream
}
const readStream = async (): Promise<ReadableStream> => {
  const stream = streamOf(bytes, bytes)
  const reader = stream.getReader()
  await reader.read()
  reader.releaseLock()
  return stream
}

const refused: readonly Case[] = [
  {
    title: 'a stream without duplex is a TypeError, and nothing is sent',
    run: (fetch, origin, server) => exchange(post(fetch, origin, { body: streamOf(bytes) }), server),
  },
  {
    title: 'duplex must be half',
    run: (fetch, origin, server) => exchange(post(fetch, origin, { body: streamOf(bytes), duplex: 'full' as 'half' }), server),
  },
  {
    title: 'duplex half is taken with any body',
    run: (fetch, origin, server) => exchange(post(fetch, origin, { body: 'a', duplex: 'half' }), server),
  },
  {
    title: 'an async generator without duplex is a TypeError',
    run: (fetch, origin, server) => exchange(post(fetch, origin, { body: parts() as unknown as BodyInit }), server),
  },
  {
    title: 'a locked stream is a TypeError',
    run: (fetch, origin, server) => exchange(post(fetch, origin, { body: lockedStream(), duplex: 'half' }), server),
  },
  {
    title: 'a stream that was read from is a TypeError',
    run: async (fetch, origin, server) => exchange(post(fetch, origin, { body: await readStream(), duplex: 'half' }), server),
  },
  ...(['GET', 'HEAD', 'get'] as const).map(
    (method): Case => ({
      title: `content with ${method} is a TypeError`,
      run: async (fetch, origin, server) => [
        await exchange(fetch(origin, { method, body: 'a' }), server),
        await exchange(fetch(origin, { method, body: '' }), server),
        await exchange(fetch(origin, { method, body: null }), server),
      ],
    }),
  ),
  {
    title: 'a stream that was sent cannot be sent again',
    run: async (fetch, origin) => {
      const body = streamOf(bytes)
      await post(fetch, origin, { body, duplex: 'half' })
      return settled(post(fetch, origin, { body, duplex: 'half' }))
    },
  },
  {
    title: 'bytes that change after the call are sent as they were',
    run: (fetch, origin, server) => {
      const body = Uint8Array.from([1, 2, 3])
      const promise = post(fetch, origin, { body })
      body.fill(9)
      return exchange(promise, server)
    },
  },
  {
    title: 'content on DELETE, PUT, PATCH and OPTIONS is sent',
    run: async (fetch, origin, server) => {
      for (const method of ['DELETE', 'PUT', 'PATCH', 'OPTIONS']) await outcome(fetch(origin, { method, body: method }))
      return server.received
    },
  },
  {
    title: 'POST and PUT without content have a length of 0, other methods have none',
    run: async (fetch, origin, server) => {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'GET']) await outcome(fetch(origin, { method }))
      return server.received
    },
  },
]

parity('request content', kinds)
parity('request content as a stream', streams)
parity('request content that cannot be sent', refused)
