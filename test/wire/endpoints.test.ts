import { describe, expect, it } from 'vitest'
import { traceOf } from '../../src/index.ts'
import { httpServer, type LocalServer } from '../support/server.ts'
import { client } from '../support/wire.ts'

const answering = (name: string): Promise<LocalServer> => httpServer((_request, response) => response.end(name))

describe('three servers as endpoints', () => {
  it('one of which is stopped: every call succeeds, few attempts go to it, and connections to the others are reused', async () => {
    await using a = await answering('a')
    await using b = await answering('b')
    const c = await answering('c')
    const api = client({ endpoints: [a.origin, b.origin, c.origin] })
    const names = new Set<string>()
    for (let call = 0; call < 60; call += 1) names.add(await (await api(`before/${call}`)).text())
    expect(names).toEqual(new Set(['a', 'b', 'c']))
    await c[Symbol.asyncDispose]()
    let failovers = 0
    for (let call = 0; call < 200; call += 1) {
      const response = await api(`after/${call}`)
      expect(await response.text()).toMatch(/^[ab]$/)
      const attempts = traceOf(response)?.attempts ?? []
      expect(attempts.length).toBeLessThanOrEqual(2)
      if (attempts.length === 2) expect(attempts[1]).toMatchObject({ waitMs: 0, waitReason: 'failover' })
      failovers += attempts.length - 1
    }
    expect(failovers).toBeLessThanOrEqual(6)
    // A second one is opened when a call follows before the connection is free again.
    for (const { connections } of [a, b]) expect(connections.length).toBeLessThanOrEqual(2)
    expect(a.requests.length + b.requests.length).toBeGreaterThanOrEqual(200)
  })

  it('of which one hangs: calls at the same time pass it over after attemptTimeoutMs, and then hardly go there', async () => {
    await using a = await answering('a')
    await using b = await answering('b')
    await using hanging = await httpServer(() => {})
    const api = client({ endpoints: [hanging.origin, a.origin, b.origin], attemptTimeoutMs: 100, maxAttempts: 2 })
    const wave = (): Promise<string[]> => Promise.all(Array.from({ length: 12 }, async () => (await api('x')).text()))
    expect((await wave()).join('')).toMatch(/^[ab]{12}$/)
    const learnt = hanging.requests.length
    for (let waves = 0; waves < 5; waves += 1) await wave()
    expect(hanging.requests.length - learnt).toBeLessThanOrEqual(6)
  })

  it('gets a POST on another where the first refuses the connection, and sends it once', async () => {
    const gone = await answering('gone')
    await gone[Symbol.asyncDispose]()
    const bodies: string[] = []
    await using b = await httpServer(async (request, response) => {
      let body = ''
      for await (const part of request) body += part
      bodies.push(body)
      response.end('done')
    })
    // The chance is always the first, which is the one that is gone.
    const api = client({ endpoints: [gone.origin, b.origin], random: () => 0 })
    const response = await api('orders', { method: 'POST', json: { amount: 5 } })
    expect(await response.text()).toBe('done')
    expect(bodies).toEqual(['{"amount":5}'])
    expect(traceOf(response)?.attempts.map(({ url, waitReason }) => [url, waitReason])).toEqual([
      [`${gone.origin}/orders`, undefined],
      [`${b.origin}/orders`, 'failover'],
    ])
  })
})
