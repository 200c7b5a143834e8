import { inspect } from 'node:util'
import { type Case, exchange, head, outcome, parity, raw, tried } from '../support/parity.ts'

const statuses: readonly Case[] = [
  ['200 OK', 'with a reason phrase'],
  ['200 ', 'with an empty reason phrase'],
  ['200 Très bien', 'with a reason phrase beyond ASCII'],
  ['201 Created', 'is ok'],
  ['203 Changed on the way', 'with a phrase of its own'],
  ['206 Partial Content', 'unasked'],
  ['226 IM Used', 'is ok'],
  ['299 Nearly', 'is ok'],
  ['300 Multiple Choices', 'is delivered'],
  ['304 Not Modified', 'has no body'],
  ['305 Use Proxy', 'is delivered'],
  ['306 Unused', 'is delivered'],
  ['399 Odd', 'is delivered'],
  ['400 Bad Request', 'is not ok'],
  ['401 Unauthorized', 'without a challenge'],
  ['404 Not Found', 'is delivered'],
  ['408 Request Timeout', 'is delivered'],
  ['418 Teapot', 'is delivered'],
  ['421 Misdirected Request', 'is asked for once more on another connection, then delivered'],
  ['425 Too Early', 'is delivered'],
  ['429 Too Many Requests', 'is delivered at once'],
  ['451 Unavailable For Legal Reasons', 'is delivered'],
  ['499 Client Closed Request', 'is delivered'],
  ['500 Internal Server Error', 'is delivered at once'],
  ['503 Service Unavailable', 'is delivered at once'],
  ['511 Network Authentication Required', 'is delivered'],
  ['599 Last', 'is delivered'],
].map(([line, rule]) => ({
  title: `${line} ${rule}`,
  // A 421 is asked for again, but not sooner than its Retry-After says.
  reply: raw(
    line as string,
    ['content-type: text/plain', ...(line?.startsWith('421') ? [] : ['retry-after: 60'])],
    line?.startsWith('304') ? '' : 'content',
  ),
  run: (fetch, origin, server) => exchange(fetch(origin), server),
}))

const bodiless: readonly Case[] = [
  ...['204 No Content', '304 Not Modified'].map(
    (line): Case => ({
      title: `${line} has a null body that reads as nothing`,
      reply: `HTTP/1.1 ${line}\r\nx-field: kept\r\nconnection: close\r\n\r\n`,
      run: (fetch, origin) => outcome(fetch(origin)),
    }),
  ),
  {
    title: '205 Reset Content has a null body',
    reply: raw('205 Reset Content'),
    run: (fetch, origin) => outcome(fetch(origin)),
  },
  {
    title: 'a 200 without content has a body that reads as nothing',
    reply: raw('200 OK'),
    run: (fetch, origin) => outcome(fetch(origin)),
  },
  {
    title: 'the response to HEAD has a null body, and the length it would have had',
    reply: raw('200 OK', ['content-length: 1000', 'content-type: text/plain']),
    run: (fetch, origin, server) => exchange(fetch(origin, { method: 'HEAD' }), server),
  },
  {
    title: 'the failed response to HEAD has a null body',
    reply: raw('404 Not Found', ['content-length: 1000']),
    run: (fetch, origin) => outcome(fetch(origin, { method: 'HEAD' })),
  },
  {
    title: 'reading a null body does not use it up',
    reply: raw('204 No Content', ['content-length: 0']),
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      return [await response.text(), await response.text(), (await response.bytes()).length, response.bodyUsed]
    },
  },
]

const urls: readonly Case[] = [
  ['/', 'of the root'],
  ['', 'without a path has one'],
  ['/a?b=c', 'keeps its query'],
  ['/a#fragment', 'has no fragment'],
  ['/a?#', 'keeps an empty query, without the empty fragment'],
  ['/a/../b/./c', 'is normalised'],
  ['/ä?ö', 'is percent-encoded'],
  ['/%7Ea%2Fb', 'keeps what was percent-encoded'],
  ['//a//b', 'keeps empty segments'],
].map(([path, rule]) => ({
  title: `the url ${rule}: ${path}`,
  // What is sent where the URL has an empty query and an empty fragment stands among the differences.
  run: (fetch, origin, server) =>
    path === '/a?#' ? outcome(fetch(`${origin}${path}`)) : exchange(fetch(`${origin}${path}`), server),
}))

const members: readonly Case[] = [
  {
    title: 'the type is that of a response over HTTP',
    run: async (fetch, origin) => (await fetch(origin)).type,
  },
  {
    title: 'it is a Response of the platform, and says so',
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      return [
        response instanceof Response,
        Object.prototype.toString.call(response),
        response.headers instanceof Headers,
        response.body instanceof ReadableStream,
        String(response),
        response.constructor === Response || response.constructor.name,
      ]
    },
  },
  {
    title: 'it has every member of Response, and none can be assigned',
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const names = Object.getOwnPropertyNames(Response.prototype).sort()
      const assigned = names.map((name) => tried(() => Reflect.set(response, name, 'x') && Reflect.get(response, name) !== 'x'))
      return [names.filter((name) => !(name in response)), (await Promise.all(assigned)).length, response.status, response.url]
    },
  },
  {
    title: 'it has no enumerable property of its own',
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      return [Object.keys(response), JSON.stringify(response)]
    },
  },
  {
    title: 'util.inspect shows a Response with its status and url',
    run: async (fetch, origin) => {
      const text = inspect(await fetch(origin))
      return [/^Response \{/.test(text), /status: 200/.test(text), /url: 'http:/.test(text)]
    },
  },
  {
    title: 'what is no Response has no status',
    run: async (fetch, origin) => {
      await fetch(origin)
      const { get } = Object.getOwnPropertyDescriptor(Response.prototype, 'status') as PropertyDescriptor
      return [await tried(() => get?.call({})), await tried(() => Response.prototype.status)]
    },
  },
  {
    title: 'the statics of Response are untouched',
    run: async (fetch, origin) => {
      await fetch(origin)
      return [Response.error().type, Response.json({}).status, Response.redirect('http://127.0.0.1/').status, new Response().type]
    },
  },
  {
    title: 'it makes another Response with its body, status and headers',
    reply: raw('201 Created', ['x-field: a', 'set-cookie: a=1', 'set-cookie: b=2'], 'content'),
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const copy = new Response(response.body, response)
      copy.headers.set('x-own', 'yes')
      return { ...head(copy), text: await copy.text(), used: response.bodyUsed }
    },
  },
  {
    title: 'its members are the same object each time',
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const { headers, body } = response
      return [headers === response.headers, body === response.body]
    },
  },
]

parity('the status of a response', statuses)
parity('responses without a body', bodiless)
parity('the url of a response', urls)
parity('the members of a response', members)
