import { type Case, head, parity, raw, settled, tried } from '../support/parity.ts'

const several = raw('200 OK', ['X-B: 1', 'x-a: 2', 'X-B: 3', 'set-cookie: a=1; Path=/', 'Set-Cookie: b=2', 'x-a: 4'], 'content')

const reading: readonly Case[] = [
  {
    title: 'names are in lower case and in order, repeated fields are joined, cookies are not',
    reply: several,
    run: async (fetch, origin) => [...(await fetch(origin)).headers],
  },
  {
    title: 'get, has and getSetCookie ignore the case of the name',
    reply: several,
    run: async (fetch, origin) => {
      const { headers } = await fetch(origin)
      return [
        headers.get('x-b'),
        headers.get('X-B'),
        headers.has('X-a'),
        headers.has('x-c'),
        headers.get('x-c'),
        headers.getSetCookie(),
      ]
    },
  },
  {
    title: 'get joins cookies',
    reply: several,
    run: async (fetch, origin) => (await fetch(origin)).headers.get('set-cookie'),
  },
  {
    title: 'there are no cookies',
    run: async (fetch, origin) => (await fetch(origin)).headers.getSetCookie(),
  },
  {
    title: 'keys, values, entries and forEach go the same way',
    reply: several,
    run: async (fetch, origin) => {
      const { headers } = await fetch(origin)
      const seen: unknown[] = []
      headers.forEach((value, name, all) => {
        seen.push([name, value, all === headers])
      })
      return [[...headers.keys()], [...headers.values()], [...headers.entries()], seen]
    },
  },
  {
    title: 'a name that is none is refused',
    run: async (fetch, origin) => {
      const { headers } = await fetch(origin)
      return [await tried(() => headers.get('a b')), await tried(() => headers.has('')), await tried(() => headers.get('ä'))]
    },
  },
  ...[
    ['white space before a value is dropped, that within it is kept', 'x-field: \t a  b'],
    ['an empty value is kept', 'x-field:'],
    ['an empty value is joined with others', 'x-field:\r\nx-field: a\r\nx-field:'],
    ['the bytes of obs-text are one character each', 'x-field: na\u00efve \u00ff\u0080'],
    ['UTF-8 is not decoded', `x-field: ${Buffer.from('naïve €').toString('latin1')}`],
    ['a tab within a value is kept', 'x-field: a\tb'],
    ['names may have any character of a token', "x!#$%&'*+-.^_`|~9: a"],
    ['names of Object.prototype are fields like others', '__proto__: a\r\nconstructor: b\r\nhasownproperty: c'],
    ['a value may hold commas and quotes', 'x-field: "a, b", c'],
    ['Content-Type twice is joined', 'content-type: text/plain\r\ncontent-type: text/html'],
    ['Location on a 200 means nothing', 'location: /elsewhere'],
    ['Date and Age are shown', 'date: Sun, 06 Nov 1994 08:49:37 GMT\r\nage: 5'],
    ['fields of the connection are shown', 'keep-alive: timeout=5\r\nx-field: a'],
    ['a long value is kept', `x-field: ${'a'.repeat(8_000)}`],
  ].map(
    ([rule, field]): Case => ({
      title: rule as string,
      reply: raw('200 OK', [field as string], 'content'),
      run: async (fetch, origin) => head(await fetch(origin)),
    }),
  ),
  {
    title: 'a hundred fields are kept in order',
    reply: raw(
      '200 OK',
      Array.from({ length: 100 }, (_nothing, index) => `x-${(index * 37) % 100}: ${index}`),
    ),
    run: async (fetch, origin) => [...(await fetch(origin)).headers],
  },
  {
    title: 'trailers are not fields of the response',
    reply:
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-after\r\nconnection: close\r\n\r\n3\r\nabc\r\n0\r\nx-after: a\r\n\r\n',
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      return { text: await settled(response.text()), ...head(response) }
    },
  },
  {
    title: 'the fields of a 103 before it are not among them',
    reply:
      'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nx-field: a\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
    run: async (fetch, origin) => head(await fetch(origin)),
  },
  {
    title: 'they make a Headers object that can be changed',
    reply: several,
    run: async (fetch, origin) => {
      const copy = new Headers((await fetch(origin)).headers)
      copy.set('x-a', 'own')
      return [...copy]
    },
  },
]

const changing: readonly Case[] = (
  [
    ['set', (headers) => headers.set('x-field', 'a')],
    ['append', (headers) => headers.append('x-field', 'a')],
    ['delete', (headers) => headers.delete('content-type')],
    ['delete of a name that is not there', (headers) => headers.delete('x-missing')],
    ['set with a name that is none', (headers) => headers.set('a b', 'a')],
    ['append with a value that is none', (headers) => headers.append('x-field', 'a\nb')],
  ] as const satisfies readonly (readonly [string, (headers: Headers) => void])[]
).map(([name, change]) => ({
  title: `${name} throws a TypeError and changes nothing`,
  run: async (fetch, origin) => {
    const { headers } = await fetch(origin)
    return [await tried(() => change(headers)), [...headers]]
  },
}))

parity('the headers of a response', reading)
parity('the headers of a response are immutable', changing)
