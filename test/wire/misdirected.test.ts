import { describe, expect, it } from 'vitest'
import { MisdirectedRequestError, retry, traceOf } from '../../src/index.ts'
import { h2Server, trusting } from '../support/tls.ts'
import { caught, client, keepingServer } from '../support/wire.ts'

const soon = retry({ baseMs: 0, repeat: 'any' })

describe('421 Misdirected Request (RFC 9110 §15.5.20)', () => {
  it('over HTTP/2 is asked again in another session; what is under way in the first one is not disturbed', async () => {
    const sessions: unknown[] = []
    let finish = (): void => {}
    await using server = await h2Server((request, response) => {
      if (!sessions.includes(request.stream.session)) sessions.push(request.stream.session)
      const isFirst = request.stream.session === sessions[0]
      if (request.url === '/slow') finish = () => response.end('slow but whole')
      else response.writeHead(isFirst && request.url === '/a' ? 421 : 200).end(`session ${isFirst ? 1 : 2}`)
    })
    const api = client({ connect: trusting, on: { 421: soon } })
    expect(await (await api(`${server.origin}/warm`)).text()).toBe('session 1')
    const slow = api(`${server.origin}/slow`)
    await expect.poll(() => server.requests).toContain('GET /slow')
    const response = await api(`${server.origin}/a`, { method: 'POST', body: 'a' })
    expect(await response.text()).toBe('session 2')
    expect(traceOf(response)?.attempts.map(({ status }) => status)).toEqual([421, 200])
    for (let count = 0; count < 3; count += 1) expect(await (await api(`${server.origin}/b`)).text()).toBe('session 2')
    finish()
    expect(await (await slow).text()).toBe('slow but whole')
    expect(server.connections).toHaveLength(2)
    // The first session is closed once nothing is under way in it.
    await expect.poll(() => server.connections[0]?.destroyed).toBe(true)
    expect(server.connections[1]?.destroyed).toBe(false)
    expect(server.requests).toHaveLength(7)
  })

  it('many at once over HTTP/2 all find their way to other sessions', async () => {
    const first = new Set<unknown>()
    await using server = await h2Server((request, response) => {
      if (first.size === 0) first.add(request.stream.session)
      response.writeHead(first.has(request.stream.session) ? 421 : 200).end('whole')
    })
    const api = client({ connect: trusting, on: { 421: soon } })
    const answers = await Promise.all(Array.from({ length: 20 }, async () => (await api(server.origin)).text()))
    expect(answers).toEqual(Array(20).fill('whole'))
    expect(server.requests).toHaveLength(40)
    expect(server.connections.length).toBeLessThanOrEqual(3)
    await api.close()
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
  })

  it('is thrown when every connection says the same, each time a new one', async () => {
    await using server = await keepingServer((response) => response.writeHead(421).end('not here'))
    const error = await caught(client({ on: { 421: soon } })(server.origin, { method: 'POST', body: 'a' }))
    expect(error).toBeInstanceOf(MisdirectedRequestError)
    expect(error).toMatchObject({ attempts: 3, body: 'not here' })
    expect(server.requests).toHaveLength(3)
    expect(server.connections).toHaveLength(3)
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
  })

  it('with a body that does not end is asked again over another connection as well', async () => {
    await using server = await keepingServer((response, _received, index) => {
      if (index === 0) response.writeHead(421).write('x'.repeat(100_000))
      else response.end('here')
    })
    const response = await client({ on: { 421: soon } })(server.origin)
    expect(await response.text()).toBe('here')
    expect(server.connections).toHaveLength(2)
  })
})
