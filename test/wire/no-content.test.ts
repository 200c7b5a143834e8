import { describe, expect, it } from 'vitest'
import { fetchStandard } from '../../src/index.ts'
import { httpServer, socketServer } from '../support/server.ts'
import { caught, client, rawResponse } from '../support/wire.ts'

describe('a status without content', () => {
  it.each([204, 205, 304])(
    '%i: json() resolves to undefined, whatever the Content-Type says, and text() to nothing',
    async (status) => {
      await using server = await httpServer((_request, response) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(),
      )
      const api = client()
      expect(await (await api(server.origin, { method: 'PUT', body: '1' })).json()).toBeUndefined()
      expect(await (await api(server.origin)).clone().json()).toBeUndefined()
      const response = await api(server.origin, { errors: 'return' })
      expect([await response.json(), await response.json(), response.bodyUsed]).toEqual([undefined, undefined, false])
      expect(await (await api(server.origin)).text()).toBe('')
      expect(server.requests).toHaveLength(4)
    },
  )

  it.each([204, 205, 304])('%i: json() fails with the SyntaxError of fetch where fetch is asked for', async (status) => {
    await using server = await httpServer((_request, response) => response.writeHead(status).end())
    const response = await client(fetchStandard)(server.origin)
    expect((await caught(response.json())) as Error).toBeInstanceOf(SyntaxError)
    expect(server.requests).toHaveLength(1)
  })

  it('200: JSON that is empty still fails, as with fetch', async () => {
    await using server = await httpServer((_request, response) => response.end())
    expect(await caught((await client()(server.origin)).json())).toBeInstanceOf(Error)
    expect(server.requests).toHaveLength(1)
  })

  // RFC 9112 §6.3: a 204 ends with its header section. What follows belongs to no request.
  it.each([
    ['content that a Content-Length announces', 'HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello'],
    ['content in chunks', 'HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
    ['bytes of nothing', 'HTTP/1.1 204 No Content\r\n\r\n{"a":1}'],
    ['a whole response', `HTTP/1.1 204 No Content\r\n\r\n${rawResponse('200 OK', {}, 'of somebody else')}`],
    ['content after a 304', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\nhello'],
  ])('204: %s never becomes the answer to the next request', async (_what, bytes) => {
    await using server = await socketServer((socket, received) =>
      socket.write(received.startsWith('GET /first') ? bytes : rawResponse('200 OK', {}, 'its own answer')),
    )
    const api = client({ maxAttempts: 1 })
    for (let round = 0; round < 5; round += 1) {
      const first = await api(`${server.origin}/first`)
      expect([first.body, await first.text()]).toEqual([null, ''])
      expect(await (await api(server.origin, { method: 'POST', body: 'a' })).text()).toBe('its own answer')
    }
    expect(server.requests).toHaveLength(10)
  })

  // RFC 9110 §15.3.6: a 205 has no content, but RFC 9112 §6.3 lets its framing say so.
  it.each([
    ['a length of 0', 'content-length: 0\r\n\r\n'],
    ['an empty chunked body', 'transfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['content that it must not have', 'content-length: 5\r\n\r\nhello'],
    ['chunks that it must not have', 'transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
  ])('205: with %s it is delivered empty, and the next request is not disturbed', async (_what, rest) => {
    await using server = await socketServer((socket, received) =>
      socket.write(
        received.startsWith('GET /first') ? `HTTP/1.1 205 Reset Content\r\n${rest}` : rawResponse('200 OK', {}, 'next'),
      ),
    )
    const api = client({ maxAttempts: 1 })
    for (let round = 0; round < 3; round += 1) {
      const first = await api(`${server.origin}/first`)
      expect([first.status, first.body, await first.json()]).toEqual([205, null, undefined])
      expect(await (await api(server.origin, { method: 'POST', body: 'a' })).text()).toBe('next')
    }
    expect(server.requests).toHaveLength(6)
    expect(server.connections.length).toBeLessThanOrEqual(2)
  })
})
