import { describe, expect, it, onTestFinished } from 'vitest'
import * as steadfetch from '../../src/index.ts'
import { createFetch, type Information, type SteadFetch } from '../../src/index.ts'
import { httpServer, type LocalServer, socketServer } from '../support/server.ts'
import { caught, rawResponse } from '../support/wire.ts'

/** The default policies, with the shortest waits that they can come to. */
function byDefault(): SteadFetch {
  const api = createFetch({ random: () => 0 })
  onTestFinished(() => api.close())
  return api
}

function always(status: number, headers: Record<string, string> = {}, body = 'the body'): Promise<LocalServer> {
  return httpServer((_request, response) => response.writeHead(status, headers).end(body))
}

/** The server redirects everything but /new. */
function moved(status: number): Promise<LocalServer> {
  return httpServer((request, response) => {
    if (request.url === '/new') response.end('moved here')
    else response.writeHead(status, { location: '/new' }).end()
  })
}

/** What GET of such a server rejects with, and how often the server was asked. */
async function failureOf(status: number, headers: Record<string, string> = {}): Promise<{ error: unknown; asked: number }> {
  await using server = await always(status, headers)
  const error = await caught(byDefault()(server.origin))
  return { error, asked: server.requests.length }
}

describe('what a caller sees by default', () => {
  it('100: is told through onInformation although nobody asked for it, and the final response is delivered', async () => {
    await using server = await socketServer((socket) =>
      socket.write(`HTTP/1.1 100 Continue\r\n\r\n${rawResponse('200 OK', {}, 'ok')}`),
    )
    const seen: number[] = []
    const response = await byDefault()(server.origin, { onInformation: ({ status }) => seen.push(status) })
    expect([seen, response.status, await response.text()]).toEqual([[100], 200, 'ok'])
    expect(server.requests).toHaveLength(1)
  })

  it('101: an unsolicited switch of protocols is a protocol error, and its connection is given up', async () => {
    await using server = await socketServer((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\nbytes of the other'),
    )
    const error = await caught(byDefault()(server.origin, { method: 'POST' }))
    expect(error).toBeInstanceOf(steadfetch.NetworkError)
    expect(error).toMatchObject({ kind: 'protocol', attempts: 1 })
    expect(server.requests).toHaveLength(1)
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
  })

  it('102: is told through onInformation and the final response is delivered', async () => {
    await using server = await socketServer((socket) =>
      socket.write(`HTTP/1.1 102 Processing\r\nx-done: half\r\n\r\n${rawResponse('200 OK', {}, 'ok')}`),
    )
    const seen: Information[] = []
    const response = await byDefault()(server.origin, { onInformation: (information) => seen.push(information) })
    expect(seen.map(({ status, headers }) => [status, headers.get('x-done')])).toEqual([[102, 'half']])
    expect([response.status, await response.text()]).toEqual([200, 'ok'])
    expect(server.requests).toHaveLength(1)
  })

  it('200: the response is returned as it is', async () => {
    await using server = await always(200, { 'x-one': '1', 'content-type': 'text/plain' })
    const response = await byDefault()(`${server.origin}/path?query=1`)
    expect(response).toBeInstanceOf(Response)
    expect(response).toMatchObject({ status: 200, ok: true, statusText: 'OK', redirected: false })
    expect(response.url).toBe(`${server.origin}/path?query=1`)
    expect(response.headers.get('x-one')).toBe('1')
    expect(await response.text()).toBe('the body')
    expect(server.requests).toEqual(['GET /path?query=1'])
  })

  it('201: is returned with its Location, which is not followed', async () => {
    await using server = await always(201, { location: '/made' })
    const response = await byDefault()(server.origin, { method: 'POST', json: { a: 1 } })
    expect([response.status, response.ok, response.headers.get('location')]).toEqual([201, true, '/made'])
    expect(server.requests).toEqual(['POST /'])
  })

  it('202: is returned at once and not polled', async () => {
    await using server = await always(202, { location: '/job', 'retry-after': '1' })
    const response = await byDefault()(server.origin, { method: 'POST' })
    expect([response.status, await response.text()]).toEqual([202, 'the body'])
    expect(server.requests).toEqual(['POST /'])
  })

  it('204: is returned with no body', async () => {
    await using server = await always(204, {}, '')
    const response = await byDefault()(server.origin, { method: 'DELETE' })
    expect([response.status, response.body, await response.text()]).toEqual([204, null, ''])
    expect(server.requests).toEqual(['DELETE /'])
  })

  it('301: is followed', async () => {
    await using server = await moved(301)
    const response = await byDefault()(`${server.origin}/old`)
    expect(response).toMatchObject({ status: 200, redirected: true, url: `${server.origin}/new` })
    expect(server.requests).toEqual(['GET /old', 'GET /new'])
  })

  it('302: is followed', async () => {
    await using server = await moved(302)
    const response = await byDefault()(`${server.origin}/old`)
    expect([response.status, response.redirected, await response.text()]).toEqual([200, true, 'moved here'])
    expect(server.requests).toEqual(['GET /old', 'GET /new'])
  })

  it('304: is returned with no body, and its Location is not followed', async () => {
    await using server = await always(304, { etag: '"1"', location: '/new' }, '')
    const response = await byDefault()(server.origin, { headers: { 'if-none-match': '"1"' } })
    expect([response.status, response.body, response.headers.get('etag')]).toEqual([304, null, '"1"'])
    expect(server.requests).toEqual(['GET /'])
  })

  it('400: throws BadRequestError with the problem details, after one attempt', async () => {
    await using server = await always(400, { 'content-type': 'application/problem+json' }, '{"title":"No","detail":"Bad name"}')
    const error = await caught(byDefault()(server.origin))
    expect(error).toBeInstanceOf(steadfetch.BadRequestError)
    expect(error).toMatchObject({ status: 400, attempts: 1, problem: { title: 'No', detail: 'Bad name' } })
    expect(server.requests).toHaveLength(1)
  })

  it('401: throws UnauthorizedError with the challenge, after one attempt', async () => {
    const { error, asked } = await failureOf(401, { 'www-authenticate': 'Bearer realm="a"' })
    expect(error).toBeInstanceOf(steadfetch.UnauthorizedError)
    expect((error as steadfetch.HttpError).headers.get('www-authenticate')).toBe('Bearer realm="a"')
    expect(asked).toBe(1)
  })

  // Thrown after one attempt, however often the request could be sent.
  it.each([
    [403, steadfetch.ForbiddenError, 'Forbidden'],
    [404, steadfetch.NotFoundError, 'Not Found'],
  ])('%i: throws its error after one attempt', async (status, type, phrase) => {
    const { error, asked } = await failureOf(status)
    expect(error).toBeInstanceOf(type)
    expect(error).toMatchObject({ status, statusText: phrase, attempts: 1, body: 'the body' })
    expect(asked).toBe(1)
  })

  it('418: throws a plain ClientError, for the registry leaves the code unused', async () => {
    const { error, asked } = await failureOf(418)
    expect((error as Error).constructor).toBe(steadfetch.ClientError)
    expect(error).toMatchObject({ status: 418, attempts: 1 })
    expect(asked).toBe(1)
  })

  // Sent again because GET is idempotent, then thrown.
  it.each([
    [408, steadfetch.RequestTimeoutError, 'Request Timeout'],
    [429, steadfetch.TooManyRequestsError, 'Too Many Requests'],
    [500, steadfetch.InternalServerError, 'Internal Server Error'],
    [502, steadfetch.BadGatewayError, 'Bad Gateway'],
    [503, steadfetch.ServiceUnavailableError, 'Service Unavailable'],
    [504, steadfetch.GatewayTimeoutError, 'Gateway Timeout'],
  ])('%i: a GET is sent three times, then its error is thrown', async (status, type, phrase) => {
    const { error, asked } = await failureOf(status)
    expect(error).toBeInstanceOf(type)
    expect(error).toMatchObject({ status, statusText: phrase, attempts: 3, body: 'the body' })
    expect(asked).toBe(3)
  })
})
