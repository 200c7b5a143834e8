import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { Agent } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ClientOptions, type HarEntry, poll } from '../../src/index.ts'
import { fieldsOf, recorded, sole } from '../support/har.ts'
import { httpServer, type LocalServer, socketServer } from '../support/server.ts'
import { h2Server, httpsServer, trusting } from '../support/tls.ts'
import { caught, client } from '../support/wire.ts'

type Listener = (request: IncomingMessage, response: ServerResponse) => void

async function serving(listener: Listener): Promise<LocalServer> {
  const server = await httpServer(listener)
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

function setUp(options: ClientOptions = {}) {
  const fetch = client(options)
  return { fetch, ...recorded(fetch) }
}

const reused = { dns: -1, connect: -1, ssl: -1 }
const pairsOf = (raw: readonly string[]): string[] =>
  Array.from({ length: raw.length / 2 }, (_none, index) => `${raw[2 * index]}: ${raw[2 * index + 1]}`)
const linesOf = ({ request }: HarEntry): string[] => request.headers.map(({ name, value }) => `${name}: ${value}`)

describe('the entry of a request', () => {
  test('tells its connection once, and -1 where that was there already', async () => {
    const server = await serving((_request, response) => setTimeout(() => response.end('content'), 20))
    const { fetch, entries } = setUp()
    await (await fetch(`${server.origin}/a`)).text()
    await sleep(10)
    await (await fetch(`${server.origin}/a`)).text()
    const [first, second] = entries() as [HarEntry, HarEntry]
    expect(server.connections).toHaveLength(1)
    expect(first).toMatchObject({ serverIPAddress: '127.0.0.1', timings: { dns: -1, ssl: -1 }, _call: expect.any(Number) })
    expect(first.timings.connect).toBeGreaterThan(0)
    expect(first.timings.wait).toBeGreaterThan(10)
    expect(second).toMatchObject({ serverIPAddress: '127.0.0.1', timings: reused })
    expect(second.connection).toBe(first.connection)
    expect(second._call).not.toBe(first._call)
  })

  test('counts the resolution of a name', async () => {
    const server = await serving((_request, response) => response.end())
    const { fetch, entries } = setUp({
      connect: { lookup: (_name, _options, done) => setTimeout(() => done(null, [{ address: '127.0.0.1', family: 4 }]), 30) },
    })
    await (await fetch(server.origin.replace('127.0.0.1', 'api.example.com'))).text()
    const { timings } = sole(entries())
    expect(timings.dns).toBeGreaterThan(20)
    expect(timings.connect).toBeLessThan(timings.dns)
  })

  test('has TLS as a part of connecting', async () => {
    await using server = await httpsServer((_request, response) => void response.end('content'))
    const { fetch, entries } = setUp({ connect: { ...trusting, allowH2: false } })
    await (await fetch(server.origin)).text()
    const { timings, request } = sole(entries())
    expect(request.httpVersion).toBe('HTTP/1.1')
    expect(timings.ssl).toBeGreaterThan(0)
    expect(timings.connect).toBeGreaterThanOrEqual(timings.ssl)
  })

  test('tells of HTTP/2, and its pseudo-fields', async () => {
    const raw: string[][] = []
    await using server = await h2Server((request, response) => {
      raw.push(pairsOf(request.rawHeaders))
      response.end('content')
    })
    const { fetch, entries } = setUp({ connect: trusting })
    await (await fetch(`${server.origin}/a?token=hidden`)).text()
    await (await fetch(`${server.origin}/b`, { method: 'POST', body: 'text' })).text()
    const [first, second] = entries() as [HarEntry, HarEntry]
    expect(first.request).toMatchObject({ httpVersion: 'HTTP/2.0', headersSize: -1 })
    expect(first.response).toMatchObject({
      httpVersion: 'HTTP/2.0',
      status: 200,
      bodySize: 7,
      _transferSize: 7,
      content: { size: 7 },
    })
    expect(fieldsOf(first.request)[':path']).toBe('/a?token=***')
    expect(second.timings).toMatchObject(reused)
    expect(second.connection).toBe(first.connection)
    expect(linesOf(second).sort()).toEqual(raw[1]?.sort())
  })

  test.each<[string, RequestInit & { duplex?: 'half' }]>([
    ['GET', {}],
    ['HEAD', {}],
    ['DELETE', {}],
    ['POST', {}],
    ['PATCH', {}],
    ['PUT', { body: '' }],
    ['POST', { body: 'äöü' }],
    ['POST', { body: new Uint8Array(70_000) }],
    ['POST', { body: new Blob(['blob']) }],
    ['POST', { body: new URLSearchParams({ a: '1' }) }],
    ['PUT', { body: new Response('stream').body, duplex: 'half' }],
    ['GET', { headers: { connection: 'close', host: 'other.example.com' } }],
  ])('has the fields of a %s as they were sent, and their size: %o', async (method, init) => {
    const seen: { head: string; lines: string[]; bytes: number }[] = []
    const server = await serving(async (request, response) => {
      const lines = pairsOf(request.rawHeaders)
      const head = `${request.method} ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
      let bytes = 0
      for await (const part of request) bytes += (part as Buffer).byteLength
      seen.push({ head, lines, bytes })
      response.end()
    })
    const { fetch, entries } = setUp()
    await (await fetch(`${server.origin}/path?a=1`, { ...init, method })).text()
    const entry = sole(entries())
    expect(linesOf(entry)).toEqual(seen[0]?.lines)
    expect(entry.request).toMatchObject({ headersSize: seen[0]?.head.length, bodySize: seen[0]?.bytes })
  })

  test('counts coded and decoded content apart', async () => {
    const coded = gzipSync('a'.repeat(10_000))
    const server = await serving((_request, response) => response.setHeader('content-encoding', 'gzip').end(coded))
    const { fetch, entries } = setUp()
    await (await fetch(server.origin)).text()
    const { response } = sole(entries())
    expect(response.bodySize).toBe(coded.byteLength)
    expect(response.content).toMatchObject({ size: 10_000, compression: 10_000 - coded.byteLength })
  })

  test('waits for the last byte of a slow upload and a slow download', async () => {
    const server = await serving(async (request, response) => {
      for await (const _part of request);
      response.write('begun')
      setTimeout(() => response.end('ended'), 40)
    })
    const { fetch, entries } = setUp()
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue(new Uint8Array(1_000))
        await sleep(40)
        controller.enqueue(new Uint8Array(500))
        controller.close()
      },
    })
    await (await fetch(server.origin, { method: 'POST', body, duplex: 'half' })).text()
    const { request, response, timings } = sole(entries())
    expect(request.bodySize).toBe(1_500)
    expect(response.bodySize).toBe(10)
    expect(timings.send).toBeGreaterThan(25)
    expect(timings.receive).toBeGreaterThan(25)
  })

  test('asks before its content is sent like any other', async () => {
    const server = await serving(async (request, response) => {
      let bytes = 0
      for await (const part of request) bytes += (part as Buffer).byteLength
      response.end(String(bytes))
    })
    const { fetch, entries } = setUp({ expectContinue: true })
    expect(await (await fetch(server.origin, { method: 'PUT', body: 'x'.repeat(100) })).text()).toBe('100')
    const { request, response, timings } = sole(entries())
    expect(request).toMatchObject({ httpVersion: 'HTTP/1.1', bodySize: 100 })
    expect(fieldsOf(request).expect).toBe('100-continue')
    expect(response).toMatchObject({ status: 200, bodySize: 3 })
    expect(timings.connect).toBeGreaterThan(0)
  })

  test('of a dispatcher of the caller knows no connection, and yet the times of the request', async () => {
    const server = await serving((_request, response) => setTimeout(() => response.end('content'), 20))
    const dispatcher = new Agent()
    onTestFinished(() => dispatcher.close())
    const { fetch, entries } = setUp({ dispatcher })
    await (await fetch(server.origin)).text()
    const entry = sole(entries())
    expect(entry.request.httpVersion).toBe('unknown')
    expect(entry).not.toHaveProperty('connection')
    expect(entry.timings).toMatchObject(reused)
    expect(entry.timings.wait).toBeGreaterThan(10)
    expect(entry.response.bodySize).toBe(7)
  })
})

describe('an archive has an entry for each', () => {
  test('attempt: a retry tells what was waited for', async () => {
    const server = await serving((_request, response) => {
      response.writeHead(server.requests.length === 1 ? 503 : 200).end('content')
    })
    const { fetch, entries } = setUp()
    await (await fetch(server.origin)).text()
    const [first, second] = entries() as [HarEntry, HarEntry]
    expect(server.requests).toHaveLength(2)
    expect([first.response.status, second.response.status]).toEqual([503, 200])
    expect(first).toMatchObject({ _attempt: 1, response: { content: { size: 7 } } })
    expect(second).toMatchObject({ _attempt: 2, _waitReason: 'backoff', _waitMs: expect.any(Number), _call: first._call })
  })

  test('redirect, with where it leads', async () => {
    const server = await serving((request, response) => {
      if (request.url === '/old') response.writeHead(302, { location: '/new?sig=hidden#part' }).end()
      else response.end('content')
    })
    const { fetch, entries } = setUp()
    await (await fetch(`${server.origin}/old`)).text()
    const [first, second] = entries() as [HarEntry, HarEntry]
    expect(first.response).toMatchObject({ status: 302, redirectURL: `${server.origin}/new?sig=***` })
    expect(second.request).toMatchObject({ url: `${server.origin}/new?sig=***`, queryString: [{ name: 'sig', value: '***' }] })
    expect(JSON.stringify(entries())).not.toContain('hidden')
  })

  test('connection that is refused', async () => {
    const server = await serving(() => {})
    await server[Symbol.asyncDispose]()
    const { fetch, entries } = setUp({ maxAttempts: 2 })
    await caught(fetch(server.origin))
    expect(entries()).toHaveLength(2)
    for (const entry of entries()) {
      const failed = { status: 0, statusText: '', bodySize: -1, _error: 'ERR_STEADFETCH_NETWORK_CONNECT' }
      expect(entry).toMatchObject({ _error: 'ERR_STEADFETCH_NETWORK_CONNECT', response: failed, timings: { send: 0, wait: 0 } })
      expect(entry.timings.connect).toBeGreaterThanOrEqual(0)
      expect(entry.request.bodySize).toBe(0)
    }
  })

  test('name that cannot be resolved: nothing was connected', async () => {
    const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
    const { fetch, entries } = setUp({
      maxAttempts: 1,
      connect: { lookup: (_name, _options, done) => setTimeout(() => done(unknown, []), 20) },
    })
    await caught(fetch('http://api.example.com/'))
    const entry = sole(entries())
    expect(entry).toMatchObject({ _error: 'ERR_STEADFETCH_NETWORK_DNS', timings: { connect: -1, ssl: -1 } })
    expect(entry.timings.dns).toBeGreaterThan(10)
  })

  test('TLS handshake that fails', async () => {
    await using server = await httpsServer(() => {})
    const { fetch, entries } = setUp({ maxAttempts: 1 })
    await caught(fetch(server.origin))
    const { _error, timings } = sole(entries())
    expect(_error).toBe('ERR_STEADFETCH_NETWORK_TLS')
    expect(timings.ssl).toBeGreaterThan(0)
  })

  test('connection that is lost before the response, and within its content', async () => {
    await using server = await socketServer((socket, received) => {
      if (received.startsWith('GET /before')) socket.destroy()
      else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly a part')
    })
    const { fetch, entries } = setUp({ maxAttempts: 1 })
    await caught(fetch(`${server.origin}/before`))
    await caught((await fetch(`${server.origin}/within`)).text())
    const [before, within] = entries() as [HarEntry, HarEntry]
    expect(before).toMatchObject({ response: { status: 0 }, _error: 'ERR_STEADFETCH_NETWORK_RESET' })
    expect(within).toMatchObject({
      response: { status: 200, bodySize: 11, content: { size: 11 } },
      _error: 'ERR_STEADFETCH_NETWORK_TRUNCATED',
    })
  })

  test('attempt that is aborted, before the response and within its content', async () => {
    const server = await serving((request, response) => {
      if (request.url === '/within') response.write('only a part')
    })
    const { fetch, entries } = setUp()
    const before = AbortSignal.timeout(30)
    await caught(fetch(`${server.origin}/before`, { signal: before }))
    const controller = new AbortController()
    const response = await fetch(`${server.origin}/within`, { signal: controller.signal })
    controller.abort()
    await caught(response.text())
    const [first, second] = entries() as [HarEntry, HarEntry]
    expect(first).toMatchObject({ response: { status: 0 }, _error: 'TimeoutError' })
    expect(first.timings.wait).toBeGreaterThan(10)
    expect(second).toMatchObject({ response: { status: 200, content: { size: 11 } }, _error: 'AbortError' })
  })

  test('time limit of an attempt', async () => {
    const server = await serving(() => {})
    const { fetch, entries } = setUp({ attemptTimeoutMs: 30, maxAttempts: 1 })
    await caught(fetch(server.origin))
    expect(sole(entries())._error).toBe('ERR_STEADFETCH_TIMEOUT_ATTEMPT')
  })

  test('hedge, and the request that came too late', async () => {
    const server = await serving((_request, response) => {
      if (server.requests.length > 1) response.end('content')
    })
    const { fetch, entries } = setUp({ hedge: { afterMs: 20 } })
    await (await fetch(server.origin)).text()
    const [first, second] = entries() as [HarEntry, HarEntry]
    expect(first).toMatchObject({ response: { status: 0 }, _error: 'superseded', _attempt: 1 })
    expect(second).toMatchObject({ response: { status: 200 }, _hedge: true, _attempt: 2, _call: first._call })
    expect(second.connection).not.toBe(first.connection)
  })

  test('validation, and none for what a cache answers', async () => {
    const server = await serving((request, response) => {
      response.setHeader('etag', '"1"').setHeader('cache-control', request.url === '/fresh' ? 'max-age=60' : 'no-cache')
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end()
      else response.end('content')
    })
    const { fetch, entries } = setUp({ cache: true })
    for (const path of ['fresh', 'fresh', 'stale', 'stale']) await (await fetch(`${server.origin}/${path}`)).text()
    expect(entries().map(({ request, response }) => `${new URL(request.url).pathname} ${response.status}`)).toEqual([
      ...['/fresh 200', '/stale 200', '/stale 304'],
    ])
    expect(entries()[2]?.response).toMatchObject({ bodySize: 0, content: { size: 0 } })
  })

  test('question to a status monitor', async () => {
    const server = await serving((request, response) => {
      if (request.method === 'POST') response.writeHead(202, { location: '/job', 'retry-after': '0' }).end()
      else response.writeHead(server.requests.length < 3 ? 202 : 200).end('done')
    })
    const { fetch, entries } = setUp()
    await (await fetch(server.origin, { method: 'POST', on: { 202: poll({ intervalMs: 1 }) } })).text()
    expect(entries().map(({ response, _waitReason }) => [response.status, _waitReason])).toEqual([
      ...[
        [202, undefined],
        [202, 'poll'],
        [200, 'poll'],
      ],
    ])
  })

  test('switch to another protocol', async () => {
    await using server = await socketServer((socket) => {
      socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
    })
    const { fetch, entries } = setUp()
    const { socket } = await fetch.upgrade(server.origin, { protocol: 'echo' })
    socket.destroy()
    const entry = sole(entries())
    expect(entry).toMatchObject({ response: { status: 101, bodySize: 0 } })
    expect(fieldsOf(entry.request)).toMatchObject({ connection: 'upgrade', upgrade: 'echo' })
    expect(entry.timings.connect).toBeGreaterThan(0)
  })

  test('of several requests on one session of HTTP/2, one of which opens it', async () => {
    await using server = await h2Server((_request, response) => void setTimeout(() => response.end('content'), 10))
    const { fetch, entries } = setUp({ connect: trusting })
    await Promise.all([1, 2, 3].map(async () => (await fetch(server.origin)).text()))
    expect(server.connections).toHaveLength(1)
    expect(entries().map(({ timings }) => timings.ssl > 0)).toEqual([true, false, false])
    expect(new Set(entries().map(({ connection }) => connection)).size).toBe(1)
  })

  test('request that went stale, sent once more', async () => {
    await using server = await socketServer((socket) => {
      if (server.requests.length === 2) socket.destroy()
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    })
    const { fetch, entries } = setUp({ maxAttempts: 1 })
    await (await fetch(server.origin)).text()
    await sleep(10)
    await (await fetch(server.origin)).text()
    expect(server.requests).toHaveLength(3)
    expect(entries()).toHaveLength(2)
    expect(entries()[1]).toMatchObject({ _resent: true, response: { status: 200 } })
    expect(entries()[1]?.timings.connect).toBeGreaterThan(0)
  })
})

describe('a client', () => {
  test('whose attempts nobody records has its connections opened untimed', async () => {
    const server = await serving((_request, response) => response.end())
    const opened = (isStopped: boolean): Promise<Socket[]> => opening(server.origin, isStopped)
    expect((await opened(true)).map((socket) => socket.listenerCount('lookup'))).toEqual([0])
    expect((await opened(false)).map((socket) => socket.listenerCount('lookup'))).toEqual([1])
  })
})

/** The sockets that a request opens. */
async function opening(origin: string, isStopped: boolean): Promise<Socket[]> {
  const sockets: Socket[] = []
  const { fetch, recorder, entries } = setUp({
    connect: ({ hostname, port }, callback) => {
      const socket = connect({ host: hostname, port: Number(port) })
      sockets.push(socket)
      socket.once('connect', () => callback(null, socket))
      return socket
    },
  })
  if (isStopped) recorder.stop()
  await (await fetch(origin)).text()
  expect(entries()).toHaveLength(isStopped ? 0 : 1)
  return sockets
}
