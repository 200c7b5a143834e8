import { describe, expect, it } from 'vitest'
import { isTimeoutError, poll, traceOf } from '../../src/index.ts'
import { caught, client, keepingServer } from '../support/wire.ts'

const often = poll({ intervalMs: 5, timeoutMs: 5_000 })

describe('202: accepted work', () => {
  it('is asked for at its Location until a 303 leads to the result', async () => {
    await using server = await keepingServer((response, { path }, index) => {
      if (path === '/orders') response.writeHead(202, { location: '/jobs/1' }).end('accepted')
      else if (path === '/jobs/1' && index < 3) response.writeHead(202).end('still at it')
      else if (path === '/jobs/1') response.writeHead(303, { location: '/orders/1' }).end()
      else response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":1,"status":"pending"}')
    })
    const startMs = performance.now()
    const api = client({ on: { 202: often } })
    const response = await api(`${server.origin}/orders`, {
      method: 'POST',
      json: { quantity: 1 },
      headers: { 'idempotency-key': 'a', 'if-match': '"1"', authorization: 'Bearer secret' },
    })
    expect(await response.json()).toEqual({ id: 1, status: 'pending' })
    expect([response.status, response.url, response.redirected]).toEqual([200, `${server.origin}/orders/1`, true])
    expect(server.requests).toEqual(['POST /orders', 'GET /jobs/1', 'GET /jobs/1', 'GET /jobs/1', 'GET /orders/1'])
    expect(server.connections.length).toBeLessThanOrEqual(2)
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(5 + 7.5 + 11.25 - 1)
    for (const { headers, body } of server.received.slice(1)) {
      expect(headers).toMatchObject({ authorization: 'Bearer secret', accept: '*/*' })
      expect([headers['content-type'], headers['content-length'], headers['idempotency-key'], headers['if-match']]).toEqual(
        Array(4).fill(undefined),
      )
      expect(body).toHaveLength(0)
    }
    expect(traceOf(response)?.attempts.map(({ status, waitReason }) => [status, waitReason])).toEqual([
      [202, undefined],
      [202, 'poll'],
      [202, 'poll'],
      [303, 'poll'],
      [200, undefined],
    ])
  })

  it('with an Operation-Location is asked for there, and its result at the Location', async () => {
    await using server = await keepingServer((response, { path }, index) => {
      const json = (value: object) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      if (path === '/scans') response.writeHead(202, { 'operation-location': '/operations/1', location: '/scans/1' }).end()
      else if (path === '/operations/1') json({ status: index < 3 ? 'Running' : 'Succeeded', percentComplete: index * 33 })
      else json({ path })
    })
    const response = await client({ on: { 202: often } })(`${server.origin}/scans`, { method: 'POST', body: 'image' })
    expect(await response.json()).toEqual({ path: '/scans/1' })
    expect(server.requests).toEqual([
      'POST /scans',
      'GET /operations/1',
      'GET /operations/1',
      'GET /operations/1',
      'GET /scans/1',
    ])
    expect(server.connections.length).toBeLessThanOrEqual(2)
  })

  it('that takes longer than the polling may is given up, and no request follows', async () => {
    await using server = await keepingServer((response) => response.writeHead(202, { location: '/jobs/1' }).end())
    const api = client({ on: { 202: poll({ intervalMs: 20, timeoutMs: 500 }) } })
    const error = await caught(api(server.origin, { method: 'POST' }))
    expect(isTimeoutError(error) && error.kind).toBe('poll')
    const asked = server.requests.length
    expect(asked).toBeGreaterThanOrEqual(2)
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(server.requests).toHaveLength(asked)
  })

  it('is left alone by an abort while it waits', async () => {
    await using server = await keepingServer((response) => response.writeHead(202, { location: '/jobs/1' }).end())
    const controller = new AbortController()
    const call = caught(client({ on: { 202: 'poll' } })(server.origin, { method: 'POST', signal: controller.signal }))
    await expect.poll(() => server.requests).toHaveLength(1)
    setTimeout(() => controller.abort('enough'), 30)
    expect(await call).toBe('enough')
    expect(server.requests).toEqual(['POST /'])
  })

  it('whose monitor says more than 64 KiB is delivered to the last byte', async () => {
    const document = JSON.stringify({ status: 'running', filler: 'x'.repeat(3_000_000) })
    await using server = await keepingServer((response, { path }) => {
      if (path === '/') response.writeHead(202, { location: '/jobs/1' }).end()
      // Without a Content-Length, so that its length is found out by reading.
      else {
        response.writeHead(200, { 'content-type': 'application/json' })
        response.write(document.slice(0, 100_000))
        response.end(document.slice(100_000))
      }
    })
    const response = await client({ on: { 202: often } })(server.origin, { method: 'POST' })
    expect((await response.text()).length).toBe(document.length)
    expect(server.requests).toHaveLength(2)
  })
})
