import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createFetch, InternalServerError } from '../../src/index.ts'
import { httpServer, type LocalServer, socketServer } from '../support/server.ts'
import { caught, client } from '../support/wire.ts'

const content = 'a'.repeat(5_000)

const open = (server: LocalServer): number => server.connections.filter((socket) => !socket.destroyed).length

describe('the connections of responses that are not delivered', () => {
  it('200 calls in a row that are sent twice each use few connections', async () => {
    let seen = 0
    await using server = await httpServer((_request, response) => {
      seen += 1
      response.writeHead(seen % 2 === 1 ? 503 : 200).end(content)
    })
    const api = client()
    for (let count = 0; count < 200; count += 1) expect(await (await api(server.origin)).text()).toBe(content)
    expect(server.requests).toHaveLength(400)
    expect(server.connections.length).toBeLessThanOrEqual(3)
  })

  it('100 redirects with content use few connections', async () => {
    await using server = await httpServer((request, response) => {
      if (request.url === '/new') response.end(content)
      else response.writeHead(302, { location: '/new' }).end(content)
    })
    const api = client()
    for (let count = 0; count < 100; count += 1) expect(await (await api(server.origin)).text()).toBe(content)
    expect(server.requests).toHaveLength(200)
    expect(server.connections.length).toBeLessThanOrEqual(3)
  })

  it('100 errors use few connections', async () => {
    await using server = await httpServer((_request, response) => response.writeHead(404).end(content))
    const api = client()
    for (let count = 0; count < 100; count += 1) expect(await caught(api(server.origin))).toMatchObject({ body: content })
    expect(server.requests).toHaveLength(100)
    expect(server.connections.length).toBeLessThanOrEqual(3)
  })

  it('100 small bodies that nobody reads use few connections', async () => {
    await using server = await httpServer((_request, response) => response.end(content))
    const api = client()
    for (let count = 0; count < 100; count += 1) {
      await api(server.origin)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(server.requests).toHaveLength(100)
    expect(server.connections.length).toBeLessThanOrEqual(10)
  })

  it.each([
    ['an error', 404, {}],
    ['a retry', 503, {}],
    ['a redirect', 302, { location: '/new' }],
  ])('a large body of %s is let go and its connection closed', async (_name, status, headers) => {
    let given = 0
    function* pieces(): Generator<Buffer> {
      for (; given < 1_000; given += 1) yield Buffer.alloc(65_536)
    }
    await using server = await httpServer((_request, response) => {
      if (server.requests.length > 1) response.end('done')
      else Readable.from(pieces()).pipe(response.writeHead(status, headers))
    })
    const startMs = performance.now()
    const result = await client()(`${server.origin}/old`).catch((error: unknown) => error)
    expect(result).toMatchObject({ status: status === 404 ? 404 : 200 })
    expect(performance.now() - startMs).toBeLessThan(1_500)
    await expect.poll(() => server.connections[0]?.destroyed).toBe(true)
    expect(given).toBeLessThan(500)
    expect(server.requests).toHaveLength(status === 404 ? 1 : 2)
  })

  it('a body that is cancelled closes its connection', async () => {
    await using server = await httpServer((_request, response) => response.writeHead(200).write('start'))
    const response = await client()(server.origin)
    await response.body?.cancel()
    await expect.poll(() => open(server)).toBe(0)
  })
})

describe('an endless body of an error', () => {
  it.each([
    ['fast', 0, 65_536],
    ['slow', 20, 10],
  ])('that comes %s: the error is there in about a second, and the connection is closed', async (_name, everyMs, size) => {
    let stopped = false
    await using server = await httpServer((_request, response) => {
      response.on('error', () => {})
      response.on('close', () => {
        stopped = true
      })
      response.writeHead(500)
      const more = (): void => {
        if (stopped) return
        if (response.write(Buffer.alloc(size, 'x'))) setTimeout(more, everyMs)
        else response.once('drain', more)
      }
      more()
    })
    const startMs = performance.now()
    const error = await caught(client()(server.origin, { method: 'POST' }))
    expect(performance.now() - startMs).toBeLessThan(1_500)
    expect(error).toBeInstanceOf(InternalServerError)
    expect((error as InternalServerError).body).toMatch(/^x+$/)
    expect((error as InternalServerError).body.length).toBeLessThanOrEqual(65_536)
    expect(server.requests).toHaveLength(1)
    await expect.poll(() => stopped).toBe(true)
    expect(open(server)).toBe(0)
  })

  it('that never begins: the error is there in about a second', async () => {
    await using server = await socketServer((socket) => socket.write('HTTP/1.1 404 Not Found\r\ncontent-length: 100\r\n\r\n'))
    const startMs = performance.now()
    expect(await caught(client()(server.origin))).toMatchObject({ status: 404, body: '' })
    expect(performance.now() - startMs).toBeLessThan(1_500)
    await expect.poll(() => open(server)).toBe(0)
  })
})

describe('close', () => {
  it('closes the idle connections, so that the server can stop', async () => {
    await using server = await httpServer((_request, response) => response.end(content))
    const api = createFetch()
    await Promise.all(Array.from({ length: 5 }, async () => (await api(server.origin)).text()))
    expect(open(server)).toBeGreaterThan(0)
    await api.close()
    await expect.poll(() => open(server)).toBe(0)
  })

  it('waits for a call under way, and refuses later ones without sending them', async () => {
    await using server = await httpServer((_request, response) => setTimeout(() => response.end('done'), 100))
    const api = createFetch()
    const underWay = api(server.origin)
    await expect.poll(() => server.requests.length).toBe(1)
    const closed = api.close()
    expect(await caught(api(`${server.origin}/late`))).toMatchObject({ name: 'RefusedError', kind: 'closed' })
    expect(await (await underWay).text()).toBe('done')
    await closed
    expect(server.requests).toEqual(['GET /'])
    await expect.poll(() => open(server)).toBe(0)
  })

  it.each([
    ['a client that was never used', false],
    ['a client that was used', true],
  ])('of %s can be called again, at once and later', async (_name, used) => {
    await using server = await httpServer((_request, response) => response.end(content))
    const api = createFetch()
    if (used) await (await api(server.origin)).text()
    await Promise.all([api.close(), api.close()])
    await expect(api.close()).resolves.toBeUndefined()
    await expect(api.extend({}).close()).resolves.toBeUndefined()
  })

  it('leaves no timer and no socket of the client behind', async () => {
    const handles = (): string[] =>
      process.getActiveResourcesInfo().filter((name) => /^(?:Timeout|TCPSocketWrap|TLSWrap)$/.test(name))
    const before = handles().length
    {
      await using server = await httpServer((request, response) =>
        response.writeHead(request.url === '/a' ? 404 : 200).end(content),
      )
      const api = createFetch()
      for (let count = 0; count < 20; count += 1) await api(`${server.origin}/${count % 2 === 0 ? 'a' : 'b'}`).catch(() => {})
      await api.close()
    }
    await expect.poll(() => handles().length, { timeout: 500 }).toBeLessThanOrEqual(before + 1)
  })
})
