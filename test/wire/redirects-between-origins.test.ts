import { describe, expect, it } from 'vitest'
import { follow, RedirectError } from '../../src/index.ts'
import { httpServer } from '../support/server.ts'
import { caught, client, inTurn, keepingServer } from '../support/wire.ts'

const credentials = {
  authorization: 'Bearer s3cr3t',
  cookie: 'sid=s3cr3t',
  'proxy-authorization': 'Basic s3cr3t',
  'x-api-key': 's3cr3t',
  'x-auth-token': 's3cr3t',
}
const others = { accept: 'application/json', 'idempotency-key': 'k1', 'x-request-id': 'r1', 'accept-language': 'de' }

describe('a redirect to another origin', () => {
  it('drops what looks like a credential and keeps the rest', async () => {
    await using target = await keepingServer(inTurn(200))
    await using server = await httpServer((_request, response) =>
      response.writeHead(302, { location: `${target.origin}/new` }).end(),
    )
    const response = await client()(server.origin, { headers: { ...credentials, ...others } })
    expect(response.url).toBe(`${target.origin}/new`)
    const { headers } = target.received[0] ?? expect.unreachable()
    for (const name of Object.keys(credentials)) expect(headers).not.toHaveProperty(name)
    expect(headers).toMatchObject(others)
    expect(headers.host).toBe(new URL(target.origin).host)
    expect(JSON.stringify(headers)).not.toContain('s3cr3t')
    expect([server.requests, target.requests]).toEqual([['GET /'], ['GET /new']])
  })

  it('and back again does not bring the credentials back', async () => {
    let home = ''
    await using away = await keepingServer((response) => response.writeHead(302, { location: `${home}/end` }).end())
    await using server = await keepingServer((response, { path }) => {
      if (path === '/end') response.end()
      else response.writeHead(302, { location: away.origin }).end()
    })
    home = server.origin
    await client()(`${server.origin}/start`, { headers: credentials })
    expect(server.received.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/start', 'Bearer s3cr3t'],
      ['/end', undefined],
    ])
    expect(away.received[0]?.headers.authorization).toBeUndefined()
  })

  it("drops the client's own credentials too", async () => {
    await using target = await keepingServer(inTurn(200))
    await using server = await keepingServer((response) => response.writeHead(301, { location: target.origin }).end())
    await client({ baseUrl: server.origin, headers: { ...credentials, 'x-service': 'a' } })('users')
    expect(server.received[0]?.headers).toMatchObject(credentials)
    expect(target.received[0]?.headers['x-service']).toBe('a')
    expect(JSON.stringify(target.received[0]?.headers)).not.toContain('s3cr3t')
  })

  it('drops what the Fetch standard drops, a Host of the caller too, where the policy strips by the standard', async () => {
    await using target = await keepingServer(inTurn(200))
    await using server = await keepingServer((response) => response.writeHead(302, { location: target.origin }).end())
    const api = client({ on: { 302: follow({ strip: 'standard' }) } })
    await api(server.origin, { headers: { ...credentials, host: 'own.test' } })
    expect(server.received[0]?.headers.host).toBe('own.test')
    const { headers } = target.received[0] ?? expect.unreachable()
    for (const name of ['authorization', 'cookie', 'proxy-authorization']) expect(headers).not.toHaveProperty(name)
    expect(headers).toMatchObject({ host: new URL(target.origin).host, 'x-api-key': 's3cr3t', 'x-auth-token': 's3cr3t' })
  })

  it('on the same origin keeps every field', async () => {
    await using server = await keepingServer((response, _received, index) => {
      if (index === 0) response.writeHead(302, { location: '/new' }).end()
      else response.end()
    })
    await client()(server.origin, { headers: { ...credentials, ...others } })
    expect(server.received[1]?.headers).toMatchObject({ ...credentials, ...others })
  })

  it.each([307, 308])('%i with content is refused', async (status) => {
    await using target = await keepingServer(inTurn(200))
    await using server = await keepingServer((response) => response.writeHead(status, { location: target.origin }).end())
    const error = await caught(client()(server.origin, { method: 'POST', body: 'private' }))
    expect(error).toBeInstanceOf(RedirectError)
    expect(error).toMatchObject({ kind: 'content', status })
    expect([server.requests, target.requests]).toEqual([['POST /'], []])
    expect(target.connections).toHaveLength(0)
  })

  it('with content is followed where the policy allows it, the credentials still dropped', async () => {
    await using target = await keepingServer(inTurn(200))
    await using server = await keepingServer((response) => response.writeHead(307, { location: target.origin }).end())
    const api = client({ on: { 307: follow({ replayCrossOrigin: true }) } })
    await api(server.origin, { method: 'POST', body: 'public', headers: credentials })
    expect(target.received.map(({ method, body }) => [method, String(body)])).toEqual([['POST', 'public']])
    expect(target.received[0]?.headers.authorization).toBeUndefined()
  })

  it('as a 303 goes on as GET without the content', async () => {
    await using target = await keepingServer(inTurn(200))
    await using server = await keepingServer((response) => response.writeHead(303, { location: target.origin }).end())
    await client()(server.origin, { method: 'POST', body: 'private' })
    expect(target.received.map(({ method, body }) => [method, String(body)])).toEqual([['GET', '']])
  })
})

describe('a redirect', () => {
  it('of a one-shot stream is refused where the content would have to be sent again', async () => {
    await using server = await keepingServer((response) => response.writeHead(307, { location: '/new' }).end())
    const error = await caught(client()(server.origin, { method: 'PUT', body: new Blob(['a']).stream(), duplex: 'half' }))
    expect(error).toBeInstanceOf(RedirectError)
    expect(error).toMatchObject({ kind: 'content', attempts: 1 })
    expect(server.received.map(({ body }) => String(body))).toEqual(['a'])
  })

  it('of a one-shot stream is followed where the method becomes GET', async () => {
    await using server = await keepingServer((response, _received, index) => {
      if (index === 0) response.writeHead(303, { location: '/new' }).end()
      else response.end('done')
    })
    const response = await client()(server.origin, { method: 'POST', body: new Blob(['a']).stream(), duplex: 'half' })
    expect(await response.text()).toBe('done')
    expect(server.requests).toEqual(['POST /', 'GET /new'])
  })

  it('with Retry-After is followed when that time is over', async () => {
    await using server = await keepingServer((response, _received, index) => {
      if (index === 0) response.writeHead(301, { location: '/new', 'retry-after': '1' }).end()
      else response.end()
    })
    await client()(server.origin)
    const [first, second] = server.received.map(({ atMs }) => atMs) as [number, number]
    expect(second - first).toBeGreaterThanOrEqual(995)
    expect(second - first).toBeLessThan(2_000)
  })

  it('whose Retry-After does not fit into the call is refused at once', async () => {
    await using server = await httpServer((_request, response) =>
      response.writeHead(301, { location: '/new', 'retry-after': '10' }).end(),
    )
    const startMs = performance.now()
    expect(await caught(client()(server.origin, { timeoutMs: 2_000 }))).toMatchObject({ name: 'RedirectError', kind: 'wait' })
    expect(performance.now() - startMs).toBeLessThan(1_000)
    expect(server.requests).toHaveLength(1)
  })

  it('to a server that fails at first: the target is asked again, not the redirect', async () => {
    await using server = await keepingServer((response, { path }, index) => {
      if (path === '/old') response.writeHead(302, { location: '/new' }).end()
      else response.writeHead(index < 2 ? 503 : 200).end('done')
    })
    const response = await client()(`${server.origin}/old`)
    expect(await response.text()).toBe('done')
    expect(server.requests).toEqual(['GET /old', 'GET /new', 'GET /new'])
  })
})
