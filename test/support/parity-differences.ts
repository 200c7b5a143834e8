import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { type Case, exchange, nameOf, outcome, raw, settled, tried } from './parity.ts'

/** Something that steadfetch means to do otherwise than the global fetch, and what the README says about it. */
export interface Difference extends Case {
  readonly sentence: string
}

/** Every intended difference between `createFetch(fetchStandard)` and the global fetch. */
export const differences: readonly Difference[] = [
  {
    title: 'the cause of an error in the arguments',
    sentence: 'Errors in the arguments of a call have no cause: it would show the credentials of a URL.',
    run: async (fetch) => nameOf(await fetch('http://[').catch((error) => error)),
  },
  {
    title: '407',
    sentence: "A `407` is delivered; Node's fetch fails without telling it.",
    reply: raw('407 Proxy Authentication Required', [], 'content'),
    run: (fetch, origin) => outcome(fetch(origin)),
  },
  {
    title: 'gzip that is cut short',
    sentence: "Content whose coding was cut short fails; Node's fetch hands it out as if it were whole.",
    reply: raw('200 OK', ['content-encoding: gzip'], gzipSync('content'.repeat(100)).subarray(0, -9)),
    run: (fetch, origin) => outcome(fetch(origin)),
  },
  {
    title: 'identity among the codings',
    sentence: "`identity` and empty members in `Content-Encoding` are skipped; Node's fetch then decodes nothing.",
    reply: raw('200 OK', ['content-encoding: identity, gzip'], gzipSync('content')),
    run: (fetch, origin) => outcome(fetch(origin)),
  },
  {
    title: 'white space after a value',
    sentence: "White space after the value of a response field is dropped, as RFC 9112 §5 asks; Node's fetch keeps it.",
    reply: raw('200 OK', ['x-field: a \t']),
    run: async (fetch, origin) => (await fetch(origin)).headers.get('x-field'),
  },
  {
    title: 'two byte order marks',
    sentence: "`text()` and `json()` drop one byte order mark, as the standard says; Node's fetch drops two.",
    reply: raw('200 OK', [], Buffer.from('\ufeff\ufeffcontent')),
    run: async (fetch, origin) => (await fetch(origin)).text(),
  },
  {
    title: 'members borrowed from Response.prototype',
    sentence: 'Members borrowed from `Response.prototype` refuse a response of steadfetch; its own do what they would do.',
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      return tried(() => Response.prototype.text.call(response))
    },
  },
  {
    title: 'an empty query before an empty fragment',
    sentence: "An empty query is sent as it is given, before an empty fragment, too; Node's fetch drops it there.",
    run: async (fetch, origin, server) => {
      await fetch(`${origin}/a?#`)
      return server.received.map(({ target }) => target)
    },
  },
  {
    title: 'a 421 with a long Retry-After',
    sentence: 'A `421` is asked for once more, but not sooner than its Retry-After says, and not where that is more than 5 s.',
    reply: raw('421 Misdirected Request', ['retry-after: 60'], 'content'),
    run: async (fetch, origin, server) => {
      await (await fetch(origin)).text()
      return server.received.length
    },
  },
  {
    title: 'TE and Proxy-Connection',
    sentence: "`TE` and `Proxy-Connection` belong to the connection and are refused; Node's fetch sends them.",
    run: async (fetch, origin) => [
      await outcome(fetch(origin, { headers: { te: 'trailers' } })),
      await outcome(fetch(origin, { headers: { 'proxy-connection': 'keep-alive' } })),
    ],
  },
  {
    title: 'a Response that is logged',
    sentence: "`console.log` of a Response shows no credentials; Node's fetch shows all of its fields.",
    reply: raw('200 OK', ['set-cookie: sid=secret']),
    run: async (fetch, origin) => inspect(await fetch(origin)).includes('sid=secret'),
  },
  {
    title: 'Host',
    sentence: "A `Host` field is sent as it is given; Node's fetch drops it.",
    run: (fetch, origin, server) => exchange(fetch(origin, { headers: { host: 'example.com' } }), server),
  },
  {
    title: 'undefined as a value',
    sentence: "A field whose value is `undefined` is not sent; Node's fetch sends the word.",
    run: (fetch, origin, server) => exchange(fetch(origin, { headers: { 'x-field': undefined } as never }), server),
  },
  {
    title: 'inherited members of init',
    sentence: 'Options are read as own properties, so that a polluted `Object.prototype` has no say.',
    run: (fetch, origin, server) => exchange(fetch(origin, Object.create({ method: 'PUT' })), server),
  },
  {
    title: 'a Request of another copy of fetch',
    sentence: "What has a `url`, a `method` and `headers` is taken for a Request; Node's fetch takes it for a string.",
    run: (fetch, origin, server) => {
      const like = { url: `${origin}/url`, method: 'PUT', headers: {}, body: null, toString: () => `${origin}/text` }
      return exchange(fetch(like as unknown as Request), server)
    },
  },
  {
    title: 'the length of the content of a Request',
    sentence: 'The content of a `Request` is read before it is sent, up to 1 MiB, and has a length even where it is a stream.',
    run: (fetch, origin, server) => {
      const init = { method: 'POST', body: new Blob(['content']).stream(), duplex: 'half' } as RequestInit
      return exchange(fetch(new Request(origin, init)), server)
    },
  },
  {
    title: 'a stream of strings',
    sentence: "A stream that is sent holds Uint8Arrays alone, as the standard says; Node's fetch takes strings, too.",
    run: (fetch, origin, server) => {
      const stream = new ReadableStream({
        start(sink) {
          sink.enqueue('content')
          sink.close()
        },
      })
      const init = { method: 'POST', body: stream, duplex: 'half' } as const
      return exchange(fetch(origin, init), server)
    },
  },
  {
    title: 'a file without a name',
    sentence: "A file without a name in `FormData` keeps an empty `filename`; Node's fetch makes it a field without one.",
    run: (fetch, origin, server) => {
      const form = new FormData()
      form.append('file', new File(['content'], ''))
      return exchange(fetch(origin, { method: 'POST', body: form }), server)
    },
  },
  {
    title: 'referrer',
    sentence: '`referrer` and `referrerPolicy` are checked, and nothing else: set the `Referer` field.',
    run: (fetch, origin, server) => exchange(fetch(origin, { referrer: `${origin}/from` }), server),
  },
  {
    title: 'an abort without a truthy reason',
    sentence: "Every reason of an abort is thrown as it is; Node's fetch replaces `null`, `0` and `''` while a body is read.",
    reply: (response) => response.write('first'),
    run: async (fetch, origin) => {
      const controller = new AbortController()
      const response = await fetch(origin, { signal: controller.signal })
      const promise = response.text().catch(nameOf)
      controller.abort(0)
      return promise
    },
  },
  {
    title: 'the stream of a call that was aborted',
    sentence: 'A stream that is being sent is cancelled when the call fails, and its source knows the reason.',
    reply: () => {},
    run: async (fetch, origin, server) => {
      const controller = new AbortController()
      let cancelled = false
      const source: UnderlyingSource = {
        start: (sink) => sink.enqueue(new Uint8Array(1)),
        cancel: () => {
          cancelled = true
        },
      }
      const init = { method: 'POST', body: new ReadableStream(source), duplex: 'half', signal: controller.signal } as const
      const promise = fetch(origin, init).catch(nameOf)
      await server.connected()
      controller.abort(new Error('own'))
      await promise
      await server.closed()
      return cancelled
    },
  },
  {
    title: 'a blob: range beyond the Blob',
    sentence: 'A range of a `blob:` URL that asks for more than there is gets the whole, RFC 9110 §14.1.2.',
    run: async (fetch) => {
      const url = URL.createObjectURL(new Blob(['content']))
      const answer = await fetch(url, { headers: { range: 'bytes=-100' } }).catch((error) => error)
      URL.revokeObjectURL(url)
      return answer instanceof Error ? nameOf(answer) : [answer.headers.get('content-range'), await answer.text()]
    },
  },
  {
    title: 'an abort after the whole body has come',
    sentence: "A body that has come whole before an abort can still be read; Node's fetch refuses it.",
    run: async (fetch, origin) => {
      const aborter = new AbortController()
      const response = await fetch(origin, { signal: aborter.signal })
      await new Promise((resolve) => setTimeout(resolve, 100))
      aborter.abort()
      return settled(response.text())
    },
  },
]
