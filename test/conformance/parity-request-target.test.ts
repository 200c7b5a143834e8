import { argued, type Case, exchange, type Init, outcome, parity, since24 } from '../support/parity.ts'

const methods: readonly Case[] = [
  ...['get', 'Head', 'post', 'Put', 'delete', 'oPTIONS', 'patch', 'PATCH', 'Patch', 'QUERY', 'PROPFIND', 'M-SEARCH'].map(
    (method): Case => ({
      title: `the method ${method}`,
      run: (fetch, origin, server) => exchange(fetch(origin, { method }), server),
    }),
  ),
  ...['CONNECT', 'connect', 'TRACE', 'Trace', 'TRACK', '', ' GET', 'GET ', 'GE T', 'G\r\nET', 'ä', 'GET,', 'a/b'].map(
    (method): Case => ({
      title: `the method ${JSON.stringify(method)} is a TypeError`,
      run: (fetch, origin, server) => exchange(fetch(origin, { method }), server),
    }),
  ),
  ...[null, undefined, 5, { toString: () => 'put' }].map(
    (method): Case => ({
      title: `the method ${typeof method === 'object' && method !== null ? 'of an object' : String(method)}`,
      run: (fetch, origin, server) => exchange(fetch(origin, { method: method as string }), server),
    }),
  ),
]

const targets: readonly Case[] = [
  ...[
    '',
    'relative',
    '/path',
    '//',
    'http://',
    'http:',
    'http://a b/',
    'http://127.0.0.1:99999/',
    'http://[::1',
    'https://a%b/',
  ].map(
    (target): Case => ({
      title: `${JSON.stringify(target)} is no target: a TypeError`,
      run: (fetch) => argued(fetch(target)),
    }),
  ),
  ...[
    'ftp://127.0.0.1/',
    'file:///etc/hostname',
    'mailto:a@b',
    'about:blank',
    'about:x',
    'ws://127.0.0.1/',
    'javascript:1',
    'x:y',
  ].map(
    (target): Case => ({
      title: `${target} cannot be fetched: a TypeError`,
      run: (fetch) => argued(fetch(target)),
    }),
  ),
  ...[1, 25, 6000, 6667, 10080].map(
    (port): Case => ({
      title: `port ${port} is refused, and not connected to`,
      run: (fetch) => outcome(fetch(`http://127.0.0.1:${port}/`)),
    }),
  ),
  {
    title: 'credentials in the URL are a TypeError',
    run: async (fetch, origin, server) => {
      const targets = ['user:password@', 'user@', ':password@'].map((userinfo) => origin.replace('//', `//${userinfo}`))
      return [await Promise.all(targets.map((target) => outcome(fetch(target)))), server.received]
    },
  },
  {
    title: 'an empty userinfo is no credentials',
    run: (fetch, origin, server) => exchange(fetch(origin.replace('//', '//@')), server),
  },
  ...(
    [
      ['a URL object', (origin: string) => new URL('/path?a#b', origin)],
      ['an object with toString', (origin: string) => ({ toString: () => `${origin}/path` })],
      ['white space around it', (origin: string) => ` \n${origin}/path\t `],
      ['capitals in scheme and host', (origin: string) => `${origin.replace('http', 'HTTP')}/Path`],
      ['backslashes', (origin: string) => `${origin}\\a\\b`],
      ['a tab and a line break in it', (origin: string) => `${origin}/a\tb\nc`],
      ['a quote, a space and a percent sign', (origin: string) => `${origin}/a"b c%d?e'f"g h`],
      ['a fragment', (origin: string) => `${origin}/a#b?c`],
      ['another URL in its query', (origin: string) => `${origin}/?to=http://a/b?c`],
      ['an address in another notation', (origin: string) => origin.replace('127.0.0.1', '0x7f.1')],
      ['an array', (origin: string) => [`${origin}/path`]],
      ['a host with a dot at its end', (origin: string) => `${origin.replace('127.0.0.1', '127.0.0.1.')}/`],
    ] as const
  ).map(
    ([title, target]): Case => ({
      title: `the target: ${title}`,
      run: (fetch, origin, server) => exchange(fetch(target(origin) as string), server),
    }),
  ),
  ...since24([
    {
      title: 'the target: a question mark at its end',
      run: (fetch, origin, server) => exchange(fetch(`${origin}/a?`), server),
    },
  ]),
  {
    title: 'a symbol, null and undefined are no targets',
    run: async (fetch) =>
      Promise.all([Symbol('a'), null, undefined, {}].map((target) => argued(fetch(target as unknown as string)))),
  },
]

const options: readonly Case[] = [
  ...(
    [
      { keepalive: true },
      { keepalive: false },
      { mode: 'cors' },
      { mode: 'same-origin' },
      { mode: 'no-cors', headers: { 'x-field': 'a' } },
      { credentials: 'omit' },
      { credentials: 'same-origin' },
      { credentials: 'include' },
      { cache: 'default' },
      { cache: 'no-store' },
      { cache: 'no-cache' },
      { cache: 'reload' },
      { cache: 'force-cache' },
      { referrer: '' },
      { referrer: 'about:client' },
      { referrerPolicy: 'no-referrer' },
      { priority: 'high' },
      { redirect: 'follow' },
      { signal: null },
      { body: null },
      { window: null },
      { unknown: 'member' },
    ] as readonly Init[]
  ).map(
    (init): Case => ({
      title: `${JSON.stringify(init)} is accepted`,
      run: (fetch, origin, server) => exchange(fetch(origin, init), server),
    }),
  ),
  ...(
    [
      { redirect: 'sometimes' },
      { redirect: null },
      { mode: 'navigate' },
      { mode: 'sometimes' },
      { credentials: 'sometimes' },
      { cache: 'sometimes' },
      { cache: 'only-if-cached' },
      { referrer: 'http://' },
      { referrerPolicy: 'sometimes' },
      { window: 'own' },
      { signal: 'no signal' },
      { signal: {} },
      { duplex: 'full' },
    ] as readonly Init[]
  ).map(
    (init): Case => ({
      title: `${JSON.stringify(init)} is a TypeError`,
      run: (fetch, origin, server) => argued(fetch(origin, init), server),
    }),
  ),
  ...(['text', 5, true, Symbol('a')] as const).map(
    (init): Case => ({
      title: `init as a ${typeof init}`,
      run: (fetch, origin, server) => argued(fetch(origin, init as Init), server),
    }),
  ),
  {
    title: 'init as null and as an object without a prototype',
    run: async (fetch, origin, server) => {
      await outcome(fetch(origin, null as unknown as Init))
      await outcome(fetch(origin, Object.assign(Object.create(null), { method: 'PUT' })))
      return server.received
    },
  },
  {
    title: 'every failure is a rejection, nothing is thrown',
    run: async (fetch, origin) => {
      const promises = [fetch(''), fetch(origin, { method: ' ' }), fetch(origin, { headers: [['']] as never })]
      return Promise.all(promises.map((promise) => argued(promise)))
    },
  },
]

parity('methods', methods)
parity('targets', targets)
parity('options', options)
