import { argued, type Case, exchange, type Fetch, outcome, parity, raw, since24 } from '../support/parity.ts'

const withFields = (fetch: Fetch, origin: string, headers: unknown): Promise<Response> =>
  fetch(origin, { headers: headers as HeadersInit })

const forms: readonly Case[] = (
  [
    ['a record', () => ({ 'X-B': '1', 'x-a': '2' })],
    [
      'a Headers',
      () =>
        new Headers([
          ['x-a', '1'],
          ['x-a', '2'],
        ]),
    ],
    [
      'a list of pairs, names repeated',
      () => [
        ['X-A', '1'],
        ['x-b', '2'],
        ['x-a', '3'],
      ],
    ],
    ['a Map', () => new Map([['x-a', '1']])],
    [
      'the fields of a generator',
      function* () {
        yield ['x-a', '1']
      },
    ],
    ['a record whose names differ in case only', () => ({ 'X-A': '1', 'x-a': '2' })],
    ['an empty record', () => ({})],
    ['undefined', () => undefined],
    ['null', () => null],
    ['a string', () => 'x-a: 1'],
    ['a number', () => 5],
    ['a list of strings', () => ['x-a']],
    ['a list of triples', () => [['x-a', '1', '2']]],
    ['a list of lists that are no arrays', () => [new Set(['x-a', '1'])]],
    [
      'cookies repeated',
      () => [
        ['cookie', 'a=1'],
        ['cookie', 'b=2'],
      ],
    ],
    ['a record without a prototype', () => Object.assign(Object.create(null), { 'x-a': '1' })],
    [
      'an object of a class',
      () =>
        new (class {
          'x-a' = '1'
        })(),
    ],
    ['a record with an inherited member', () => Object.create({ 'x-a': '1' })],
    ['a record with a symbol', () => ({ [Symbol('a')]: '1', 'x-a': '2' })],
  ] as const
).map(([title, headers]) => ({
  title: `headers: ${title}`,
  run: (fetch, origin, server) => {
    const value = headers()
    return exchange(withFields(fetch, origin, value), server)
  },
}))

const values: readonly Case[] = (
  [
    ['white space around it is dropped', ' \t a b \t '],
    ['line breaks around it are dropped', '\r\n a\r\n'],
    ['nothing', ''],
    ['Latin-1 is one byte each', 'na\u00efve'],
    ['a number', 5],
    ['a boolean', true],
    ['null', null],
    ['a list', ['a', 'b']],
    ['an object with toString', { toString: () => 'a' }],
    ['a symbol is refused', Symbol('a')],
    ['a line break in it is refused', 'a\r\nx-injected: b'],
    ['a line feed in it is refused', 'a\nb'],
    ['NUL is refused', 'a\0b'],
    ['a control character', 'a\u0001b'],
    ['DEL', 'a\u007fb'],
    ['a tab in it', 'a\tb'],
    ['a character beyond Latin-1 is refused', '€'],
  ] as const
).map(([title, value]) => ({
  title: `a value: ${title}`,
  run: (fetch, origin, server) => argued(withFields(fetch, origin, { 'x-field': value }), server),
}))

const names: readonly Case[] = ['a b', '', 'a:b', 'ä', 'a\r\nb', '(a)', 'constructor', "!#$%&'*+-.^_`|~9Aa"].map((name) => ({
  title: `the name ${JSON.stringify(name)}`,
  run: (fetch, origin, server) => exchange(withFields(fetch, origin, [[name, 'a']]), server),
}))

/** Fields a browser keeps to itself, which a service may set. */
const ordinary: readonly Case[] = (
  [
    ['Accept', 'text/html'],
    ['Accept-Charset', 'utf-8'],
    ['Accept-Encoding', 'identity'],
    ['Accept-Language', 'de'],
    ['Access-Control-Request-Method', 'PUT'],
    ['Authorization', 'Bearer token'],
    ['Cookie', 'a=1; b=2'],
    ['Cookie2', 'a=1'],
    ['Date', 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['DNT', '1'],
    ['If-None-Match', '"a"'],
    ['Origin', 'http://example.com'],
    ['Proxy-Authorization', 'Basic YTpi'],
    ['Range', 'bytes=0-1'],
    ['Referer', 'http://example.com/'],
    ['Sec-Own', '1'],
    ['Sec-Fetch-Site', 'none'],
    ['Set-Cookie', 'a=1'],
    ['Trailer', 'x-a'],
    ['User-Agent', 'own/1.0'],
    ['Via', '1.1 own'],
    ['X-HTTP-Method-Override', 'TRACE'],
    ['Cache-Control', 'no-store'],
    ['Pragma', 'no-cache'],
    ['Connection', 'close'],
    ['Connection', 'keep-alive'],
    ['Connection', 'x-field'],
    ['Keep-Alive', 'timeout=5'],
    ['Upgrade', 'websocket'],
    ['Transfer-Encoding', 'chunked'],
    ['Transfer-Encoding', 'gzip'],
    ['Expect', '100-continue'],
    ['Content-Type', 'text/x'],
    ['Content-Encoding', 'gzip'],
    ['Content-Length', '0'],
    ['Content-Length', '5'],
    ['Content-Length', 'x'],
  ] as const
).map(([name, value]) => ({
  title: `the field ${name}: ${value}`,
  run: (fetch, origin, server) => argued(withFields(fetch, origin, { [name]: value }), server),
}))

const withContent: readonly Case[] = (
  [
    ['Content-Type of the caller replaces the one of the body', 'text', { 'Content-Type': 'text/x' }],
    ['an empty Content-Type stays empty', 'text', { 'content-type': '' }],
    ['a Content-Length that is too large', 'text', { 'content-length': '5' }],
    ['a Content-Length that is no number', 'text', { 'content-length': 'four' }],
    ['Content-Type with a Blob', new Blob(['a'], { type: 'text/plain' }), { 'content-type': 'text/x' }],
  ] as const
).map(([title, body, headers]) => ({
  title,
  run: (fetch, origin, server) => exchange(fetch(origin, { method: 'POST', body, headers }), server),
}))

const replaced: readonly Case[] = [
  ...since24([
    {
      title: 'a right Content-Length',
      run: (fetch, origin, server) =>
        exchange(fetch(origin, { method: 'POST', body: 'text', headers: { 'content-length': '4' } }), server),
    },
  ]),
  {
    title: 'Content-Type of the caller replaces the one of FormData',
    run: async (fetch, origin, server) => {
      await fetch(origin, { method: 'POST', body: new FormData(), headers: { 'content-type': 'text/x' } })
      return server.received[0]?.fields.filter(([name]) => name === 'content-type')
    },
  },
]

const conditional: readonly Case[] = [
  {
    title: 'a 304 is delivered to the caller whose condition it answers',
    reply: raw('304 Not Modified', ['etag: "a"', 'content-length: 5']),
    run: (fetch, origin) => outcome(fetch(origin, { headers: { 'if-none-match': '"a"' } })),
  },
  {
    title: 'a 412 is delivered',
    reply: raw('412 Precondition Failed', [], 'content'),
    run: (fetch, origin) => outcome(fetch(origin, { headers: { 'if-match': '"a"' } })),
  },
]

parity('the forms of headers', forms)
parity('values of fields', values)
parity('names of fields', names)
parity('fields that may be set', ordinary)
parity('fields beside content', [...withContent, ...replaced])
parity('conditions', conditional)
