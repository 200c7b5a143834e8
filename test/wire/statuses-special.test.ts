import { describe, expect, it, onTestFinished } from 'vitest'
import * as steadfetch from '../../src/index.ts'
import { createFetch, follow, HttpError, retry, type SteadFetch, traceOf } from '../../src/index.ts'
import { httpServer, type LocalServer, socketServer } from '../support/server.ts'
import { caught, inTurn, keepingServer, rawResponse } from '../support/wire.ts'

/** The default policies, with the shortest waits that they can come to. */
function byDefault(): SteadFetch {
  const api = createFetch({ random: () => 0 })
  onTestFinished(() => api.close())
  return api
}

function always(status: number, headers: Record<string, string> = {}): Promise<LocalServer> {
  return httpServer((_request, response) => response.writeHead(status, headers).end('the body'))
}

/** What GET of such a server rejects with, and how often the server was asked. */
async function failureOf(
  status: number,
  headers: Record<string, string> = {},
  init = {},
): Promise<[error: unknown, asked: number]> {
  await using server = await always(status, headers)
  const error = await caught(byDefault()(server.origin, init))
  return [error, server.requests.length]
}

describe('1xx, 2xx and 3xx', () => {
  it('104: the Location of an upload that can be resumed is told, and the final response is delivered', async () => {
    await using server = await socketServer((socket) =>
      socket.write(
        `HTTP/1.1 104 Upload Resumption Supported\r\nlocation: /upload/1\r\n\r\n${rawResponse('201 Created', {}, 'ok')}`,
      ),
    )
    const seen: unknown[] = []
    const onInformation = ({ status, headers }: steadfetch.Information) => seen.push([status, headers.get('location')])
    const response = await byDefault()(server.origin, {
      method: 'POST',
      body: 'a',
      onInformation: (told) => void onInformation(told),
    })
    expect([response.status, await response.text(), seen]).toEqual([201, 'ok', [[104, '/upload/1']]])
    expect(server.requests).toHaveLength(1)
  })

  it.each([203, 206, 207, 208, 226])(
    '%i: is delivered as it is; what it says of its parts is for the caller to read',
    async (status) => {
      await using server = await always(status, { 'content-type': 'application/xml' })
      const response = await byDefault()(server.origin)
      expect([response.status, response.ok, await response.text()]).toEqual([status, true, 'the body'])
      expect(server.requests).toEqual(['GET /'])
    },
  )

  it('300: the choice is the caller’s, even where a Location names one (RFC 9110 §15.4.1 lets us); follow() takes it', async () => {
    await using server = await httpServer((request, response) => {
      if (request.url === '/') response.writeHead(300, { location: '/en', link: '</de>; rel=alternate' }).end('/en /de')
      else response.end(request.url)
    })
    const response = await byDefault()(server.origin)
    expect([response.status, response.headers.get('location'), await response.text()]).toEqual([300, '/en', '/en /de'])
    expect(server.requests).toEqual(['GET /'])
    expect(await (await byDefault()(server.origin, { on: { 300: follow() } })).text()).toBe('/en')
    expect(server.requests).toEqual(['GET /', 'GET /', 'GET /en'])
  })

  it.each([305, 306])('%i: no proxy is used because a response says so, RFC 9110 §15.4.6', async (status) => {
    await using proxy = await always(200)
    await using server = await always(status, { location: proxy.origin, 'set-proxy': 'SET; proxyURI="x"' })
    const response = await byDefault()(server.origin)
    expect([response.status, await response.text()]).toEqual([status, 'the body'])
    expect([server.requests.length, proxy.requests.length]).toEqual([1, 0])
  })

  it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE'])('303: %s becomes GET without content; HEAD stays HEAD', async (method) => {
    await using server = await keepingServer((response, { path }) => {
      if (path === '/') response.writeHead(303, { location: '/new' }).end()
      else response.end('new')
    })
    const content = method === 'GET' || method === 'HEAD' ? {} : { body: 'content' }
    const response = await byDefault()(server.origin, { method, ...content })
    expect([response.status, response.redirected]).toEqual([200, true])
    const [, second] = server.received
    expect([second?.method, second?.body.length, second?.headers['content-type']]).toEqual([
      method === 'HEAD' ? 'HEAD' : 'GET',
      0,
      undefined,
    ])
    expect(server.requests).toHaveLength(2)
  })
})

describe('4xx and 5xx that are thrown after one attempt', () => {
  it.each([402, 409, 410, 412, 414, 417, 422, 423, 424, 428, 431, 501, 505, 506, 507, 508, 510])(
    '%i: of an idempotent request, too; its Retry-After is told, not waited for',
    async (status) => {
      const [error, asked] = await failureOf(status, { 'retry-after': '7' })
      expect(error).toBeInstanceOf(HttpError)
      expect(error).toMatchObject({ status, attempts: 1, retryable: false, retryAfterMs: 7_000, body: 'the body' })
      expect(asked).toBe(1)
    },
  )

  it('405: tells the methods that are allowed, if any', async () => {
    const [error] = await failureOf(405, { allow: 'GET, HEAD ,, OPTIONS' })
    expect(error).toBeInstanceOf(steadfetch.MethodNotAllowedError)
    expect((error as steadfetch.MethodNotAllowedError).allow).toEqual(['GET', 'HEAD', 'OPTIONS'])
    expect(((await failureOf(405, { allow: '' }))[0] as steadfetch.MethodNotAllowedError).allow).toEqual([])
    expect(((await failureOf(405))[0] as steadfetch.MethodNotAllowedError).allow).toBeUndefined()
  })

  it('406: the alternatives are in the content', async () => {
    const [error, asked] = await failureOf(406, {}, { headers: { accept: 'image/webp' } })
    expect(error).toBeInstanceOf(steadfetch.NotAcceptableError)
    expect([(error as HttpError).body, asked]).toEqual(['the body', 1])
  })

  it('407: of an origin is thrown, and nothing is sent to it in answer', async () => {
    const [error, asked] = await failureOf(407, { 'proxy-authenticate': 'Basic realm="a"' })
    expect(error).toBeInstanceOf(steadfetch.ProxyAuthenticationRequiredError)
    expect((error as HttpError).headers.get('proxy-authenticate')).toBe('Basic realm="a"')
    expect(asked).toBe(1)
  })

  it('409: is asked again only where a policy says so', async () => {
    await using server = await keepingServer(inTurn(409, 409, 200))
    const again = retry({ baseMs: 0 })
    expect(await caught(byDefault()(server.origin))).toBeInstanceOf(steadfetch.ConflictError)
    expect((await byDefault()(server.origin, { on: { 409: again } })).status).toBe(200)
    expect(server.requests).toHaveLength(3)
  })

  it('411: does not come for content whose length is known, for that is sent; a stream is not sent again', async () => {
    await using server = await keepingServer((response, { headers }) =>
      response.writeHead(headers['content-length'] === undefined ? 411 : 200).end(headers['transfer-encoding']),
    )
    const form = new FormData()
    form.set('a', 'b')
    const bodies = ['text', new Uint8Array(3), new Blob(['blob']), new URLSearchParams('a=b'), form]
    for (const body of bodies) expect((await byDefault()(server.origin, { method: 'POST', body })).status).toBe(200)
    const request = new Request(server.origin, { method: 'POST', body: 'text' })
    expect((await byDefault()(request)).status).toBe(200)
    expect((await byDefault()(server.origin, { method: 'POST' })).status).toBe(200)
    const error = await caught(byDefault()(server.origin, { method: 'PUT', body: new Blob(['a']).stream(), duplex: 'half' }))
    expect(error).toBeInstanceOf(steadfetch.LengthRequiredError)
    expect(error).toMatchObject({ attempts: 1, body: 'chunked' })
    expect(server.requests).toHaveLength(8)
  })

  it('415: tells the media types and the codings that would do, RFC 9110 §15.5.16', async () => {
    const [error] = await failureOf(415, { accept: 'application/json, text/*;q=0.5', 'accept-encoding': 'gzip' })
    const { accept, acceptEncoding } = error as steadfetch.UnsupportedMediaTypeError
    expect([accept, acceptEncoding]).toEqual([['application/json', 'text/*;q=0.5'], ['gzip']])
    const none = (await failureOf(415))[0] as steadfetch.UnsupportedMediaTypeError
    expect([none.accept, none.acceptEncoding]).toEqual([undefined, undefined])
  })

  it('416: tells the length of the whole, RFC 9110 §15.5.17', async () => {
    const length = async (field: Record<string, string>): Promise<number | undefined> =>
      ((await failureOf(416, field, { headers: { range: 'bytes=9-' } }))[0] as steadfetch.RangeNotSatisfiableError).completeLength
    expect(await length({ 'content-range': 'bytes */47022' })).toBe(47_022)
    expect(await length({ 'content-range': 'bytes */*' })).toBeUndefined()
    expect(await length({})).toBeUndefined()
  })

  it('426: tells the protocols that would do, RFC 9110 §15.5.22', async () => {
    await using server = await socketServer((socket) =>
      socket.write(rawResponse('426 Upgrade Required', { upgrade: 'HTTP/3.0, websocket', connection: 'upgrade' }, 'no')),
    )
    const error = await caught(byDefault()(server.origin))
    expect(error).toBeInstanceOf(steadfetch.UpgradeRequiredError)
    expect((error as steadfetch.UpgradeRequiredError).upgrade).toEqual(['HTTP/3.0', 'websocket'])
    expect(server.requests).toHaveLength(1)
  })

  it('451: tells who blocks, RFC 7725 §4', async () => {
    const link = '<https://court.example.org/order>; rel="describedby", <https://isp.example.net/legal>; rel="blocked-by"'
    const [error, asked] = await failureOf(451, { link })
    expect((error as steadfetch.UnavailableForLegalReasonsError).blockedBy).toBe('https://isp.example.net/legal')
    expect(asked).toBe(1)
    const other = (await failureOf(451, { link: '</a>; rel=next' }))[0] as steadfetch.UnavailableForLegalReasonsError
    expect(other.blockedBy).toBeUndefined()
  })

  it('511: of a network that wants a sign-in is thrown, and nothing of it is followed or answered', async () => {
    const [error, asked] = await failureOf(511, { location: '/login', refresh: '0; url=/login' })
    expect(error).toBeInstanceOf(steadfetch.NetworkAuthenticationRequiredError)
    expect([(error as HttpError).retryable, asked]).toEqual([false, 1])
  })
})

describe('408 Request Timeout (RFC 9110 §15.5.9)', () => {
  const closing = rawResponse('408 Request Timeout', { connection: 'close' }, 'late')

  it('is asked again over another connection if the request is idempotent, else thrown', async () => {
    await using server = await socketServer((socket) => {
      if (server.requests.length % 2 === 1) socket.end(closing)
      else socket.write(rawResponse('200 OK', {}, 'in time'))
    })
    const response = await byDefault()(server.origin, { method: 'PUT', body: 'a' })
    expect(await response.text()).toBe('in time')
    expect(traceOf(response)?.attempts.map(({ status }) => status)).toEqual([408, 200])
    expect([server.requests.length, server.connections.length]).toEqual([2, 2])
    const error = await caught(byDefault()(server.origin, { method: 'POST', body: 'a' }))
    expect(error).toBeInstanceOf(steadfetch.RequestTimeoutError)
    expect(server.requests).toHaveLength(3)
  })

  it('that a server says on an idle connection is not taken for the answer to the next request', async () => {
    await using server = await socketServer((socket) => {
      socket.write(rawResponse('200 OK', {}, 'its own answer'))
      setTimeout(() => socket.end(closing), 10)
    })
    const api = byDefault()
    for (let count = 0; count < 3; count += 1) {
      const response = await api(server.origin, { method: 'POST', body: 'a' })
      expect([response.status, await response.text()]).toEqual([200, 'its own answer'])
      await expect.poll(() => server.connections.at(-1)?.destroyed).toBe(true)
    }
    expect([server.requests.length, server.connections.length]).toEqual([3, 3])
  })
})

describe('413 and 503 with Retry-After', () => {
  it.each([413, 503])('%i: is asked again after the time that it names, and no earlier', async (status) => {
    await using server = await keepingServer((response, _received, index) => {
      if (index === 0) response.writeHead(status, { 'retry-after': '1' }).end()
      else response.end('now')
    })
    const response = await byDefault()(server.origin, { method: 'PUT', body: 'a' })
    expect(await response.text()).toBe('now')
    const [first, second] = server.received
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(995)
    expect(server.requests).toHaveLength(2)
  })

  it('413: is thrown at once without', async () => {
    const [error, asked] = await failureOf(413)
    expect(error).toBeInstanceOf(steadfetch.ContentTooLargeError)
    expect(asked).toBe(1)
  })
})

describe('425 Too Early (RFC 8470 §5.2)', () => {
  it('is asked again, a POST too, in a connection that was set up: no request is ever sent as early data', async () => {
    await using server = await keepingServer(inTurn(425, 200))
    const response = await byDefault()(server.origin, { method: 'POST', body: 'a' })
    expect(await response.text()).toBe('answer 2')
    expect(server.received.map(({ headers, body }) => [headers['early-data'], String(body)])).toEqual([
      [undefined, 'a'],
      [undefined, 'a'],
    ])
  })

  it('is thrown to whoever forwards a request of early data: it is not for an intermediary to repeat it', async () => {
    await using server = await keepingServer(inTurn(425, 200))
    const error = await caught(byDefault()(server.origin, { headers: { 'early-data': '1' } }))
    expect(error).toBeInstanceOf(steadfetch.TooEarlyError)
    expect(error).toMatchObject({ attempts: 1 })
    expect(traceOf(error)?.notRepeated).toBe('sent in early data')
    expect(server.requests).toHaveLength(1)
  })
})
