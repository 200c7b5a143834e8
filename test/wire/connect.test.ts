import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect as connectSocket, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import { buildConnector } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type Connector,
  type ConnectorCallback,
  createFetch,
  NetworkError,
  remainingMs,
  TimeoutError,
  traceOf,
  withDeadline,
} from '../../src/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { httpServer, socketServer } from '../support/server.ts'
import { h2Server, httpsServer, pem, trusting } from '../support/tls.ts'
import { caught, client } from '../support/wire.ts'

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

/** The name in the certificate that the other side showed. */
function peerOf(socket: unknown): string {
  const { subject } = (socket as TLSSocket).getPeerCertificate() as Partial<PeerCertificate>
  return String(subject?.CN ?? 'nobody')
}

/** An HTTP server on a Unix domain socket. */
async function unixServer(): Promise<{ path: string; hosts: (string | undefined)[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'unix-'))
  const path = join(folder, 'http.sock')
  const hosts: (string | undefined)[] = []
  const server = createServer((request, response) => {
    hosts.push(request.headers.host)
    response.end(`${request.method} ${request.url}`)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true })
  })
  return { path, hosts }
}

describe('a unix socket', () => {
  it('takes the requests for whatever host', async () => {
    const { path, hosts } = await unixServer()
    const api = client({ connect: { socketPath: path } })
    expect(await (await api('http://docker.internal/v1/info', { method: 'POST' })).text()).toBe('POST /v1/info')
    expect(await (await api('http://127.0.0.1:2/')).text()).toBe('GET /')
    expect(hosts).toEqual(['docker.internal', '127.0.0.1:2'])
  })

  it('that does not exist is an error of kind connect, and nothing is sent', async () => {
    const api = client({ connect: { socketPath: '/nonexistent/http.sock' } })
    const error = await caught(api('http://docker.internal/', { method: 'POST' }))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind: 'connect', sent: 'no', attempts: 3 })
    expect((error as Error).message).toContain('ENOENT')
  })
})

describe('TLS', () => {
  it('trusts the authority of the option ca', async () => {
    await using server = await httpsServer((_request, response) => response.end('ok'))
    const api = client({ connect: trusting })
    expect(await (await api(server.origin)).text()).toBe('ok')
    expect(await (await api(server.origin.replace('127.0.0.1', 'localhost'))).text()).toBe('ok')
  })

  const distrusted: [string, object, object, string][] = [
    ['an authority that is not known', {}, {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['another authority', {}, { ca: pem('other-ca') }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['an expired certificate', { cert: pem('expired') }, trusting, 'CERT_HAS_EXPIRED'],
    ['a certificate of another host', { cert: pem('elsewhere') }, trusting, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['a protocol that is too old', { maxVersion: 'TLSv1.2' }, { ...trusting, minVersion: 'TLSv1.3' }, ''],
  ]
  it.each(distrusted)(
    '%s is an error of kind tls; nothing is sent, so that any method is tried again',
    async (_n, served, connect, code) => {
      await using server = await httpsServer((_request, response) => response.end('ok'), served)
      const error = await caught(client({ connect })(server.origin, { method: 'POST', body: 'a' }))
      expect(error).toBeInstanceOf(NetworkError)
      expect(error).toMatchObject({ kind: 'tls', sent: 'no', attempts: 3 })
      expect((error as Error).message).toContain(code)
      expect(traceOf(error)?.attempts.map((attempt) => attempt.error)).toEqual(Array(3).fill('ERR_STEADFETCH_NETWORK_TLS'))
      expect(server.requests).toEqual([])
    },
  )

  it('compares the certificate with the option servername, and sends it', async () => {
    await using server = await httpsServer((_request, response) => response.end('ok'), { cert: pem('elsewhere') })
    const api = client({ connect: { ...trusting, servername: 'elsewhere.test' } })
    expect(await (await api(server.origin)).text()).toBe('ok')
    expect((server.connections[0] as { servername?: unknown }).servername).toBe('elsewhere.test')
  })

  it('trusts everything only when told to', async () => {
    await using server = await httpsServer((_request, response) => response.end('ok'), { cert: pem('expired') })
    expect(await (await client({ connect: { rejectUnauthorized: false } })(server.origin)).text()).toBe('ok')
  })

  it('shows a client certificate to a server that asks for one', async () => {
    const asking = { requestCert: true, rejectUnauthorized: true, ca: pem('ca') }
    await using server = await httpsServer((request, response) => {
      response.end(peerOf(request.socket))
    }, asking)
    const shown = { ...trusting, cert: pem('client'), key: pem('client-key') }
    expect(await (await client({ connect: shown })(server.origin)).text()).toBe('steadfetch test client')
    const error = await caught(client({ connect: trusting })(server.origin, { method: 'POST' }))
    expect(error).toBeInstanceOf(NetworkError)
    expect((error as NetworkError).kind).toMatch(/tls|reset/)
    expect(server.requests).toEqual(['GET /'])
  })
})

describe('the option connect', () => {
  it.each([
    [undefined, 'h2'],
    [true, 'h2'],
    [false, 'http/1.1'],
  ])('allowH2 %j: a server that offers both is spoken to in %s', async (allowH2, protocol) => {
    await using server = await h2Server((request, response) => response.end(request.httpVersion))
    const api = client({ connect: { ...trusting, allowH2 } as object })
    expect(await (await api(server.origin)).text()).toBe(protocol === 'h2' ? '2.0' : '1.1')
    expect(server.connections.map((socket) => socket.alpnProtocol)).toEqual([protocol])
  })

  it('allowH2 false opens as many connections as there are requests, at once', async () => {
    await using server = await h2Server((_request, response) => setTimeout(() => response.end('ok'), 50))
    const api = client({ connect: { ...trusting, allowH2: false } })
    await Promise.all(Array.from({ length: 5 }, async () => (await api(server.origin)).text()))
    expect(server.connections).toHaveLength(5)
  })

  it('localAddress is where connections come from', async () => {
    await using server = await httpServer((request, response) => response.end(request.socket.remoteAddress))
    expect(await (await client({ connect: { localAddress: '127.0.0.9' } })(server.origin)).text()).toBe('127.0.0.9')
  })

  it('lookup resolves host names', async () => {
    await using server = await httpServer((request, response) => response.end(request.headers.host))
    const { port } = new URL(server.origin)
    const api = client({ connect: { lookup: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]) } })
    expect(await (await api(`http://api.test:${port}/`)).text()).toBe(`api.test:${port}`)
  })

  it('a connector of undici opens the connections', async () => {
    await using server = await httpsServer((_request, response) => response.end('ok'))
    const opened: string[] = []
    const open: Connector = buildConnector({ ...trusting })
    const connect: Connector = (target, callback) => {
      opened.push(`${target.protocol}//${target.hostname}:${target.port}`)
      open(target, callback)
    }
    expect(await (await client({ connect })(server.origin)).text()).toBe('ok')
    expect(opened).toEqual([server.origin])
  })

  it.each([
    ['calls back with', (callback: ConnectorCallback, error: Error) => callback(error, null)],
    [
      'throws',
      (_callback: ConnectorCallback, error: Error) => {
        throw error
      },
    ],
  ])('a connector that %s an error: nothing was sent', async (_how, fail) => {
    let calls = 0
    const connect: Connector = (_target, callback) => {
      calls += 1
      fail(callback, Object.assign(new Error('no way'), { code: 'ENETUNREACH' }))
    }
    const error = await caught(client({ connect })('http://127.0.0.1/', { method: 'POST' }))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind: 'connect', sent: 'no', attempts: 3 })
    expect(calls).toBe(3)
  })
})

describe('connectTimeoutMs', () => {
  it('bounds a TLS handshake that does not end, with connection options too', async () => {
    await using server = await socketServer(() => {})
    const api = client({ connect: trusting, connectTimeoutMs: 60, maxAttempts: 2 })
    const startMs = performance.now()
    const error = await caught(api(server.origin.replace('http:', 'https:'), { method: 'POST' }))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ kind: 'connect', sent: 'no', attempts: 2 })
    expect(performance.now() - startMs).toBeLessThan(1_500)
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
  })

  it('bounds a connector, on the clock of the client, and the socket that comes too late is closed', async () => {
    await using server = await httpServer((_request, response) => response.end('ok'))
    const clock = new FakeClock()
    const { port } = new URL(server.origin)
    const late: (() => void)[] = []
    const connect: Connector = (_target, callback) => {
      late.push(() => {
        const socket: Socket = connectSocket(Number(port), '127.0.0.1', () => callback(null, socket))
      })
    }
    const api = createFetch({ connect, clock, connectTimeoutMs: 1_000, maxAttempts: 1 })
    const error = await clock.drive(caught(api(server.origin)))
    expect(error).toMatchObject({ kind: 'connect', sent: 'no' })
    expect((error as Error).message).toContain('1000 ms')
    for (const open of late) open()
    await expect.poll(() => server.connections.length).toBe(1)
    await expect.poll(() => server.connections[0]?.destroyed).toBe(true)
    expect(server.requests).toEqual([])
    await api.close()
  })
})

describe('a child', () => {
  it('with a connect of its own has connections of its own, its children share them, and all close together', async () => {
    await using server = await httpServer((request, response) => response.end(String(request.socket.remotePort)))
    const root = createFetch()
    const own = root.extend({ connect: {} })
    const portOf = async (api: typeof root): Promise<string> => {
      const port = await (await api(server.origin)).text()
      await turn()
      return port
    }
    const [first, second] = [await portOf(root), await portOf(own)]
    expect(second).not.toBe(first)
    expect(await portOf(root.extend({ maxAttempts: 1 }))).toBe(first)
    expect(await portOf(own.extend({ maxAttempts: 1 }))).toBe(second)
    expect(await portOf(own.extend({ connect: {} }))).not.toBe(second)
    expect(server.connections).toHaveLength(3)
    await root.close()
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
    expect(await caught(own(server.origin))).toMatchObject({ kind: 'closed' })
  })

  it('given the connector of its parent again has connections of its own all the same', async () => {
    await using server = await httpServer((_request, response) => response.end('ok'))
    const connect: Connector = buildConnector({})
    const root = client({ connect })
    for (const api of [root, root.extend({ connect }), root]) {
      await (await api(server.origin)).text()
      await turn()
    }
    expect(server.connections).toHaveLength(2)
  })

  it('shows its own client certificate, and not that of its parent', async () => {
    await using server = await h2Server(
      (request, response) => {
        response.end(peerOf(request.stream.session?.socket))
      },
      { requestCert: true, rejectUnauthorized: false },
    )
    const root = client({ connect: trusting })
    const known = root.extend({ connect: { ...trusting, cert: pem('client'), key: pem('client-key') } })
    expect(await (await known(server.origin)).text()).toBe('steadfetch test client')
    expect(await (await root(server.origin)).text()).toBe('nobody')
  })

  it('waits for its requests when the client is closed', async () => {
    await using server = await httpServer((_request, response) => setTimeout(() => response.end('ok'), 50))
    const root = createFetch()
    const pending = root.extend({ connect: {} })(server.origin)
    await turn()
    await root.close()
    expect((await pending).status).toBe(200)
  })
})

it('a connection is opened under the deadline of no call: others will use it, too', async () => {
  await using server = await httpServer((_request, response) => response.end('ok'))
  for (const connectTimeoutMs of [1_000, false] as const) {
    const left: number[] = []
    const open = buildConnector({})
    const connect: Connector = (options, callback) => {
      left.push(remainingMs())
      open(options as buildConnector.Options, callback as buildConnector.Callback)
    }
    const api = client({ connect, connectTimeoutMs })
    expect(await withDeadline(5_000, async () => (await api(server.origin)).text())).toBe('ok')
    expect(left).toEqual([Infinity])
  }
})
