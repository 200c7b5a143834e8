import { createHash } from 'node:crypto'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createFetch, type SteadFetch, traceOf } from '../../src/index.ts'
import { h2Server, httpsServer, trusting } from '../support/tls.ts'
import { caught, client } from '../support/wire.ts'

const secure = (options: object = {}): SteadFetch => client({ connect: trusting, ...options })

const turn = (ms = 20): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Bytes that do not repeat in step with any window. */
const noise = (length: number): Buffer<ArrayBuffer> => {
  const bytes = Buffer.alloc(length)
  for (let index = 0; index < length; index += 1) bytes[index] = (index * 31 + (index >> 8) * 17) % 251
  return bytes
}

/** A way to a server that can stop to carry anything over the connections it has, as when a NAT has forgotten them. */
async function pathTo(server: { origin: string }): Promise<AsyncDisposable & { origin: string; silence(): void }> {
  const sockets: Socket[] = []
  const way = createServer((near) => {
    const far = connect(Number(new URL(server.origin).port), '127.0.0.1')
    sockets.push(near, far)
    for (const socket of [near, far]) socket.on('error', () => {})
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve))
  return {
    origin: `https://127.0.0.1:${(way.address() as AddressInfo).port}`,
    silence() {
      for (const socket of sockets) socket.unpipe().pause()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => way.close(resolve))
    },
  }
}

async function contentOf(request: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

describe('the protocol', () => {
  it('is HTTP/2 where the server offers it, and HTTP/1.1 where it does not', async () => {
    await using modern = await h2Server((request, response) => response.end(request.httpVersion))
    await using old = await httpsServer((request, response) => response.end(request.httpVersion))
    const api = secure()
    expect(await (await api(modern.origin)).text()).toBe('2.0')
    expect(await (await api(old.origin)).text()).toBe('1.1')
    expect([...modern.connections, ...old.connections].map((socket) => socket.alpnProtocol)).toEqual(['h2', 'http/1.1'])
  })

  it('is settled by one connection, whatever number of requests wait for it', async () => {
    await using server = await h2Server((request, response) => response.end(request.url))
    const api = secure()
    const paths = Array.from({ length: 60 }, (_item, index) => `/${index}`)
    const texts = await Promise.all(paths.map(async (path) => (await api(server.origin + path)).text()))
    expect(texts).toEqual(paths)
    expect(server.connections).toHaveLength(1)
  })

  it('opens no more streams than the server allows', async () => {
    let open = 0
    let most = 0
    const few = { settings: { maxConcurrentStreams: 5 } }
    await using server = await h2Server(async (_request, response) => {
      most = Math.max(most, ++open)
      await turn(5)
      open -= 1
      response.end()
    }, few)
    const api = secure()
    await (await api(server.origin)).text()
    const statuses = await Promise.all(Array.from({ length: 40 }, async () => (await api(server.origin)).status))
    expect(statuses).toEqual(Array(40).fill(200))
    expect(most).toBeLessThanOrEqual(5 * server.connections.length)
  })
})

describe('requests', () => {
  it('carry their authority, their path and their fields, and nothing of the connection', async () => {
    await using server = await h2Server((request, response) => response.end(JSON.stringify(request.headers)))
    const headers = { 'X-Own': 'a', cookie: 'a=1; b=2', connection: 'close' }
    const received = await (await secure()(`${server.origin}/p?q=1`, { headers })).json()
    expect(received).toMatchObject({
      ':method': 'GET',
      ':scheme': 'https',
      ':path': '/p?q=1',
      ':authority': new URL(server.origin).host,
      'x-own': 'a',
      cookie: 'a=1; b=2',
      'user-agent': 'steadfetch',
    })
    for (const name of ['host', 'connection', 'keep-alive', 'transfer-encoding']) expect(received).not.toHaveProperty(name)
  })

  it.each(['te', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])(
    'with the connection-specific field %s are refused before they are sent, and the session lives on',
    async (name) => {
      await using server = await h2Server((_request, response) => response.end('ok'))
      const api = secure()
      await (await api(server.origin)).text()
      expect(await caught(api(server.origin, { headers: { [name]: 'a' } }))).toBeInstanceOf(TypeError)
      expect(await (await api(server.origin)).text()).toBe('ok')
      expect([server.requests.length, server.connections.length]).toEqual([2, 1])
    },
  )

  it('send JSON with its length', async () => {
    await using server = await h2Server(async (request, response) => {
      const { method, headers } = request
      response.end(JSON.stringify([method, headers['content-type'], headers['content-length'], String(await contentOf(request))]))
    })
    const response = await secure()(server.origin, { method: 'POST', json: { a: 1 } })
    expect(await response.json()).toEqual(['POST', 'application/json', '7', '{"a":1}'])
  })

  it('send a stream, a Blob, a form and nothing', async () => {
    await using server = await h2Server(async (request, response) => {
      const content = await contentOf(request)
      response.end(`${request.headers['content-length'] ?? 'no length'} ${content.length}`)
    })
    const api = secure()
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < 10; count += 1) {
        await turn(1)
        yield noise(10_000)
      }
    }
    const form = new FormData()
    form.set('a', 'b')
    const post = async (body: BodyInit | null): Promise<string> =>
      (await api(server.origin, { method: 'POST', body, duplex: 'half' } as RequestInit)).text()
    expect(await post(Readable.toWeb(Readable.from(pieces())) as ReadableStream<Uint8Array<ArrayBuffer>>)).toBe(
      'no length 100000',
    )
    expect(await post(new Blob([noise(70_000)]))).toBe('70000 70000')
    expect(await post(form)).toMatch(/^(\d+) \1$/)
    expect(await post(null)).toBe('0 0')
  })

  it('send 1 MB against the window of the server', async () => {
    const bytes = noise(1_000_000)
    await using server = await h2Server(async (request, response) => {
      await turn(50)
      response.end(digest(await contentOf(request)))
    })
    expect(await (await secure()(server.origin, { method: 'PUT', body: bytes })).text()).toBe(digest(bytes))
  })

  it('follow a redirect on the same connection', async () => {
    await using server = await h2Server((request, response) => {
      if (request.url === '/new') response.end('there')
      else response.writeHead(302, { location: '/new' }).end()
    })
    const response = await secure()(`${server.origin}/old`)
    expect([await response.text(), response.redirected, response.url]).toEqual(['there', true, `${server.origin}/new`])
    expect(server.connections).toHaveLength(1)
  })

  it('are sent again after a status that says so', async () => {
    let count = 0
    await using server = await h2Server((_request, response) => {
      count += 1
      response.writeHead(count < 3 ? 503 : 200).end('ok')
    })
    const response = await secure()(server.origin)
    expect(await response.text()).toBe('ok')
    expect(traceOf(response)?.attempts.map(({ status }) => status)).toEqual([503, 503, 200])
    expect(server.requests).toHaveLength(3)
  })
})

describe('responses', () => {
  it.each([65_536, 70_001, 1_000_000])('of %i bytes are read whole', async (length) => {
    const bytes = noise(length)
    await using server = await h2Server((_request, response) => response.end(bytes))
    const api = secure()
    expect(digest(await (await api(server.origin)).bytes())).toBe(digest(bytes))
    const parts: Uint8Array[] = []
    for await (const part of (await api(server.origin)).body ?? []) {
      parts.push(part)
      await turn(0)
    }
    expect(digest(Buffer.concat(parts))).toBe(digest(bytes))
  })

  it('that nobody reads do not hold up the others of the session', async () => {
    const bytes = noise(200_000)
    await using server = await h2Server((_request, response) => response.end(bytes))
    const api = secure()
    const unread = await api(server.origin)
    for (let count = 0; count < 5; count += 1) expect(digest(await (await api(server.origin)).bytes())).toBe(digest(bytes))
    expect(server.connections).toHaveLength(1)
    expect(digest(await unread.bytes())).toBe(digest(bytes))
  })

  it('have no body where the method or the status says so', async () => {
    await using server = await h2Server((request, response) => {
      response
        .writeHead(Number(request.url.slice(1)), { 'x-own': 'a', ...(request.method === 'HEAD' && { 'content-length': '5' }) })
        .end()
    })
    const api = secure()
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 304],
    ] as const) {
      const response = await api(`${server.origin}/${status}`, { method })
      expect([response.status, response.body, response.headers.get('x-own')]).toEqual([status, null, 'a'])
      expect(await response.text()).toBe('')
    }
    expect(server.connections).toHaveLength(1)
  })

  it('are decoded', async () => {
    await using server = await h2Server((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('decoded'))
    })
    expect(await (await secure()(server.origin)).text()).toBe('decoded')
  })

  it('keep each Set-Cookie apart, show no pseudo field, and have no reason phrase', async () => {
    await using server = await h2Server((_request, response) => {
      response.writeHead(200, { 'set-cookie': ['a=1', 'b=2'], 'x-own': 'a' }).end()
    })
    const { headers, statusText } = await secure()(server.origin)
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(headers.get('x-own')).toBe('a')
    expect([...headers.keys()].filter((name) => name.startsWith(':'))).toEqual([])
    expect(statusText).toBe('')
  })

  it('may end with trailers, which are not fields', async () => {
    await using server = await h2Server((_request, response) => {
      response.addTrailers({ 'x-sum': '1' })
      response.end('content')
    })
    const response = await secure()(server.origin)
    expect(await response.text()).toBe('content')
    expect(response.headers.has('x-sum')).toBe(false)
  })

  it('may be preceded by informational ones', async () => {
    await using server = await h2Server((_request, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' })
      response.stream.additionalHeaders({ ':status': 102 })
      response.end('final')
    })
    const seen: unknown[] = []
    const onInformation = ({ status, headers }: { status: number; headers: Headers }): void => {
      seen.push([status, headers.get('link')])
    }
    const response = await secure()(server.origin, { onInformation } as RequestInit)
    expect([response.status, await response.text()]).toEqual([200, 'final'])
    expect(seen).toEqual([
      [103, '</a.css>; rel=preload'],
      [102, null],
    ])
  })

  it('of a failed status are typed errors', async () => {
    await using server = await h2Server((_request, response) => response.writeHead(404).end('nothing here'))
    expect(await caught(secure()(server.origin))).toMatchObject({ status: 404, body: 'nothing here', attempts: 1 })
  })
})

describe('an abort', () => {
  it('before the response ends one stream; the others of the session go on', async () => {
    await using server = await h2Server((request, response) => {
      if (request.url !== '/silent') setTimeout(() => response.end('ok'), 60)
    })
    const api = secure()
    await (await api(server.origin)).text()
    const controller = new AbortController()
    const aborted = caught(api(`${server.origin}/silent`, { signal: controller.signal }))
    const other = api(server.origin)
    await turn()
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await aborted).toBe(reason)
    expect(await (await other).text()).toBe('ok')
    expect(await (await api(server.origin)).text()).toBe('ok')
    expect(server.connections).toHaveLength(1)
  })

  it('in the body ends one stream; the others of the session go on', async () => {
    let closed = 0
    await using server = await h2Server((request, response) => {
      if (request.url !== '/long') return void response.end('ok')
      response.stream.on('close', () => {
        closed += 1
      })
      response.write('start')
    })
    const api = secure()
    const controller = new AbortController()
    const response = await api(`${server.origin}/long`, { signal: controller.signal })
    controller.abort(new Error('enough'))
    expect(await caught(response.text())).toMatchObject({ message: 'enough' })
    const other = await api(`${server.origin}/long`)
    await other.body?.cancel()
    await expect.poll(() => closed).toBe(2)
    expect(await (await api(server.origin)).text()).toBe('ok')
    expect(server.connections).toHaveLength(1)
  })
})

describe('a connection that has died without a word', () => {
  it('is found out once an attempt is over time, and the call goes on over another', async () => {
    await using server = await h2Server((_request, response) => response.end('ok'))
    await using way = await pathTo(server)
    const api = createFetch({ connect: trusting, attemptTimeoutMs: 300, maxAttempts: 20, timeoutMs: 15_000 })
    onTestFinished(() => api.close())
    await (await api(way.origin)).text()
    way.silence()
    const response = await api(way.origin)
    expect(await response.text()).toBe('ok')
    expect([server.connections.length, server.requests.length]).toEqual([2, 2])
    expect(traceOf(response)?.attempts[0]).toMatchObject({ error: 'ERR_STEADFETCH_TIMEOUT_ATTEMPT' })
  })

  it('is told from one that is slow', async () => {
    await using server = await h2Server((request, response) => {
      if (request.url === '/slow') setTimeout(() => response.end('late'), 2_800)
      else if (request.url !== '/silent') response.end('ok')
    })
    const api = createFetch({ connect: trusting })
    onTestFinished(() => api.close())
    const slow = api(`${server.origin}/slow`)
    await turn()
    const error = await caught(api(`${server.origin}/silent`, { attemptTimeoutMs: 100, maxAttempts: 1 } as RequestInit))
    expect(error).toMatchObject({ kind: 'attempt' })
    expect(await (await slow).text()).toBe('late')
    expect(server.connections).toHaveLength(1)
  })
})
