import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { NetworkError, traceOf } from '../../src/index.ts'
import { httpServer, socketServer } from '../support/server.ts'
import { httpsServer } from '../support/tls.ts'
import { caught, client, rawResponse } from '../support/wire.ts'

/** An origin on which nothing listens any more. */
async function nobody(): Promise<string> {
  const server = await httpServer(() => {})
  await server[Symbol.asyncDispose]()
  return server.origin
}

/** Each attempt by the code of its error or its status, and whether it was waited for. */
function trace(result: unknown): unknown[] | undefined {
  return traceOf(result)?.attempts.map(({ status, error, waitMs }) => [status ?? error, waitMs > 0])
}

/** The trace of a call whose attempts all failed in the same way. */
const allFailed = (kind: string): unknown[] =>
  [false, true, true].map((waited) => [`ERR_STEADFETCH_NETWORK_${kind.toUpperCase()}`, waited])

/** What reading the whole body of a GET rejects with. */
async function readingError(origin: string): Promise<unknown> {
  const response = await client()(origin)
  expect(response.status).toBe(200)
  return caught(response.text())
}

describe('before a connection', () => {
  it.each(['GET', 'POST'])('a refused connection: %s is sent again, for nothing of it was sent', async (method) => {
    const error = await caught(client()(await nobody(), { method }))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ kind: 'connect', sent: 'no', attempts: 3 })
    expect((error as Error).message).toContain('ECONNREFUSED')
    expect(trace(error)).toEqual(allFailed('connect'))
  })

  it('a host name that does not exist is an error of kind dns', async () => {
    const error = await caught(client()('http://nonexistent.invalid/', { method: 'POST', body: 'a' }))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind: 'dns', sent: 'no', attempts: 3 })
    expect(trace(error)).toEqual(allFailed('dns'))
  })

  it('TLS to a server that speaks none is an error of kind tls', async () => {
    await using server = await httpServer((_request, response) => response.end())
    const error = await caught(client()(server.origin.replace('http:', 'https:'), { method: 'POST' }))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind: 'tls', sent: 'no', attempts: 3 })
    expect(server.requests).toEqual([])
    expect(server.connections).toHaveLength(3)
  })

  it('a certificate of an unknown authority is an error of kind tls, and nothing is sent', async () => {
    await using server = await httpsServer((_request, response) => response.end())
    const error = await caught(client()(server.origin))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind: 'tls', sent: 'no', attempts: 3 })
    expect(server.requests).toEqual([])
  })
})

describe('before the response', () => {
  const faults: [string, (socket: Socket) => void, string][] = [
    ['a reset', (socket) => socket.resetAndDestroy(), 'reset'],
    ['a close', (socket) => socket.end(), 'reset'],
    ['a close in the header section', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-le'), 'reset'],
    ['a garbage status line', (socket) => socket.write('HELLO 200\r\n\r\n'), 'protocol'],
    ['a status of two digits', (socket) => socket.write('HTTP/1.1 20 OK\r\n\r\n'), 'protocol'],
    ['a field with a NUL', (socket) => socket.write('HTTP/1.1 200 OK\r\na: \0\r\n\r\n'), 'protocol'],
    [
      'two different lengths',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'),
      'protocol',
    ],
    ['a header section of 40 KB', (socket) => socket.write(rawResponse('200 OK', { 'x-long': 'a'.repeat(40_000) })), 'protocol'],
  ]

  it.each(faults)('%s: a GET is sent three times, then the NetworkError is thrown', async (_name, fault, kind) => {
    await using server = await socketServer(fault)
    const error = await caught(client()(server.origin))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind, sent: 'maybe', attempts: 3 })
    expect(trace(error)).toEqual(allFailed(kind))
    expect(server.requests).toHaveLength(3)
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
  })

  it.each(faults)('%s: a POST is sent once', async (_name, fault, kind) => {
    await using server = await socketServer(fault)
    const error = await caught(client()(server.origin, { method: 'POST' }))
    expect(error).toMatchObject({ kind, sent: 'maybe', attempts: 1 })
    expect(trace(error)).toHaveLength(1)
    expect(traceOf(error)).toMatchObject({ notRepeated: 'method is not idempotent' })
    expect(server.requests).toHaveLength(1)
  })

  it('a connection that the server closes between two requests is replaced', async () => {
    await using server = await socketServer((socket) => {
      socket.write(rawResponse('200 OK', {}, 'ok'))
      setTimeout(() => socket.destroy(), 20)
    })
    const api = client()
    for (let count = 0; count < 3; count += 1) {
      const response = await api(server.origin, { method: 'POST' })
      expect(await response.text()).toBe('ok')
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    expect(server.requests).toHaveLength(3)
    expect(server.connections).toHaveLength(3)
  })

  it('a kept connection that dies under the next request: GET is sent again, POST is not', async () => {
    const served = new Map<Socket, number>()
    await using server = await socketServer((socket) => {
      served.set(socket, (served.get(socket) ?? 0) + 1)
      if (served.get(socket) === 2) socket.resetAndDestroy()
      else socket.write(rawResponse('200 OK', {}, 'ok'))
    })
    const api = client()
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))
    await (await api(server.origin)).text()
    await pause()
    expect(await (await api(server.origin)).text()).toBe('ok')
    expect([server.requests.length, server.connections.length]).toEqual([3, 2])
    await pause()
    const error = await caught(api(server.origin, { method: 'POST' }))
    expect(error).toMatchObject({ kind: 'reset', attempts: 1 })
    expect(server.requests).toHaveLength(4)
  })
})

describe('in the middle of the body', () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'
  const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'
  const faults: [string, (socket: Socket) => void, string][] = [
    ['a close before the whole length', (socket) => socket.end(head), 'truncated'],
    ['a close before the last chunk', (socket) => socket.end(chunked), 'truncated'],
    ['a close in the middle of a chunk', (socket) => socket.end(`${chunked}5\r\nab`), 'truncated'],
    ['a bad chunk size', (socket) => socket.write(`${chunked}zz\r\nab\r\n`), 'protocol'],
  ]

  it.each(faults)('%s is an error, never a short body, and is not repeated', async (_name, fault, kind) => {
    await using server = await socketServer(fault)
    const error = await readingError(server.origin)
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind })
    expect(server.requests).toHaveLength(1)
  })

  it('a reset is an error of kind truncated, also for a stream that gave its start', async () => {
    await using server = await socketServer((socket) => {
      socket.write(head)
      setTimeout(() => socket.resetAndDestroy(), 50)
    })
    expect(await readingError(server.origin)).toMatchObject({ kind: 'truncated' })
    const reader = (await client()(server.origin)).body?.getReader() ?? expect.unreachable()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('abc')
    expect(await caught(reader.read())).toMatchObject({ kind: 'truncated' })
    expect(server.requests).toHaveLength(2)
  })

  it('an error whose body is cut short is still the error of its status', async () => {
    await using server = await socketServer((socket) => socket.end(head.replace('200 OK', '404 Not Found')))
    expect(await caught(client()(server.origin))).toMatchObject({ status: 404, body: 'abc', attempts: 1 })
  })
})
