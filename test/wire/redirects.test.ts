import { describe, expect, it } from 'vitest'
import { RedirectError, traceOf } from '../../src/index.ts'
import { httpServer, type LocalServer } from '../support/server.ts'
import { caught, client, keepingServer, type Received } from '../support/wire.ts'

/** Redirects everything but /new, which tells what came. */
function redirecting(status: number, location: string | undefined): Promise<LocalServer & { readonly received: Received[] }> {
  return keepingServer((response, { method, path, body }) => {
    if (path === '/new' || path.startsWith('/new?')) response.end(`${method} ${body}`)
    else response.writeHead(status, location === undefined ? {} : { location }).end('redirecting')
  })
}

/** Redirects /5 to /4, and so on down to /0. */
function countdown(): Promise<LocalServer> {
  return httpServer((request, response) => {
    const left = Number(request.url?.slice(1))
    if (left === 0) response.end('arrived')
    else response.writeHead(302, { location: `/${left - 1}` }).end()
  })
}

/** Status, method, and the method and the content of the second request. */
const methods: [number, string, string, boolean][] = [
  [301, 'GET', 'GET', false],
  [302, 'GET', 'GET', false],
  [303, 'GET', 'GET', false],
  [307, 'GET', 'GET', false],
  [308, 'GET', 'GET', false],
  [301, 'HEAD', 'HEAD', false],
  [302, 'HEAD', 'HEAD', false],
  [303, 'HEAD', 'HEAD', false],
  [307, 'HEAD', 'HEAD', false],
  [308, 'HEAD', 'HEAD', false],
  [301, 'POST', 'GET', false],
  [302, 'POST', 'GET', false],
  [303, 'POST', 'GET', false],
  [307, 'POST', 'POST', true],
  [308, 'POST', 'POST', true],
  [301, 'PUT', 'PUT', true],
  [302, 'PUT', 'PUT', true],
  [303, 'PUT', 'GET', false],
  [307, 'PUT', 'PUT', true],
  [308, 'PUT', 'PUT', true],
]

describe('the method of a redirect', () => {
  it.each(methods)('%i: %s becomes %s, with its content: %s', async (status, method, newMethod, keepsContent) => {
    await using server = await redirecting(status, '/new')
    const body = method === 'POST' || method === 'PUT' ? 'content' : null
    const response = await client()(`${server.origin}/old`, { method, body, headers: { 'x-own': '1', 'content-language': 'en' } })
    expect([response.status, response.redirected]).toEqual([200, true])
    expect(server.requests).toEqual([`${method} /old`, `${newMethod} /new`])
    const second = server.received[1] ?? expect.unreachable()
    expect(String(second.body)).toBe(keepsContent ? 'content' : '')
    expect(second.headers['content-type']).toBe(keepsContent ? 'text/plain;charset=UTF-8' : undefined)
    expect(second.headers['content-length']).toBe(keepsContent ? '7' : undefined)
    expect(second.headers['content-language']).toBe(newMethod === method ? 'en' : undefined)
    expect(second.headers['x-own']).toBe('1')
  })
})

describe('the Location', () => {
  it.each([
    ['absolute path', '/new'],
    ['relative path', 'new'],
    ['relative with dots', './a/../new'],
    ['with a query', '/new?a=b%20c'],
    ['with a fragment', '/new#part'],
  ])('%s is resolved', async (_name, location) => {
    await using server = await redirecting(302, location)
    const response = await client()(`${server.origin}/old?x=1`)
    const expected = location.includes('?') ? '/new?a=b%20c' : '/new'
    expect(server.requests).toEqual(['GET /old?x=1', `GET ${expected}`])
    expect(response.url).toBe(server.origin + expected)
    expect(await response.text()).toBe('GET ')
  })

  it('protocol-relative is resolved, to another origin too', async () => {
    await using target = await redirecting(302, undefined)
    await using server = await redirecting(302, `${target.origin.slice('http:'.length)}/new`)
    const response = await client()(server.origin)
    expect(response.url).toBe(`${target.origin}/new`)
    expect([server.requests, target.requests]).toEqual([['GET /'], ['GET /new']])
  })

  it('absent: the response is delivered as it is', async () => {
    await using server = await redirecting(302, undefined)
    const response = await client()(server.origin)
    expect([response.status, response.redirected, await response.text()]).toEqual([302, false, 'redirecting'])
    expect(server.requests).toHaveLength(1)
  })

  it.each([
    ['invalid', 'http://[', 'location'],
    ['ftp', 'ftp://127.0.0.1/new', 'scheme'],
    ['javascript', 'javascript:alert(1)', 'scheme'],
    ['file', 'file:///etc/hostname', 'scheme'],
    ['data', 'data:,new', 'scheme'],
  ])('%s is refused', async (_name, location, kind) => {
    await using server = await redirecting(302, location)
    const error = await caught(client()(server.origin))
    expect(error).toBeInstanceOf(RedirectError)
    expect(error).toMatchObject({ kind, status: 302, attempts: 1 })
    expect(server.requests).toHaveLength(1)
  })

  it('with credentials is refused, and the error does not show them', async () => {
    await using server = await httpServer((request, response) =>
      response.writeHead(302, { location: `http://me:s3cr3t@${request.headers.host}/new` }).end(),
    )
    const error = await caught(client()(server.origin))
    expect(error).toMatchObject({ name: 'RedirectError', kind: 'credentials' })
    expect(String((error as Error).stack)).not.toContain('s3cr3t')
    expect(server.requests).toHaveLength(1)
  })
})

describe('how far redirects are followed', () => {
  it('20 hops are', async () => {
    await using server = await countdown()
    const response = await client()(`${server.origin}/20`)
    expect(await response.text()).toBe('arrived')
    expect(server.requests).toHaveLength(21)
    expect(traceOf(response)?.redirects).toHaveLength(20)
    expect(server.connections.length).toBeLessThanOrEqual(3)
  })

  it('21 are not', async () => {
    await using server = await countdown()
    const error = await caught(client()(`${server.origin}/21`))
    expect(error).toBeInstanceOf(RedirectError)
    expect(error).toMatchObject({ kind: 'too many', attempts: 21 })
    expect(server.requests).toHaveLength(21)
  })

  it('a loop ends, and is not sent again', async () => {
    await using server = await redirecting(301, '/old')
    const error = await caught(client()(`${server.origin}/old`))
    expect(error).toMatchObject({ name: 'RedirectError', kind: 'too many' })
    expect(server.requests).toHaveLength(21)
  })
})

describe("the option 'redirect'", () => {
  it("'manual' delivers the redirect", async () => {
    await using server = await redirecting(307, '/new')
    const response = await client()(server.origin, { redirect: 'manual' })
    expect([response.status, response.headers.get('location'), response.redirected]).toEqual([307, '/new', false])
    expect(await response.text()).toBe('redirecting')
    expect(server.requests).toHaveLength(1)
  })

  it("'error' rejects", async () => {
    await using server = await redirecting(307, '/new')
    const error = await caught(client()(server.origin, { redirect: 'error' }))
    expect(error).toBeInstanceOf(RedirectError)
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ kind: 'forbidden', status: 307 })
    expect(server.requests).toHaveLength(1)
  })
})

describe('the response after a redirect', () => {
  it('knows its url without a fragment and that it was redirected, and so does its clone', async () => {
    await using server = await redirecting(302, '/new?q=1#other')
    const response = await client()(`${server.origin}/old#part`)
    const copy = response.clone()
    for (const one of [response, copy, copy.clone()]) {
      expect([one.url, one.redirected, one.status]).toEqual([`${server.origin}/new?q=1`, true, 200])
      expect(await one.text()).toBe('GET ')
    }
  })

  it('without a redirect keeps its url without the fragment, its clone too', async () => {
    await using server = await redirecting(302, '/new')
    const response = await client()(`${server.origin}/new#part`)
    const seen = [response, response.clone()].map(({ url, redirected }) => [url, redirected])
    expect(seen).toEqual([0, 1].map(() => [`${server.origin}/new`, false]))
    expect(server.requests).toEqual(['GET /new'])
  })
})
