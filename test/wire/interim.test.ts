import { once } from 'node:events'
import type { ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { createServer } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { type createFetch, type Information, NetworkError } from '../../src/index.ts'
import { type LocalServer, socketServer } from '../support/server.ts'
import { h2Server, identity, secured, trusting } from '../support/tls.ts'
import { caught, client, rawResponse } from '../support/wire.ts'

const goOn = 'HTTP/1.1 100 Continue\r\n\r\n'
const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload; as=style\r\n\r\n'
const ok = rawResponse('200 OK', {}, 'ok')

type Server = Pick<LocalServer, 'origin' | 'requests'> & AsyncDisposable & { readonly connections: readonly Socket[] }

/** The same server with TLS set up. */
async function tlsServer(answer: (socket: Socket) => void): Promise<Server> {
  const requests: string[] = []
  const server = createServer({ ...identity, ALPNProtocols: ['http/1.1'] }, (socket) => {
    socket.on('data', (data) => {
      requests.push(String(data).split(' HTTP/')[0] as string)
      answer(socket)
    })
  })
  return secured(server, requests)
}

/** Gives the bytes in parts of this size, each in a packet of its own. */
async function inParts(socket: Socket, bytes: string, size: number): Promise<void> {
  socket.setNoDelay(true)
  for (let at = 0; at < bytes.length && !socket.destroyed; at += size) {
    socket.write(bytes.slice(at, at + size), 'latin1')
    await new Promise((resolve) => setImmediate(resolve))
    if (at % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** What a call to the server is told, and gets. */
async function asked(api: typeof fetch, server: Server, init: object = {}): Promise<{ told: number[]; text: string }> {
  const told: number[] = []
  const onInformation = ({ status }: Information): void => void told.push(status)
  const response = await api(server.origin, { ...init, onInformation } as RequestInit)
  return { told, text: await response.text() }
}

describe.each([
  ['plain', socketServer],
  ['TLS', tlsServer],
])('a 100 Continue that nobody asked for, over %s', (_name, serverOf) => {
  const api = (): typeof fetch => client({ connect: trusting, maxAttempts: 1 }) as typeof fetch

  it.each([
    ['alone', goOn + ok, [100]],
    ['with fields', `HTTP/1.1 100 Go on\r\nx-a: b\r\n\r\n${ok}`, [100]],
    ['of HTTP/1.0', `HTTP/1.0 100 Continue\r\n\r\n${ok}`, [100]],
    ['without a reason phrase', `HTTP/1.1 100\r\n\r\n${ok}`, [100]],
    ['several times', goOn + goOn + goOn + ok, [100, 100, 100]],
    ['before an early hint', goOn + hints + ok, [100, 103]],
    ['after an early hint', hints + goOn + ok, [103, 100]],
    ['between early hints', hints + goOn + hints + ok, [103, 100, 103]],
  ])('is told and skipped: %s', async (_case, answer, told) => {
    await using server = await serverOf((socket) => socket.write(answer))
    expect(await asked(api(), server)).toEqual({ told, text: 'ok' })
    expect(server.requests).toHaveLength(1)
  })

  it.each([1, 2, 3, 7, 20])('is skipped when it comes in parts of %i bytes', async (size) => {
    await using server = await serverOf((socket) => void inParts(socket, goOn + hints + goOn + ok, size))
    expect(await asked(api(), server)).toEqual({ told: [100, 103, 100], text: 'ok' })
    expect(server.requests).toHaveLength(1)
  })

  it('leaves the connection in use for the requests that follow', async () => {
    await using server = await serverOf((socket) => socket.write(goOn + ok))
    const fetch = api()
    for (let count = 0; count < 10; count += 1) expect(await asked(fetch, server)).toEqual({ told: [100], text: 'ok' })
    expect(server.requests).toHaveLength(10)
    expect(server.connections.length).toBeLessThanOrEqual(2)
  })

  it('is no part of content that looks like it, wherever the parts of the content begin', async () => {
    const content = `${goOn}${hints}HTTP/1.1 100`
    const head = `HTTP/1.1 200 OK\r\ncontent-length: ${content.length}\r\n\r\n`
    await using server = await serverOf((socket) => {
      socket.write(head)
      setTimeout(() => void inParts(socket, content, 25), 5)
    })
    const fetch = api()
    for (let count = 0; count < 4; count += 1) expect(await asked(fetch, server)).toEqual({ told: [], text: content })
    expect(server.connections.length).toBeLessThanOrEqual(2)
  })

  it('is no part of chunked content, nor of content that ends with the connection', async () => {
    await using server = await serverOf((socket) => {
      if (server.requests.length === 1) {
        socket.write(`${goOn}HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n`)
        setTimeout(() => socket.write(`19\r\n${goOn}\r\n0\r\n\r\n`), 5)
      } else {
        socket.write(`${goOn}HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n`)
        setTimeout(() => socket.end(goOn), 5)
      }
    })
    const fetch = api()
    for (let count = 0; count < 2; count += 1) expect(await asked(fetch, server)).toEqual({ told: [100], text: goOn })
  })

  it('may come before the content of the request has been sent', async () => {
    const content = 'c'.repeat(300_000)
    await using server = await serverOf((socket) => {
      if (server.requests.length === 1) socket.write(goOn)
      if (socket.bytesRead > content.length) socket.write(ok)
    })
    const { told, text } = await asked(api(), server, { method: 'POST', body: content })
    expect([told, text]).toEqual([[100], 'ok'])
  })
})

describe('a 100 Continue on HTTP/1.1', () => {
  it('is told with its fields, of which malformed ones are left out', async () => {
    await using server = await socketServer((socket) =>
      socket.write(`HTTP/1.1 100 Continue\r\nX-A: 1 \r\nx-a: 2\r\nno field\r\n: none\r\nb\u0001d: 1\r\n\r\n${ok}`),
    )
    const told: Information[] = []
    await client()(server.origin, { onInformation: (information) => told.push(information) })
    expect(told.map(({ status, headers }) => [status, [...headers]])).toEqual([[100, [['x-a', '1, 2']]]])
  })

  it('on an idle connection is no answer to the next request, which goes over another connection', async () => {
    await using server = await socketServer((socket) => socket.write(ok))
    const api = client()
    expect(await (await api(server.origin)).text()).toBe('ok')
    server.connections[0]?.write(`${goOn}${rawResponse('200 OK', {}, 'poison')}`)
    await expect.poll(() => server.connections[0]?.destroyed).toBe(true)
    expect(await (await api(server.origin)).text()).toBe('ok')
    expect(server.connections).toHaveLength(2)
  })

  it('followed by nothing is a connection that was lost', async () => {
    await using server = await socketServer((socket) => socket.end(goOn))
    const error = await caught(client({ maxAttempts: 1 })(server.origin))
    expect(error).toMatchObject({ name: 'NetworkError', kind: 'reset', sent: 'maybe' })
  })

  it('that is cut short is a connection that was lost', async () => {
    await using server = await socketServer((socket) => socket.end('HTTP/1.1 100 Cont'))
    expect(await caught(client({ maxAttempts: 1 })(server.origin))).toMatchObject({ name: 'NetworkError', kind: 'reset' })
  })

  it('with a head that does not end is a protocol error', async () => {
    await using server = await socketServer((socket) => socket.write(`HTTP/1.1 100 Continue\r\nx: ${'a'.repeat(20_000)}`))
    expect(await caught(client({ maxAttempts: 1 })(server.origin))).toMatchObject({ name: 'NetworkError', kind: 'protocol' })
  })

  it('does not make an answer of a stale connection: the time limit of the attempt goes on', async () => {
    await using server = await socketServer((socket) => socket.write(goOn))
    const error = await caught(client({ attemptTimeoutMs: 80, maxAttempts: 1 })(server.origin))
    expect(error).toMatchObject({ name: 'TimeoutError', kind: 'attempt' })
    expect(server.requests).toHaveLength(1)
  })

  it.each([
    ['a 99', 'HTTP/1.1 99 Less\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 1000 More\r\n\r\n'],
    ['another protocol', 'HTTX/1.1 100 Continue\r\n\r\n'],
    ['a version that is none', 'HTTP/1.x 100 Continue\r\n\r\n'],
  ])('is not taken for one: %s', async (_name, head) => {
    await using server = await socketServer((socket) => socket.write(head + ok))
    expect(await caught(client({ maxAttempts: 1 })(server.origin))).toMatchObject({ name: 'NetworkError', kind: 'protocol' })
  })

  it('has a listener that throws end the call with its own error', async () => {
    await using server = await socketServer((socket) => socket.write(goOn + ok))
    const own = new Error('the listener failed')
    const onInformation = (): never => {
      throw own
    }
    expect(await caught(client()(server.origin, { onInformation }))).toBe(own)
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
    expect(server.requests).toHaveLength(1)
  })
})

describe('informational responses', () => {
  it('give the links of an early hint, resolved against the target, and the same list each time', async () => {
    await using server = await socketServer((socket) =>
      socket.write(`HTTP/1.1 103 Early Hints\r\nlink: <a.css>; rel=preload; as=style\r\nlink: </b>; rel=next, bad\r\n\r\n${ok}`),
    )
    const told: Information[] = []
    await client()(`${server.origin}/folder/page`, { onInformation: (information) => told.push(information) })
    const links = told[0]?.links
    expect(links?.map(({ target, rel, as }) => [target, rel, as])).toEqual([
      [`${server.origin}/folder/a.css`, ['preload'], 'style'],
      [`${server.origin}/b`, ['next'], undefined],
    ])
    expect(told[0]?.links).toBe(links)
  })

  it.each([102, 103, 104, 150, 199])('of status %i are told, and are not the response', async (status) => {
    await using server = await socketServer((socket) => socket.write(`HTTP/1.1 ${status} x\r\n\r\n${ok}`))
    expect(await asked(client() as typeof fetch, server as Server)).toEqual({ told: [status], text: 'ok' })
  })

  it('do not prolong the time limit of an attempt', async () => {
    await using server = await socketServer((socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 20)
      socket.on('close', () => clearInterval(timer))
    })
    const startMs = performance.now()
    const error = await caught(client({ attemptTimeoutMs: 150, maxAttempts: 1 })(server.origin))
    expect(error).toMatchObject({ name: 'TimeoutError', kind: 'attempt' })
    expect(performance.now() - startMs).toBeLessThan(1_000)
  })

  it.each([
    ['102 Processing', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['100 Continue', goOn],
  ])('are a protocol error beyond a thousand: %s', async (_name, head) => {
    await using server = await socketServer((socket) => socket.write(head.repeat(3_000) + ok))
    let told = 0
    const onInformation = (): void => {
      told += 1
    }
    const error = await caught(client({ maxAttempts: 1, onInformation })(server.origin))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind: 'protocol', attempts: 1, message: expect.stringContaining('1000 informational') })
    expect(told).toBe(1_000)
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
  })

  it('are taken up to a thousand, on a call that does not listen, too', async () => {
    await using server = await socketServer((socket) => socket.write('HTTP/1.1 102 Processing\r\n\r\n'.repeat(1_000) + ok))
    expect(await (await client()(server.origin)).text()).toBe('ok')
  })
})

describe('informational responses over HTTP/2', () => {
  const secure = (options: object = {}): ReturnType<typeof createFetch> => client({ connect: trusting, ...options })

  it('are told with their links, a 100 Continue included', async () => {
    await using server = await h2Server((_request, response) => {
      const { stream } = response as { stream: ServerHttp2Stream }
      stream.additionalHeaders({ ':status': 100 })
      response.writeEarlyHints({ link: ['</a.css>; rel=preload; as=style', '<https://cdn.example>; rel=preconnect'] })
      stream.additionalHeaders({ ':status': 102 })
      stream.additionalHeaders({ ':status': 104 })
      response.end('ok')
    })
    const told: Information[] = []
    const response = await secure()(`${server.origin}/x/y`, { onInformation: (information) => told.push(information) })
    expect(await response.text()).toBe('ok')
    expect(told.map(({ status }) => status)).toEqual([100, 103, 102, 104])
    expect(told[1]?.links.map(({ target, rel }) => [target, ...rel])).toEqual([
      [`${server.origin}/a.css`, 'preload'],
      ['https://cdn.example/', 'preconnect'],
    ])
    expect(server.connections[0]?.alpnProtocol).toBe('h2')
  })

  it('are a protocol error beyond a thousand, which other requests of the connection survive', async () => {
    await using server = await h2Server(async (request, response) => {
      if (request.url === '/calm') {
        await once(request.stream.session as never, 'go').catch(() => {})
        response.end('ok')
        return
      }
      const { stream } = response as { stream: ServerHttp2Stream }
      stream.on('error', () => {})
      for (let count = 0; count < 1_100 && !stream.destroyed; count += 1) {
        stream.additionalHeaders({ ':status': 102 })
        if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      request.stream.session?.emit('go')
    })
    const api = secure({ maxAttempts: 1 })
    const calm = api(`${server.origin}/calm`)
    const error = await caught(api(`${server.origin}/flood`))
    expect(error).toMatchObject({ name: 'NetworkError', kind: 'protocol', message: expect.stringContaining('informational') })
    expect(await (await calm).text()).toBe('ok')
    expect(server.connections).toHaveLength(1)
  })
})
