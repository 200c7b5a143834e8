import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { EnvHttpProxyAgent, ProxyAgent } from 'undici'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { type DispatcherLike, isNetworkError, NetworkError, NotFoundError, type SteadFetch, traceOf } from '../../src/index.ts'
import { httpServer } from '../support/server.ts'
import { h2Server, httpsServer, trusting } from '../support/tls.ts'
import { caught, client } from '../support/wire.ts'

/** A proxy on loopback that keeps what it was asked, as `METHOD target`, and with which credentials. */
interface Proxy extends AsyncDisposable {
  readonly origin: string
  readonly asked: string[]
  readonly credentials: (string | undefined)[]
}

/** A proxy that forwards and tunnels, unless `refusal` gives a status to refuse with. */
async function proxyServer(refusal?: number): Promise<Proxy> {
  const [asked, credentials, sockets]: [string[], (string | undefined)[], Socket[]] = [[], [], []]
  const note = ({ method, url, headers }: IncomingMessage): void => {
    asked.push(`${method} ${url}`)
    credentials.push(headers['proxy-authorization'])
  }
  const server = createServer(async (request, response) => {
    note(request)
    if (refusal !== undefined) return void response.writeHead(refusal, { 'proxy-authenticate': 'Basic' }).end('the proxy says no')
    const { host, connection, ...headers } = request.headers
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = parts.length > 0 ? Buffer.concat(parts) : null
    const answer = await fetch(request.url as string, { method: request.method as string, body, headers: withoutHop(headers) })
    response.writeHead(answer.status, { via: '1.1 test' }).end(await answer.bytes())
  })
  server.on('connection', (socket: Socket) => sockets.push(socket))
  server.on('connect', (request, near: Socket) => {
    note(request)
    near.on('error', () => {})
    if (refusal !== undefined) return void near.end(`HTTP/1.1 ${refusal} No\r\ncontent-length: 0\r\n\r\n`)
    const { hostname, port } = new URL(`http://${request.url}`)
    const far = connect(Number(port), hostname, () => near.write('HTTP/1.1 200 Connected\r\n\r\n'))
    far.on('error', () => near.destroy())
    sockets.push(far)
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    credentials,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function withoutHop(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !/^(?:proxy-|content-length|transfer-encoding)/.test(name))
  return Object.fromEntries(kept) as Record<string, string>
}

/** A client over this dispatcher, which the test closes. */
function through(dispatcher: DispatcherLike & { destroy(): Promise<void> }): SteadFetch {
  onTestFinished(() => dispatcher.destroy())
  return client({ dispatcher })
}

const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'] as const
const before = Object.fromEntries(names.map((name) => [name, process.env[name]]))

function environment(values: Partial<Record<(typeof names)[number], string>>): void {
  for (const name of names) delete process.env[name]
  Object.assign(process.env, values)
}

afterEach(() => {
  for (const name of names) {
    if (before[name] === undefined) delete process.env[name]
    else process.env[name] = before[name]
  }
})

const withPassword = (origin: string): string => origin.replace('//', '//someone:s3cr3t@')
const encoded = Buffer.from('someone:s3cr3t').toString('base64')

/** Everything that a logger might make of an error. */
const shown = (error: unknown): string =>
  [inspect(error, { depth: 10, showHidden: true }), JSON.stringify(error), String(error), JSON.stringify(traceOf(error))].join(
    '\n',
  )

describe('EnvHttpProxyAgent', () => {
  it('sends http targets by HTTP_PROXY in absolute form', async () => {
    await using server = await httpServer((_request, response) => response.end('ok'))
    await using proxy = await proxyServer()
    environment({ HTTP_PROXY: proxy.origin })
    const response = await through(new EnvHttpProxyAgent())(`${server.origin}/p?q=1`, { method: 'POST', json: { a: 1 } })
    expect([await response.text(), response.headers.get('via'), response.url]).toEqual([
      'ok',
      '1.1 test',
      `${server.origin}/p?q=1`,
    ])
    expect(proxy.asked).toEqual([`POST ${server.origin}/p?q=1`])
    expect(server.requests).toEqual(['POST /p?q=1'])
  })

  it('sends https targets by HTTPS_PROXY through a tunnel', async () => {
    await using server = await httpsServer((_request, response) => response.end('ok'))
    await using proxy = await proxyServer()
    environment({ HTTPS_PROXY: proxy.origin })
    const api = through(new EnvHttpProxyAgent({ requestTls: trusting }))
    expect(await (await api(server.origin)).text()).toBe('ok')
    expect(proxy.asked).toEqual([`CONNECT ${new URL(server.origin).host}`])
  })

  it('leaves the hosts of NO_PROXY alone', async () => {
    await using server = await httpServer((_request, response) => response.end('ok'))
    await using proxy = await proxyServer()
    environment({ HTTP_PROXY: proxy.origin, NO_PROXY: 'example.com,127.0.0.1' })
    const api = through(new EnvHttpProxyAgent())
    expect(await (await api(server.origin)).text()).toBe('ok')
    expect(proxy.asked).toEqual([])
    expect(await (await api(server.origin.replace('127.0.0.1', 'localhost'))).text()).toBe('ok')
    expect(proxy.asked).toHaveLength(1)
  })

  it('without any of them connects as ever', async () => {
    await using server = await httpServer((_request, response) => response.end('ok'))
    environment({})
    expect(await (await through(new EnvHttpProxyAgent())(server.origin)).text()).toBe('ok')
  })
})

describe('ProxyAgent', () => {
  it('speaks HTTP/2 through its tunnel where the server offers it', async () => {
    await using server = await h2Server((request, response) => response.end(request.httpVersion))
    await using proxy = await proxyServer()
    const api = through(new ProxyAgent({ uri: proxy.origin, requestTls: trusting }))
    expect(await (await api(server.origin)).text()).toBe('2.0')
    expect(await (await api(server.origin)).text()).toBe('2.0')
    expect(proxy.asked).toEqual([`CONNECT ${new URL(server.origin).host}`])
  })

  it('gives its credentials to the proxy and to nobody else', async () => {
    const seen: unknown[] = []
    await using plain = await httpServer((request, response) => {
      seen.push(request.headers['proxy-authorization'])
      response.end('ok')
    })
    await using secure = await httpsServer((request, response) => {
      seen.push(request.headers['proxy-authorization'])
      response.end('ok')
    })
    await using proxy = await proxyServer()
    const api = through(new ProxyAgent({ uri: withPassword(proxy.origin), requestTls: trusting }))
    for (const { origin } of [plain, secure]) expect(await (await api(origin)).text()).toBe('ok')
    expect(proxy.credentials).toEqual(Array(2).fill(`Basic ${encoded}`))
    expect(seen).toEqual([undefined, undefined])
  })

  it('keeps the policies: a failed status is retried through it, and the last one is a typed error', async () => {
    let count = 0
    await using server = await httpServer((_request, response) => {
      count += 1
      response.writeHead(count === 1 ? 503 : 404).end()
    })
    await using proxy = await proxyServer()
    const error = await caught(through(new ProxyAgent(proxy.origin))(server.origin))
    expect(error).toBeInstanceOf(NotFoundError)
    expect(traceOf(error)?.attempts.map(({ status }) => status)).toEqual([503, 404])
    expect(proxy.asked).toHaveLength(2)
  })

  it('is shared by children, and is not closed with the client', async () => {
    await using server = await httpServer((_request, response) => response.end('ok'))
    await using proxy = await proxyServer()
    const dispatcher = new ProxyAgent(proxy.origin)
    const api = through(dispatcher)
    await (await api.extend({ maxAttempts: 1 })(server.origin)).text()
    await api.close()
    expect(await (await through(dispatcher)(server.origin)).text()).toBe('ok')
    expect(proxy.asked).toHaveLength(2)
  })
})

describe('a proxy that does not do its work', () => {
  const schemes = ['http', 'https']

  async function refused(scheme: string, proxy: Proxy): Promise<unknown> {
    const api = through(new ProxyAgent(withPassword(proxy.origin)))
    return caught(api(`${scheme}://origin.test/`, { method: 'POST', body: 'a' }))
  }

  it.each(schemes)('a wrong password is an error of kind connect for an %s target, and shows no credentials', async (scheme) => {
    await using proxy = await proxyServer(407)
    const error = await refused(scheme, proxy)
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind: 'connect', sent: 'no' })
    expect((error as Error).message).toContain('407')
    expect(proxy.credentials[0]).toBe(`Basic ${encoded}`)
    expect(shown(error)).not.toContain('s3cr3t')
    expect(shown(error)).not.toContain(encoded)
  })

  it('a tunnel that the proxy refuses is an error of kind connect, and the origin saw nothing', async () => {
    await using proxy = await proxyServer(502)
    const error = await refused('https', proxy)
    expect(error).toMatchObject({ kind: 'connect', sent: 'no', attempts: 3 })
    expect((error as Error).message).toContain('Proxy response (502)')
    expect(traceOf(error)?.attempts.map((attempt) => attempt.error)).toEqual(Array(3).fill('ERR_STEADFETCH_NETWORK_CONNECT'))
    expect(proxy.asked).toEqual(Array(3).fill('CONNECT origin.test:443'))
  })

  it.each(schemes)('a dead proxy is an error of kind connect for an %s target, and shows no credentials', async (scheme) => {
    const proxy = await proxyServer()
    await proxy[Symbol.asyncDispose]()
    const error = await refused(scheme, proxy)
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind: 'connect', sent: 'no', attempts: 3 })
    expect((error as Error).message).toContain('ECONNREFUSED')
    expect(shown(error)).not.toContain('s3cr3t')
    expect(shown(error)).not.toContain(encoded)
  })

  it('a proxy that hangs up on CONNECT is an error of kind connect', async () => {
    await using proxy = await httpServer((_request, response) => response.end())
    const error = await caught(through(new ProxyAgent(proxy.origin))('https://origin.test/', { method: 'POST' }))
    expect(isNetworkError(error)).toBe(true)
    expect(error).toMatchObject({ kind: 'connect', sent: 'no' })
  })

  it('a certificate that is not trusted is an error of kind tls through the tunnel, too', async () => {
    await using server = await httpsServer((_request, response) => response.end('ok'))
    await using proxy = await proxyServer()
    const error = await caught(through(new ProxyAgent(proxy.origin))(server.origin, { method: 'POST' }))
    expect(error).toMatchObject({ kind: 'tls', sent: 'no', attempts: 3 })
    expect(server.requests).toEqual([])
  })
})
