import { argued, type Case, exchange, type Init, outcome, parity } from '../support/parity.ts'

const bytes = Uint8Array.from([0, 1, 127, 128, 255])
const streamOf = (part: Uint8Array): ReadableStream =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(part)
      controller.close()
    },
  })
function form(): FormData {
  const all = new FormData()
  all.append('a', 'ä')
  all.append('file', new File(['content'], 'name.txt', { type: 'text/x' }))
  return all
}

const bodies: readonly (readonly [string, () => unknown])[] = [
  ['a string', () => 'naïve €'],
  ['an empty string', () => ''],
  ['URLSearchParams', () => new URLSearchParams('a=b+c')],
  ['a Uint8Array', () => bytes],
  ['an ArrayBuffer', () => bytes.buffer],
  ['a Blob with a type', () => new Blob([bytes], { type: 'image/x' })],
  ['FormData', form],
  ['null', () => null],
]
const kinds: readonly Case[] = bodies.map(([title, body]) => ({
  title: `a Request with ${title}`,
  run: async (fetch, origin, server) => {
    const request = new Request(origin, { method: 'POST', body: body() as BodyInit })
    return [request.bodyUsed, await exchange(fetch(request), server), request.bodyUsed]
  },
}))

const requests: readonly Case[] = [
  {
    title: 'the method, the fields and the URL of a Request are sent',
    run: (fetch, origin, server) => {
      const headers = new Headers([
        ['x-a', '1'],
        ['x-a', '2'],
        ['cookie', 'a=1'],
      ])
      return exchange(fetch(new Request(`${origin}/path?query#fragment`, { method: 'propfind', headers })), server)
    },
  },
  {
    title: 'fields of init replace all those of the Request',
    run: (fetch, origin, server) =>
      exchange(fetch(new Request(origin, { headers: { 'x-a': '1', 'x-b': '2' } }), { headers: { 'x-a': '3' } }), server),
  },
  {
    title: 'no fields in init remove those of the Request',
    run: (fetch, origin, server) => exchange(fetch(new Request(origin, { headers: { 'x-a': '1' } }), { headers: {} }), server),
  },
  {
    title: 'the method of init replaces that of the Request',
    run: (fetch, origin, server) => exchange(fetch(new Request(origin, { method: 'PUT' }), { method: 'DELETE' }), server),
  },
  {
    title: 'the body of init replaces that of the Request, which stays unread',
    run: async (fetch, origin, server) => {
      const request = new Request(origin, { method: 'POST', body: 'old' })
      const result = await exchange(fetch(request, { body: 'new' }), server)
      return [result, request.bodyUsed, await request.text()]
    },
  },
  {
    title: 'the type of the body that was replaced is kept',
    run: (fetch, origin, server) =>
      exchange(fetch(new Request(origin, { method: 'POST', body: new URLSearchParams('a=1') }), { body: 'new' }), server),
  },
  {
    title: 'null as the body of init leaves the body of the Request',
    run: (fetch, origin, server) => exchange(fetch(new Request(origin, { method: 'POST', body: 'old' }), { body: null }), server),
  },
  {
    title: 'a Request with content made a GET is a TypeError',
    run: (fetch, origin, server) => argued(fetch(new Request(origin, { method: 'POST', body: 'a' }), { method: 'GET' }), server),
  },
  {
    title: 'a Request whose content was read is a TypeError',
    run: async (fetch, origin, server) => {
      const request = new Request(origin, { method: 'POST', body: 'a' })
      await request.text()
      return argued(fetch(request), server)
    },
  },
  {
    title: 'a Request whose content was read is sent with a new body',
    run: async (fetch, origin, server) => {
      const request = new Request(origin, { method: 'POST', body: 'a' })
      await request.text()
      return exchange(fetch(request, { body: 'new' }), server)
    },
  },
  {
    title: 'a Request whose body is locked is a TypeError',
    run: async (fetch, origin, server) => {
      const request = new Request(origin, { method: 'POST', body: 'a' })
      request.body?.getReader()
      return argued(fetch(request), server)
    },
  },
  {
    title: 'a Request with content is used up, one without is not',
    run: async (fetch, origin, server) => {
      const post = new Request(origin, { method: 'POST', body: 'a' })
      const get = new Request(origin)
      await Promise.all([fetch(post), fetch(get)])
      return [post.bodyUsed, get.bodyUsed, await argued(fetch(post)), await argued(fetch(get)), server.received.length]
    },
  },
  {
    title: 'a clone of a Request is sent like it',
    run: async (fetch, origin, server) => {
      const request = new Request(origin, { method: 'POST', body: 'content', headers: { 'x-a': '1' } })
      const clone = request.clone()
      await Promise.all([fetch(request), fetch(clone)])
      return server.received
    },
  },
  {
    title: 'a Request made of a Request is sent like it',
    run: (fetch, origin, server) => {
      const request = new Request(new Request(origin, { method: 'POST', body: 'content' }), { headers: { 'x-a': '1' } })
      return exchange(fetch(request), server)
    },
  },
  {
    title: 'a Request as init gives its method, its fields and its body',
    run: async (fetch, origin, server) => {
      const request = new Request(`${origin}/elsewhere`, { method: 'POST', body: 'content', headers: { 'x-a': '1' } })
      await outcome(fetch(`${origin}/path`, request))
      return server.received.map(({ method, target, body, fields }) => [
        method,
        target,
        body,
        fields.find(([name]) => name === 'x-a'),
      ])
    },
  },
  {
    title: 'a Request as init gives its signal and its redirect',
    reply: (response) => response.writeHead(302, { location: '/next' }).end(),
    run: async (fetch, origin) => [
      await outcome(fetch(origin, new Request(origin, { redirect: 'manual' }))),
      await outcome(fetch(origin, new Request(origin, { signal: AbortSignal.abort() }))),
    ],
  },
  {
    title: 'a Request of a subclass is sent',
    run: (fetch, origin, server) => exchange(fetch(new (class extends Request {})(origin, { method: 'PUT' })), server),
  },
  {
    title: 'a Request with a stream arrives whole',
    run: async (fetch, origin, server) => {
      const init: Init = { method: 'POST', body: streamOf(bytes), duplex: 'half' }
      await outcome(fetch(new Request(origin, init)))
      return [server.received[0]?.method, server.received[0]?.body]
    },
  },
  {
    title: 'redirect of a Request is obeyed',
    reply: (response) => response.writeHead(302, { location: '/next' }).end(),
    run: async (fetch, origin, server) => [
      await exchange(fetch(new Request(origin, { redirect: 'manual' })), server),
      await outcome(fetch(new Request(origin, { redirect: 'error' }))),
      await outcome(fetch(new Request(origin, { redirect: 'error' }), { redirect: 'manual' })),
    ],
  },
  {
    title: 'integrity of a Request is obeyed',
    run: (fetch, origin) => outcome(fetch(new Request(origin, { integrity: 'sha256-AAAA' }))),
  },
  {
    title: 'the signal of a Request aborts, its reason is the error',
    run: async (fetch, origin, server) => {
      const reason = new Error('own')
      const error = await fetch(new Request(origin, { signal: AbortSignal.abort(reason) })).catch((caught) => caught)
      return [error === reason, server.received]
    },
  },
  {
    title: 'null as the signal of init replaces that of the Request',
    run: (fetch, origin) => outcome(fetch(new Request(origin, { signal: AbortSignal.abort() }), { signal: null })),
  },
]

parity('the content of a Request', kinds)
parity('a Request', requests)
