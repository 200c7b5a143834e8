import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { Agent } from 'undici'
import { describe, expect, it } from 'vitest'
import { NetworkError, traceOf, UpgradeRequiredError } from '../../src/index.ts'
import { httpServer, socketServer } from '../support/server.ts'
import { h2Server, httpsServer, trusting } from '../support/tls.ts'
import { caught, client, rawResponse } from '../support/wire.ts'

const switched = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n'

/** Has the server switch, and send back what comes then; keeps the requests that asked for it. */
function echoing(server: Pick<Server, 'on'>, first = ''): IncomingMessage[] {
  const asked: IncomingMessage[] = []
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    asked.push(request)
    socket.on('error', () => {})
    socket.write(switched + first)
    socket.on('data', (data) => socket.write(data))
    socket.on('end', () => socket.end())
  })
  return asked
}

async function echoServer(
  first = '',
): Promise<{ origin: string; asked: IncomingMessage[]; sockets: Socket[] } & AsyncDisposable> {
  const server = createServer((_request, response) => response.writeHead(426).end('only echo here'))
  const sockets: Socket[] = []
  server.on('connection', (socket) => sockets.push(socket))
  const asked = echoing(server, first)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What comes back for this text; closes the connection. */
async function echo(socket: Duplex, text: string): Promise<string> {
  socket.end(text)
  let got = ''
  for await (const part of socket) got += String(part)
  return got
}

describe('an upgrade', () => {
  it('is nothing that a cache answers, or that two calls can share', async () => {
    await using server = await echoServer()
    const api = client({ cache: true, resume: true })
    const both = await Promise.all([1, 2].map(() => api.upgrade(`${server.origin}/path`, { protocol: 'echo' })))
    expect(await Promise.all(both.map(({ socket }, index) => echo(socket, `${index}`)))).toEqual(['0', '1'])
    expect(server.asked).toHaveLength(2)
  })

  it('gives the connection once the origin has switched', async () => {
    await using server = await echoServer()
    const upgraded = await client({ headers: { 'x-a': '1' } }).upgrade(`${server.origin}/path?q=1`, {
      protocol: 'Echo',
      headers: { authorization: 'Bearer t' },
    })
    expect([upgraded.status, upgraded.protocol, upgraded.headers.get('connection')]).toEqual([101, 'echo', 'upgrade'])
    expect(await echo(upgraded.socket, 'hello')).toBe('hello')
    expect(server.asked).toHaveLength(1)
    expect(server.asked[0]).toMatchObject({ method: 'GET', url: '/path?q=1' })
    expect(server.asked[0]?.headers).toMatchObject({
      connection: 'upgrade',
      upgrade: 'Echo',
      'x-a': '1',
      authorization: 'Bearer t',
    })
    expect(traceOf(upgraded)?.attempts).toMatchObject([{ status: 101, method: 'GET' }])
  })

  it('gives first what came together with the answer', async () => {
    await using server = await echoServer('greeting ')
    const { socket } = await client().upgrade(server.origin, { protocol: 'echo' })
    expect(await echo(socket, 'hello')).toBe('greeting hello')
  })

  it('may have informational responses before it', async () => {
    await using server = await socketServer((socket) =>
      socket.write(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${switched}HTTP/1.1 100 Continue\r\n\r\n`),
    )
    const told: number[] = []
    const { socket } = await client().upgrade(server.origin, {
      protocol: 'echo',
      onInformation: ({ status }) => told.push(status),
    })
    const [first] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    expect([told, String(first)]).toEqual([[100, 102], 'HTTP/1.1 100 Continue\r\n\r\n'])
  })

  it('takes HTTP/1.1 where the origin offers HTTP/2, which other calls speak', async () => {
    await using server = await h2Server((_request, response) => response.end('ok'))
    echoing(server.server as unknown as Server)
    const api = client({ connect: trusting })
    expect(await (await api(server.origin)).text()).toBe('ok')
    const { socket } = await api.upgrade(server.origin, { protocol: 'echo' })
    expect(await echo(socket, 'hello')).toBe('hello')
    expect(server.connections.map(({ alpnProtocol }) => alpnProtocol)).toEqual(['h2', 'http/1.1'])
  })

  it('works over TLS of HTTP/1.1, and in a child', async () => {
    await using server = await httpsServer((_request, response) => response.end('ok'))
    echoing(server.server)
    const { socket } = await client({ connect: trusting }).extend({}).upgrade(server.origin, { protocol: 'echo' })
    expect(await echo(socket, 'hello')).toBe('hello')
  })

  it('fails with a typed error where the origin speaks HTTP/2 alone', async () => {
    await using server = await h2Server((_request, response) => response.end('ok'), { allowHTTP1: false })
    const error = await caught(client({ connect: trusting, maxAttempts: 1 }).upgrade(server.origin, { protocol: 'echo' }))
    expect(error).toMatchObject({ name: 'NetworkError', kind: 'tls', sent: 'no' })
    expect(server.requests).toEqual([])
  })

  it('fails with a typed error where a connector of the caller chooses HTTP/2', async () => {
    await using server = await h2Server((_request, response) => response.end('ok'))
    const sockets: Socket[] = []
    const api = client({
      maxAttempts: 1,
      connect: ({ port }, callback) => {
        const socket = connectTls({ host: '127.0.0.1', port: Number(port), ALPNProtocols: ['h2'], ca: trusting.ca })
        sockets.push(socket)
        socket.once('secureConnect', () => callback(null, socket))
      },
    })
    const error = await caught(api.upgrade(server.origin, { protocol: 'websocket' }))
    expect(error).toMatchObject({ name: 'NetworkError', kind: 'tls', sent: 'no' })
    expect(sockets.every((socket) => socket.destroyed)).toBe(true)
  })

  it('goes through a dispatcher of the caller', async () => {
    await using server = await echoServer()
    const dispatcher = new Agent()
    const { socket } = await client({ dispatcher }).upgrade(server.origin, { protocol: 'echo' })
    expect(await echo(socket, 'hello')).toBe('hello')
    await dispatcher.close()
  })
})

describe('an upgrade that is refused', () => {
  it.each([
    [426, UpgradeRequiredError],
    [401, Error],
    [404, Error],
  ])('is the typed error of the status, after one attempt: %i', async (status, kind) => {
    await using server = await httpServer((_request, response) => response.writeHead(status, { upgrade: 'echo/2' }).end('no'))
    const error = await caught(client({ errors: 'return' }).upgrade(server.origin, { protocol: 'echo' }))
    expect(error).toBeInstanceOf(kind)
    expect(error).toMatchObject({ status, body: 'no', attempts: 1 })
  })

  it('is tried again where the policy says so, on the same connection', async () => {
    let seen = 0
    await using server = await socketServer((socket) => {
      seen += 1
      if (seen < 3) socket.write(rawResponse('503 Service Unavailable', {}, 'later'))
      else socket.write(switched)
    })
    const upgraded = await client({ on: { 503: { kind: 'retry', baseMs: 1, capMs: 2 } } }).upgrade(server.origin, {
      protocol: 'echo',
    })
    upgraded.socket.destroy()
    expect(traceOf(upgraded)?.attempts.map(({ status }) => status)).toEqual([503, 503, 101])
  })

  it('follows a redirect', async () => {
    await using server = await echoServer()
    await using first = await httpServer((_request, response) => response.writeHead(307, { location: server.origin }).end())
    const upgraded = await client().upgrade(first.origin, { protocol: 'echo' })
    expect(await echo(upgraded.socket, 'hello')).toBe('hello')
    expect(traceOf(upgraded)?.redirects).toHaveLength(1)
  })

  it.each([
    ['200', httpServer((_request, response) => response.end('plain')), {}],
    ['426 that is accepted', httpServer((_request, response) => response.writeHead(426).end('no')), { 426: 'accept' as const }],
  ])('by an answer that does not switch is a protocol error: %s', async (name, starting, on) => {
    await using server = await starting
    const error = await caught(client({ on }).upgrade(server.origin, { protocol: 'echo' }))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind: 'protocol', message: expect.stringContaining(`the answer is ${name.slice(0, 3)}`) })
    expect(server.requests).toHaveLength(1)
  })

  it('by a substitute is a protocol error', async () => {
    const api = client({ on: { 426: { kind: 'fallback', substitute: () => new Response('instead') } } })
    await using plain = await httpServer((_request, response) => response.writeHead(426).end())
    expect(await caught(api.upgrade(plain.origin, { protocol: 'echo' }))).toMatchObject({ kind: 'protocol' })
  })

  it.each([
    ['another protocol', 'HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n'],
    ['one more than asked for', 'HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: echo, other\r\n\r\n'],
    ['nothing', 'HTTP/1.1 101 x\r\n\r\n'],
  ])('by a switch to %s is a protocol error, and the connection is closed', async (_name, head) => {
    await using server = await socketServer((socket) => socket.write(head))
    const error = await caught(client({ maxAttempts: 1 }).upgrade(server.origin, { protocol: 'echo' }))
    expect(error).toMatchObject({ name: 'NetworkError', kind: 'protocol' })
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
  })

  it.each(['fail', 'retry', 'follow'] as const)('by a policy for 101 closes the connection: %s', async (policy) => {
    await using server = await echoServer()
    const api = client({ on: { 101: policy }, maxAttempts: 1 })
    const error = await caught(api.upgrade(server.origin, { protocol: 'echo' }))
    expect(error).toMatchObject(policy === 'follow' ? { name: 'NetworkError', kind: 'protocol' } : { status: 101 })
    await expect.poll(() => server.sockets.every((socket) => socket.destroyed)).toBe(true)
  })

  it('by a protocol that may be one of several is not refused', async () => {
    await using server = await echoServer()
    const { socket, protocol } = await client().upgrade(server.origin, { protocol: 'other/2, echo' })
    socket.destroy()
    expect(protocol).toBe('echo')
  })
})

describe('an upgrade that ends', () => {
  it('by its signal before the answer closes the connection', async () => {
    await using server = await socketServer(() => {})
    const controller = new AbortController()
    const upgrading = caught(client().upgrade(server.origin, { protocol: 'echo', signal: controller.signal }))
    await expect.poll(() => server.requests.length).toBe(1)
    const reason = new Error('not wanted any more')
    controller.abort(reason)
    expect(await upgrading).toBe(reason)
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
  })

  it('by its signal together with the answer closes the connection', async () => {
    await using server = await echoServer()
    const controller = new AbortController()
    const reason = new Error('not wanted any more')
    const on = {
      101: () => {
        controller.abort(reason)
        return 'accept' as const
      },
    }
    expect(await caught(client({ on }).upgrade(server.origin, { protocol: 'echo', signal: controller.signal }))).toBe(reason)
    await expect.poll(() => server.sockets.every((socket) => socket.destroyed)).toBe(true)
  })

  it('by nothing of the call afterwards: neither its signal, nor its limits, nor the end of its client', async () => {
    await using server = await echoServer()
    const controller = new AbortController()
    const api = client()
    const { socket } = await api.upgrade(server.origin, {
      protocol: 'echo',
      signal: controller.signal,
      timeoutMs: 100,
      attemptTimeoutMs: 100,
    })
    controller.abort()
    await api.close()
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(await echo(socket, 'hello')).toBe('hello')
  })

  it('by a time limit is a TimeoutError', async () => {
    await using server = await socketServer(() => {})
    const upgrading = client({ maxAttempts: 1 }).upgrade(server.origin, { protocol: 'echo', attemptTimeoutMs: 50 })
    expect(await caught(upgrading)).toMatchObject({ name: 'TimeoutError', kind: 'attempt' })
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
  })

  it('after the answer to another request of a hedge leaves one connection', async () => {
    let asked = 0
    await using server = await socketServer((socket) => {
      asked += 1
      setTimeout(() => socket.write(switched), asked === 1 ? 120 : 60)
    })
    const api = client({ hedge: { afterMs: 20 } })
    const { socket } = await api.upgrade(server.origin, { protocol: 'echo' })
    expect(server.requests).toHaveLength(2)
    await expect.poll(() => server.connections.filter((connection) => !connection.destroyed).length).toBe(1)
    socket.destroy()
    await expect.poll(() => server.connections.every((connection) => connection.destroyed)).toBe(true)
  })

  it('by the loss of the connection before anybody listens does not end the process', async () => {
    await using server = await socketServer((socket) => {
      socket.write(switched)
      socket.resetAndDestroy()
    })
    const upgraded = await client({ maxAttempts: 1 })
      .upgrade(server.origin, { protocol: 'echo' })
      .catch((error: unknown) => error)
    await new Promise((resolve) => setTimeout(resolve, 50))
    if (upgraded instanceof Error) expect(upgraded).toMatchObject({ name: 'NetworkError', kind: 'reset' })
    else expect((upgraded as { socket: Duplex }).socket.destroyed).toBe(true)
  })

  it('when its client is closed is refused', async () => {
    const api = client()
    await api.close()
    expect(await caught(api.upgrade('http://127.0.0.1:65000', { protocol: 'echo' }))).toMatchObject({
      name: 'RefusedError',
      kind: 'closed',
    })
  })
})

describe('the options of an upgrade', () => {
  it.each([
    [{}, "upgrade: protocol must be the name of a protocol, such as 'websocket', got undefined"],
    [{ protocol: 'a b' }, 'got "a b"'],
    [{ protocol: 'a\r\nx: y' }, 'upgrade: protocol must be'],
    [{ protocol: 'echo', method: 'POST' }, 'upgrade: unknown option "method"'],
    [{ protocol: 'echo', errors: 'return' }, 'upgrade: unknown option "errors"'],
    [{ protocol: 'echo', headers: { upgrade: 'x' } }, 'headers: upgrade belongs to the connection'],
    [{ protocol: 'echo', maxAttempts: 0 }, 'maxAttempts'],
    [undefined, 'upgrade: options must be an object'],
  ])('are checked: %j', async (init, message) => {
    const error = await caught(client().upgrade('http://127.0.0.1:65000', init as never))
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).toContain(message)
  })

  it('have no place for a transport, which cannot switch protocols', async () => {
    const api = client({ transport: async () => new Response('') })
    const error = await caught(api.upgrade('http://127.0.0.1:65000', { protocol: 'echo' }))
    expect(error).toEqual(new TypeError('upgrade: a transport cannot switch protocols'))
  })
})
