import { getEventListeners } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect as connectSocket, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Agent } from 'undici'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createFetch, type Information, traceOf } from '../../src/index.ts'
import { httpServer, type LocalServer, socketServer } from '../support/server.ts'
import { httpsServer, trusting } from '../support/tls.ts'
import { caught, client, rawResponse, soon } from '../support/wire.ts'

const goOn = 'HTTP/1.1 100 Continue\r\n\r\n'
const post = { method: 'POST', body: 'the content', expectContinue: true }

interface Asked {
  readonly request: IncomingMessage
  /** What had come of the content when the server was asked. */
  readonly before: number
  content: string
}

/** A server that decides about each request that asks; `decide` says whether it may go on. */
async function askedServer(
  decide: (response: ServerResponse, request: IncomingMessage) => boolean = () => true,
): Promise<LocalServer & { readonly asked: Asked[]; readonly unasked: string[] }> {
  const asked: Asked[] = []
  const unasked: string[] = []
  const connections: Socket[] = []
  const server = createServer(async (request, response) => {
    unasked.push(await contentOf(request))
    response.end('not asked')
  })
  server.on('checkContinue', async (request: IncomingMessage, response: ServerResponse) => {
    const one: Asked = { request, before: request.readableLength, content: '' }
    asked.push(one)
    if (!decide(response, request)) return
    response.writeContinue()
    one.content = await contentOf(request)
    response.end(`got ${one.content.length}`)
  })
  server.on('connection', (socket) => connections.push(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    connections,
    asked,
    unasked,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function contentOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  try {
    for await (const part of request) parts.push(part as Buffer)
  } catch {
    return 'cut short'
  }
  return Buffer.concat(parts).toString('utf8')
}

/** A stream of these parts that tells what became of it. */
function source(...parts: string[]): { stream: ReadableStream<Uint8Array>; read: () => number; cancelled: () => unknown[] } {
  const cancelled: unknown[] = []
  let read = 0
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const part = parts[read]
        read += 1
        if (part === undefined) controller.close()
        else controller.enqueue(new TextEncoder().encode(part))
      },
      cancel: (reason) => void cancelled.push(reason),
    },
    { highWaterMark: 0 },
  )
  return { stream, read: () => read, cancelled: () => cancelled }
}

const allClosed = (server: { readonly connections: readonly Socket[] }): Promise<void> =>
  expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true) as unknown as Promise<void>

describe('a request that asks before it sends its content', () => {
  it('sends it once the server says so', async () => {
    await using server = await askedServer()
    const told: number[] = []
    const onInformation = ({ status }: Information): void => void told.push(status)
    const response = await client({ headers: { 'x-a': '1' } })(`${server.origin}/path?q=1`, { ...post, onInformation })
    expect([response.status, await response.text(), told]).toEqual([200, 'got 11', [100]])
    expect(server.asked).toMatchObject([{ before: 0, content: 'the content' }])
    const { method, url, headers } = (server.asked[0] as Asked).request
    expect([method, url]).toEqual(['POST', '/path?q=1'])
    expect(headers).toMatchObject({
      host: server.origin.slice('http://'.length),
      expect: '100-continue',
      'content-length': '11',
      'content-type': 'text/plain;charset=UTF-8',
      'x-a': '1',
      'user-agent': 'steadfetch',
    })
    expect(headers['accept-encoding']).toContain('gzip')
    expect(traceOf(response)?.attempts).toMatchObject([{ status: 200 }])
    await allClosed(server)
  })

  it.each<[string, () => RequestInit, string]>([
    ['a string of more than ASCII', () => ({ body: 'größer' }), 'größer'],
    ['bytes', () => ({ body: new TextEncoder().encode('bytes') }), 'bytes'],
    ['a Blob', () => ({ body: new Blob(['blob ', 'parts']) }), 'blob parts'],
    ['a form', () => ({ body: new URLSearchParams({ a: '1' }) }), 'a=1'],
    ['JSON', () => ({ json: { a: 1 } }) as RequestInit, '{"a":1}'],
    ['a stream', () => ({ body: source('one ', 'two').stream, duplex: 'half' }) as RequestInit, 'one two'],
    ['a large string', () => ({ body: 'l'.repeat(1_000_000) }), 'l'.repeat(1_000_000)],
  ])('sends content of any kind: %s', async (_kind, init, content) => {
    await using server = await askedServer()
    const response = await client()(server.origin, { method: 'PUT', expectContinue: true, ...init() })
    expect(response.status).toBe(200)
    expect(server.asked.map((asked) => asked.content)).toEqual([content])
  })

  it('sends the content of a Request, and a method that usually has none', async () => {
    await using server = await askedServer()
    const api = client({ expectContinue: true })
    await api(new Request(server.origin, { method: 'POST', body: 'of a Request' }))
    await api(server.origin, { method: 'DELETE', body: source('of a DELETE').stream, duplex: 'half' })
    expect(server.asked.map(({ content }) => content)).toEqual(['of a Request', 'of a DELETE'])
  })

  it.each([
    ['without content', { method: 'POST' }],
    ['with empty content', { method: 'POST', body: '' }],
    ['that does not ask', { method: 'POST', body: 'x', expectContinue: false }],
  ])('is one like any other %s', async (_case, init) => {
    await using server = await askedServer()
    expect(await (await client({ expectContinue: true })(server.origin, init)).text()).toBe('not asked')
    expect([server.asked.length, server.unasked.length]).toEqual([0, 1])
  })

  it('sends fields of more than ASCII as they are, and no Connection of the caller', async () => {
    const received: string[] = []
    await using server = await socketServer((socket, text) => {
      received.push(text)
      if (received.length === 1) socket.write(goOn)
      else socket.write(rawResponse('200 OK', {}, 'ok'))
    })
    await client()(server.origin, { ...post, headers: { 'x-a': 'caf\xe9', connection: 'keep-alive', host: 'other.example' } })
    expect(received).toHaveLength(2)
    expect(received[0]).toContain('x-a: caf\xe9\r\n')
    expect(received[0]).toContain('host: other.example\r\n')
    expect(received[0]?.match(/connection: .*/gi)).toEqual(['connection: close'])
    expect(received[1]).toBe('the content')
  })
})

describe('a server that does not say to go on', () => {
  it.each([
    ['a second by default', true, 1_000],
    ['as long as the option says', { afterMs: 60 }, 60],
  ])('gets the content after %s', async (_name, expectContinue, ms) => {
    const came: { text: string; atMs: number }[] = []
    await using server = await socketServer((socket, text) => {
      came.push({ text, atMs: performance.now() })
      if (came.length === 2) socket.write(rawResponse('200 OK', {}, 'ok'))
    })
    expect(await (await client()(server.origin, { ...post, expectContinue })).text()).toBe('ok')
    expect(came.map(({ text }) => text.endsWith('the content'))).toEqual([false, true])
    const waitedMs = (came[1]?.atMs ?? 0) - (came[0]?.atMs ?? 0)
    expect(waitedMs).toBeGreaterThan(ms - 15)
    expect(waitedMs).toBeLessThan(ms + 500)
  })

  it('but to wait on gets it after that time, too', async () => {
    let parts = 0
    await using server = await socketServer((socket) => {
      parts += 1
      socket.write(parts === 1 ? 'HTTP/1.1 102 Processing\r\n\r\n' : rawResponse('200 OK', {}, 'ok'))
    })
    const told: number[] = []
    const init = { ...post, expectContinue: { afterMs: 50 }, onInformation: ({ status }: Information) => told.push(status) }
    expect(await (await client()(server.origin, init)).text()).toBe('ok')
    expect([told, parts]).toEqual([[102], 2])
  })

  it.each([401, 413, 422])('but answers %i gets none, and the caller its error', async (status) => {
    await using server = await askedServer((response) => {
      response.writeHead(status).end('not wanted')
      return false
    })
    const { stream, read, cancelled } = source('a', 'b')
    const error = await caught(client()(server.origin, { ...post, body: stream, duplex: 'half' }))
    expect(error).toMatchObject({ status, body: 'not wanted', attempts: 1 })
    await allClosed(server)
    expect([server.asked.length, server.unasked.length, read()]).toEqual([1, 0, 0])
    expect(cancelled()).toHaveLength(1)
  })

  it('but answers 200 gets none, and the caller its response', async () => {
    let bytes = 0
    await using server = await socketServer((socket, text) => {
      bytes += text.split('\r\n\r\n')[1]?.length ?? 0
      socket.write(rawResponse('200 OK', {}, 'had it already'))
    })
    expect(await (await client()(server.origin, { ...post, expectContinue: { afterMs: 30 } })).text()).toBe('had it already')
    await allClosed(server)
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(bytes).toBe(0)
  })

  it('but redirects gets none, and the new target is asked', async () => {
    await using server = await askedServer((response, { url }) => {
      if (url === '/new') return true
      response.writeHead(307, { location: '/new' }).end()
      return false
    })
    expect(await (await client()(`${server.origin}/old`, post)).text()).toBe('got 11')
    expect(server.asked.map(({ content }) => content)).toEqual(['', 'the content'])
  })

  it('but answers 503 is asked again where the request may be repeated', async () => {
    await using server = await askedServer((response) => {
      if (server.asked.length > 2) return true
      response.writeHead(503).end('later')
      return false
    })
    const response = await client({ on: { 503: soon } })(server.origin, { ...post, method: 'PUT' })
    expect(await response.text()).toBe('got 11')
    expect(traceOf(response)?.attempts.map(({ status }) => status)).toEqual([503, 503, 200])
  })
})

describe('a 417 (RFC 9110 §15.5.18)', () => {
  it.each([
    ['a string', () => 'the content'],
    ['a stream', () => source('the ', 'content').stream],
  ])('has the request sent again at once, without the question: %s', async (_kind, body) => {
    await using server = await askedServer((response) => {
      response.writeHead(417).end('no expectations here')
      return false
    })
    const response = await client()(server.origin, { ...post, body: body(), duplex: 'half' })
    expect(await response.text()).toBe('not asked')
    expect([server.asked.length, server.unasked]).toEqual([1, ['the content']])
    expect(traceOf(response)?.attempts).toMatchObject([{ status: 200, resent: true }])
    await expect.poll(() => server.connections.map((socket) => socket.destroyed)).toContain(true)
  })

  it('to the request without the question is an error', async () => {
    await using server = await httpServer((_request, response) => response.writeHead(417).end('never'))
    expect(await caught(client()(server.origin, post))).toMatchObject({ status: 417, attempts: 1 })
    expect(server.requests).toHaveLength(2)
  })

  it('after a stream was begun is an error', async () => {
    let came = 0
    await using server = await socketServer((socket) => {
      came += 1
      if (came === 2) socket.write(rawResponse('417 Expectation Failed', {}, 'too late'))
    })
    const { stream } = source('a')
    const init = { ...post, body: stream, duplex: 'half', expectContinue: { afterMs: 20 } } as const
    expect(await caught(client()(server.origin, init))).toMatchObject({ status: 417, body: 'too late' })
    expect(server.connections).toHaveLength(1)
  })
})

describe('the response to such a request', () => {
  it('is decoded, with its fields, and may be a stream', async () => {
    const content = 'x'.repeat(200_000)
    await using server = await askedServer((response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'set-cookie': ['a=1', 'b=2'], 'x-a': '1' }).end(gzipSync(content))
      return false
    })
    const response = await client()(server.origin, post)
    expect([response.headers.getSetCookie(), response.headers.get('x-a'), response.url]).toEqual([
      ['a=1', 'b=2'],
      '1',
      `${server.origin}/`,
    ])
    let got = ''
    const decoder = new TextDecoder()
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) got += decoder.decode(part)
    expect(got).toBe(content)
    await allClosed(server)
  })

  it('is read no faster than the caller reads it, and given up with it', async () => {
    let given = 0
    await using server = await askedServer((response) => {
      const give = (): void => {
        while (given < 2_000 && response.write(Buffer.alloc(65_536))) given += 1
        given += 1
      }
      response.on('drain', give)
      give()
      return false
    })
    const response = await client()(server.origin, post)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(given).toBeLessThan(500)
    await response.body?.cancel()
    await allClosed(server)
  })

  it('may come while content is still sent, of which no more is sent then', async () => {
    let started = false
    await using server = await socketServer((socket) => {
      if (!started) socket.write(goOn)
      else socket.write(rawResponse('413 Content Too Large', {}, 'enough'))
      started = true
    })
    let given = 0
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        given += 1
        await new Promise((resolve) => setTimeout(resolve, 5))
        controller.enqueue(new Uint8Array(1_000))
      },
    })
    const error = await caught(client({ maxAttempts: 1 })(server.origin, { ...post, body: stream, duplex: 'half' }))
    expect(error).toMatchObject({ status: 413, body: expect.stringContaining('enough') })
    await allClosed(server)
    const before = given
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(given - before).toBeLessThan(3)
  })

  it('may have early hints before it', async () => {
    await using server = await askedServer((response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' })
      return true
    })
    const told: Information[] = []
    await client()(`${server.origin}/x`, { ...post, onInformation: (information) => told.push(information) })
    expect(told.map(({ status, links }) => [status, links[0]?.target])).toEqual([
      [103, `${server.origin}/a.css`],
      [100, undefined],
    ])
  })

  it.each([
    ['is a protocol error when it switches protocols', 'HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n', 'protocol'],
    ['is a protocol error when it does not say to what', 'HTTP/1.1 101 x\r\n\r\n', 'protocol'],
    ['is a protocol error when it is none', 'SMTP ready\r\n\r\n', 'protocol'],
    ['is a protocol error when there is no end of informational ones', 'HTTP/1.1 102 x\r\n\r\n'.repeat(2_000), 'protocol'],
  ])('%s', async (_case, answer, kind) => {
    await using server = await socketServer((socket) => socket.write(answer))
    const error = await caught(client({ maxAttempts: 1 })(server.origin, post))
    expect(error).toMatchObject({ name: 'NetworkError', kind, sent: 'maybe' })
    expect(JSON.stringify(error)).not.toContain('SMTP')
    expect((error as { cause?: object }).cause ?? {}).not.toHaveProperty('rawPacket')
    await allClosed(server)
  })

  it('that does not come is a connection that was lost', async () => {
    await using server = await socketServer((socket) => socket.destroy())
    const error = await caught(client({ maxAttempts: 1 })(server.origin, post))
    expect(error).toMatchObject({ name: 'NetworkError', kind: 'reset', sent: 'maybe' })
  })

  it('that is cut short fails when it is read', async () => {
    await using server = await socketServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort')
      setTimeout(() => socket.destroy(), 20)
    })
    const response = await client({ maxAttempts: 1 })(server.origin, post)
    expect(await caught(response.text())).toMatchObject({ name: 'NetworkError', kind: 'truncated' })
  })

  it('that ends with the connection is whole', async () => {
    await using server = await socketServer((socket) => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall of it'))
    expect(await (await client()(server.origin, post)).text()).toBe('all of it')
  })
})

describe('what ends such a request', () => {
  it.each([
    ['before the server says to go on', () => {}],
    ['while it sends its content', (socket: Socket) => void socket.write(goOn)],
  ])('is its signal: %s', async (_case, answer) => {
    await using server = await socketServer(answer)
    const controller = new AbortController()
    const cancelled: unknown[] = []
    const stream = new ReadableStream<Uint8Array>({ cancel: (reason) => void cancelled.push(reason) })
    const calling = caught(client()(server.origin, { ...post, body: stream, duplex: 'half', signal: controller.signal }))
    await expect.poll(() => server.requests.length).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const reason = new Error('not wanted any more')
    controller.abort(reason)
    expect(await calling).toBe(reason)
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    await allClosed(server)
    expect(cancelled).toEqual([reason])
  })

  it('is the time limit of the attempt', async () => {
    await using server = await socketServer(() => {})
    const error = await caught(client({ maxAttempts: 1, attemptTimeoutMs: 50 })(server.origin, post))
    expect(error).toMatchObject({ name: 'TimeoutError', kind: 'attempt', sent: 'maybe' })
    await allClosed(server)
  })

  it('is the time limit to connect', async () => {
    const api = client({ maxAttempts: 1, connectTimeoutMs: 50, connect: () => {} })
    expect(await caught(api('http://127.0.0.1:65000', post))).toMatchObject({ name: 'TimeoutError', kind: 'connect', sent: 'no' })
  })

  it('is a port that nobody listens on, and nothing was sent', async () => {
    const error = await caught(client({ maxAttempts: 2 })('http://127.0.0.1:65000', post))
    expect(error).toMatchObject({ name: 'NetworkError', kind: 'connect', sent: 'no', attempts: 2 })
  })

  it('is a source that fails', async () => {
    await using server = await askedServer()
    const own = new Error('the disk is gone')
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(own),
    })
    const error = await caught(client()(server.origin, { ...post, body: stream, duplex: 'half' }))
    expect(error).toMatchObject({ name: 'BodyError', kind: 'source', cause: own, attempts: 1 })
    await allClosed(server)
  })

  it.each([
    ['shorter', '20'],
    ['longer', '2'],
  ])('is content that is %s than its Content-Length says', async (_case, length) => {
    await using server = await askedServer()
    const { stream } = source('the ', 'content')
    const error = await caught(
      client()(server.origin, { ...post, body: stream, duplex: 'half', headers: { 'content-length': length } }),
    )
    expect(error).toMatchObject({ name: 'BodyError', kind: 'source' })
    await allClosed(server)
  })

  it('is a listener that throws', async () => {
    await using server = await askedServer()
    const own = new Error('the listener failed')
    const onInformation = (): never => {
      throw own
    }
    expect(await caught(client()(server.origin, { ...post, onInformation }))).toBe(own)
    await allClosed(server)
    expect(server.asked).toHaveLength(1)
  })

  it('is not the end of its client, which waits for it', async () => {
    await using server = await askedServer()
    const api = createFetch()
    const slow = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        controller.enqueue(new TextEncoder().encode('late'))
        controller.close()
      },
    })
    const calling = api(server.origin, { ...post, body: slow, duplex: 'half' })
    await expect.poll(() => server.asked.length).toBe(1)
    const closing = api.close()
    expect(await (await calling).text()).toBe('got 4')
    await closing
    expect(await caught(api(server.origin, post))).toMatchObject({ name: 'RefusedError', kind: 'closed' })
  })

  it('leaves no connection, after many of them', async () => {
    await using server = await askedServer()
    const api = client()
    for (let count = 0; count < 50; count += 1) await api(server.origin, post)
    expect(server.asked).toHaveLength(50)
    await allClosed(server)
  })
})

describe('the connection of such a request', () => {
  it('has TLS as the options say', async () => {
    await using server = await httpsServer((_request, response) => response.end('ok'))
    const error = await caught(client({ maxAttempts: 1 })(server.origin, post))
    expect(error).toMatchObject({ name: 'NetworkError', kind: 'tls', sent: 'no' })
    expect(await (await client({ connect: trusting })(server.origin, post)).text()).toBe('ok')
  })

  it('is opened by a connector of the caller, and by a path', async () => {
    await using server = await askedServer()
    const opened: string[] = []
    const own = client({
      connect: ({ hostname, port }, callback) => {
        opened.push(`${hostname}:${port}`)
        const socket = connectSocket(Number(server.origin.split(':')[2]), '127.0.0.1', () => callback(null, socket))
      },
    })
    expect(await (await own('http://service.example:8080/', post)).text()).toBe('got 11')
    expect(opened).toEqual(['service.example:8080'])
    const path = join(tmpdir(), `steadfetch-${process.pid}-expect.sock`)
    const unix = createServer((request, response) => request.resume().on('end', () => response.end(request.headers.host)))
    await new Promise<void>((resolve) => unix.listen(path, resolve))
    onTestFinished(() => void unix.close())
    expect(await (await client({ connect: { socketPath: path } })('http://service.example/', post)).text()).toBe(
      'service.example',
    )
  })
})

describe('the option expectContinue', () => {
  it.each([
    [{ expectContinue: 1 }, 'createFetch: expectContinue must be true, false or an object, got 1'],
    [{ expectContinue: null }, 'createFetch: expectContinue must be true, false or an object'],
    [{ expectContinue: { after: 1 } }, 'createFetch: expectContinue: unknown option "after"'],
    [{ expectContinue: { afterMs: 0 } }, 'createFetch: expectContinue.afterMs must be a number of milliseconds above 0'],
    [{ expectContinue: { afterMs: false } }, 'createFetch: expectContinue.afterMs must be a number of milliseconds above 0'],
    [{ expectContinue: true, dispatcher: new Agent() }, 'createFetch: expectContinue and dispatcher cannot both be given'],
    [{ expectContinue: {}, transport: () => {} }, 'createFetch: expectContinue and transport cannot both be given'],
  ])('is checked: %j', (options, message) => {
    expect(() => createFetch(options as never)).toThrow(message)
  })

  it('of a call is checked, too', async () => {
    const transport = async (): Promise<Response> => new Response('')
    const error = await caught(createFetch({ transport })('http://127.0.0.1:65000', post))
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).toContain('fetch: expectContinue and transport cannot both be given')
    const child = createFetch({ expectContinue: true })
    expect(() => child.extend({ transport })).toThrow('extend: expectContinue and transport cannot both be given')
    expect(() => child.extend({ transport, expectContinue: false })).not.toThrow()
  })

  it('is left aside where the global fetch was replaced, as by a mock', async () => {
    const mock = vi.fn(async () => new Response('mocked'))
    vi.stubGlobal('fetch', mock)
    onTestFinished(() => void vi.unstubAllGlobals())
    expect(await (await client()('http://127.0.0.1:65000', post)).text()).toBe('mocked')
    expect(mock).toHaveBeenCalledOnce()
  })

  it('takes the place of the field, which cannot be set', async () => {
    const error = await caught(client()('http://127.0.0.1:65000', { ...post, headers: { expect: '100-continue' } }))
    expect(error).toEqual(new TypeError('headers: expect belongs to the connection and cannot be set'))
  })
})
