import { type Case, exchange, type Init, outcome, parity, type Reply } from '../support/parity.ts'

/** Redirects every request but the one to `/end`, to which it leads unless the case says otherwise. */
const redirecting = (status: number, location?: string | readonly string[]): Reply => {
  return (response, { target }) => {
    if (target.startsWith('/end')) response.end('content')
    else response.writeHead(status, location === undefined ? { location: '/end' } : { location: location as string }).end('moved')
  }
}
const toOther = (status: number): Reply => {
  return (response, { target }, server) => {
    if (target === '/end') response.end('content')
    else response.writeHead(status, { location: `${server.other}/end` }).end()
  }
}

const statuses = [301, 302, 303, 307, 308]
const methods: readonly Case[] = statuses.flatMap((status) =>
  ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'patch'].map((method) => ({
    title: `${status} to ${method}`,
    reply: redirecting(status),
    run: (fetch, origin, server) => {
      const headers = {
        'content-type': 'text/x',
        'content-language': 'de',
        'x-field': 'a',
        authorization: 'secret',
        cookie: 'a=1',
      }
      const body = method === 'GET' || method === 'HEAD' ? null : 'content'
      return exchange(fetch(origin, { method, headers, body }), server)
    },
  })),
)

const crossOrigin: readonly Case[] = statuses.map((status) => ({
  title: `${status} to another origin keeps what the standard keeps`,
  reply: toOther(status),
  run: (fetch, origin, server) => {
    const headers = { authorization: 'secret', 'proxy-authorization': 'secret', cookie: 'a=1', 'x-api-key': 'a', 'x-field': 'a' }
    return exchange(fetch(origin, { method: 'POST', body: 'content', headers }), server)
  },
}))

const locations: readonly Case[] = [
  ['relative', 'end'],
  ['with a query only', '/end?a=b'],
  ['with a fragment', '/end#fragment'],
  ['with white space before it', ' \t/end'],
  ['with dots', '/a/../end'],
  ['with bytes beyond ASCII', '/end?n\u00e4ive'],
  ['with a space in it', '/end?a b'],
  ['with backslashes', '\\end'],
  ['that is no URL', 'http://['],
  ['to ftp', 'ftp://127.0.0.1/end'],
  ['to data:', 'data:,content'],
  ['to about:blank', 'about:blank'],
  ['to file:', 'file:///end'],
  ['to a forbidden port', 'http://127.0.0.1:6667/end'],
  ['to mailto:', 'mailto:a@b'],
].map(([title, location]) => ({
  title: `a Location ${title}`,
  reply: redirecting(302, location as string),
  run: (fetch, origin, server) => exchange(fetch(`${origin}/start?query`), server),
}))

const others: readonly Case[] = [
  {
    title: 'the fragment of the target goes along, and the url has none',
    reply: redirecting(302),
    run: (fetch, origin, server) => exchange(fetch(`${origin}/start#fragment`), server),
  },
  {
    title: 'Location twice',
    reply: (response, { target }) => {
      if (target === '/end') response.end('content')
      else
        response
          .writeHead(302, [
            ['location', '/end'],
            ['location', '/end'],
          ] as never)
          .end()
    },
    run: (fetch, origin, server) => exchange(fetch(origin), server),
  },
  {
    title: 'a Location in UTF-8',
    reply: redirecting(302, Buffer.from('/end?näive').toString('latin1')),
    run: (fetch, origin, server) => exchange(fetch(origin), server),
  },
  {
    title: 'an empty Location is the target itself',
    reply: (response, _received, server) => {
      if (server.received.length > 1) response.end('content')
      else response.writeHead(302, { location: '' }).end()
    },
    run: (fetch, origin, server) => exchange(fetch(`${origin}/start?query`), server),
  },
  ...statuses.map(
    (status): Case => ({
      title: `${status} without a Location is delivered`,
      reply: (response) => response.writeHead(status).end('content'),
      run: (fetch, origin, server) => exchange(fetch(origin), server),
    }),
  ),
  ...[300, 304, 305, 306, 399].map(
    (status): Case => ({
      title: `${status} with a Location is not followed`,
      reply: redirecting(status),
      run: (fetch, origin, server) => exchange(fetch(origin), server),
    }),
  ),
  ...(['manual', 'error'] as const).map(
    (redirect): Case => ({
      title: `redirect ${redirect}`,
      reply: redirecting(302),
      run: (fetch, origin, server) => exchange(fetch(origin, { redirect }), server),
    }),
  ),
  {
    title: 'redirect manual: the type of the response',
    reply: redirecting(302),
    run: async (fetch, origin) => (await fetch(origin, { redirect: 'manual' })).type,
  },
  {
    title: 'redirect manual and error leave a response that is none alone',
    run: async (fetch, origin) => [
      await outcome(fetch(origin, { redirect: 'manual' })),
      await outcome(fetch(origin, { redirect: 'error' })),
    ],
  },
  ...[20, 21].map(
    (hops): Case => ({
      title: `${hops} redirects`,
      reply: (response, _received, server) => {
        if (server.received.length > hops) response.end('content')
        else response.writeHead(302, { location: `/${server.received.length}` }).end()
      },
      run: async (fetch, origin, server) => [await outcome(fetch(origin)), server.received.length],
    }),
  ),
  {
    title: 'a redirect to itself ends',
    reply: (response) => response.writeHead(302, { location: '/' }).end(),
    run: async (fetch, origin, server) => [await outcome(fetch(origin)), server.received.length],
  },
  ...(['origin', 'other'] as const).map(
    (where): Case => ({
      title: `a Location with credentials at the ${where === 'other' ? 'other' : 'same'} origin is refused`,
      reply: (response, { target }, server) => {
        if (target === '/end') response.end('content')
        else response.writeHead(302, { location: `${server[where].replace('//', '//user:password@')}/end` }).end()
      },
      run: (fetch, origin, server) => exchange(fetch(origin), server),
    }),
  ),
  {
    title: 'the type after a redirect to another origin',
    reply: toOther(302),
    run: async (fetch, origin) => (await fetch(origin)).type,
  },
  {
    title: 'the way back to the first origin has no authorization either',
    reply: (response, { target }, server) => {
      if (target === '/end') response.end('content')
      else response.writeHead(302, { location: target === '/' ? `${server.other}/back` : `${server.origin}/end` }).end()
    },
    run: (fetch, origin, server) => exchange(fetch(origin, { headers: { authorization: 'secret', 'x-field': 'a' } }), server),
  },
]

const stream = (): Init => ({ method: 'POST', body: new Blob(['content']).stream(), duplex: 'half' })
const streams: readonly Case[] = statuses.map((status) => ({
  title: `${status} of a stream`,
  reply: redirecting(status),
  run: async (fetch, origin, server) => [await outcome(fetch(origin, stream())), server.received.length],
}))

parity('redirects and methods', methods)
parity('redirects to another origin', crossOrigin)
parity('Location', locations)
parity('redirects', others)
parity('redirects of a stream', streams)
