import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { traceOf } from '../../src/index.ts'
import { httpServer } from '../support/server.ts'
import { client } from '../support/wire.ts'

describe('a hedged request on real connections', () => {
  it('is answered by the second one when the first hangs, whose connection is closed', async () => {
    let arrived = 0
    await using server = await httpServer((_request, response) => {
      arrived += 1
      if (arrived > 1) response.end('second')
    })
    const fetch = client({ hedge: { afterMs: 30 } })
    const response = await fetch(server.origin)
    expect(await response.text()).toBe('second')
    expect(server.requests).toHaveLength(2)
    expect(traceOf(response)?.attempts.map(({ hedge, error }) => [hedge, error])).toEqual([
      [undefined, 'superseded'],
      [true, undefined],
    ])
    await expect.poll(() => server.connections.filter((socket) => !socket.destroyed).length).toBe(1)
    await fetch.close()
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
  })

  it('cancels the hedge when the first is answered after all; the answer is read whole', async () => {
    const whole = 'x'.repeat(300_000)
    let arrived = 0
    await using server = await httpServer(async (_request, response) => {
      arrived += 1
      if (arrived > 1) return
      await once(server.connections[0] as never, 'never', { signal: AbortSignal.timeout(80) }).catch(() => {})
      response.end(whole)
    })
    const fetch = client({ hedge: { afterMs: 20 } })
    const response = await fetch(server.origin)
    expect(await response.text()).toBe(whole)
    expect(server.requests).toHaveLength(2)
    await fetch.close()
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
  })

  it('sends the same content twice', async () => {
    const bodies: string[] = []
    await using server = await httpServer(async (request, response) => {
      let body = ''
      for await (const part of request.setEncoding('utf8')) body += part
      bodies.push(body)
      if (bodies.length > 1) response.end()
    })
    const fetch = client({ hedge: { afterMs: 30 } })
    await fetch(server.origin, { method: 'PUT', json: { quantity: 1 } })
    expect(bodies).toEqual(['{"quantity":1}', '{"quantity":1}'])
    await fetch.close()
  })
})
