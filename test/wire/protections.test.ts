import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type BreakerChange, isRefusedError, isTimeoutError, traceOf, withDeadline } from '../../src/index.ts'
import { draftFields, quotaServer } from '../support/quota-server.ts'
import { httpServer, type LocalServer } from '../support/server.ts'
import { caught, client } from '../support/wire.ts'

const timesOf = <Value>(count: number, one: () => Promise<Value>): Promise<Value>[] => Array.from({ length: count }, one)
const openSockets = ({ connections }: LocalServer): number => connections.filter((socket) => !socket.destroyed).length

describe('a circuit breaker', () => {
  it('opens on a server that resets connections, spares it meanwhile, and closes once it is back', async () => {
    let isDown = true
    await using server = await httpServer((request, response) => {
      if (isDown) request.socket.resetAndDestroy()
      else response.end('back')
    })
    const changes: string[] = []
    const onChange = ({ from, to }: BreakerChange): unknown => changes.push(`${from} -> ${to}`)
    const api = client({ breaker: { consecutiveFailures: 4, openMs: 150, onChange }, maxAttempts: 2 })
    const breaker = api.breaker(server.origin)
    for (let call = 0; call < 2; call += 1) expect(await caught(api(server.origin))).toMatchObject({ kind: 'reset', attempts: 2 })
    expect(breaker.state).toBe('open')
    const refusals = await Promise.all(timesOf(20, () => caught(api(server.origin))))
    expect(refusals.every((error) => isRefusedError(error) && error.kind === 'breaker open')).toBe(true)
    expect(server.requests).toHaveLength(4)
    isDown = false
    await expect.poll(() => breaker.state, { interval: 10 }).toBe('half-open')
    const probes = await Promise.all(timesOf(3, () => api(server.origin)))
    expect(await Promise.all(probes.map((response) => response.text()))).toEqual(['back', 'back', 'back'])
    expect(breaker.state).toBe('closed')
    expect(changes).toEqual(['closed -> open', 'open -> half-open', 'half-open -> closed'])
    expect(server.requests).toHaveLength(7)
  })
})

describe('a rate limit that follows the server', () => {
  it('spreads calls over the windows of its RateLimit fields, and is never answered with 429', async () => {
    const rules = { limit: 20, windowMs: 1_000 }
    const quota = quotaServer(() => performance.now(), { ...rules, fields: draftFields(rules) })
    await using server = await httpServer(async (_request, response) => {
      const { status, headers } = await quota.transport('', {} as never)
      response.writeHead(status, Object.fromEntries(headers)).end()
    })
    const api = client({ rateLimit: true })
    const startMs = performance.now()
    await api(server.origin)
    const responses = await Promise.all(timesOf(29, () => api(server.origin)))
    expect(responses.every(({ status }) => status === 200)).toBe(true)
    expect(responses.some((response) => traceOf(response)?.attempts[0]?.waitReason === 'rate limit')).toBe(true)
    expect(performance.now() - startMs).toBeGreaterThan(900)
    expect(quota.refused).toBe(0)
    expect(server.requests).toHaveLength(30)
  })
})

/** A service that asks another one, under the deadline that it is given, on behalf of whoever repeats what fails. */
async function relayTo(origin: string): Promise<LocalServer & { readonly fields: number[]; readonly errors: unknown[] }> {
  const api = client({ deadlineField: 'request-timeout-ms' })
  const fields: number[] = []
  const errors: unknown[] = []
  const server = await httpServer(async (request, response) => {
    const leftMs = Number(request.headers['request-timeout-ms'])
    fields.push(leftMs)
    const status = await withDeadline(leftMs, () => api(origin), { repeated: true }).then(
      () => 200,
      (error: unknown) => {
        errors.push(error)
        return 503
      },
    )
    response.writeHead(status).end()
  })
  return Object.assign(server, { fields, errors })
}

describe('a deadline across services', () => {
  it('goes down in the field, and what the outer client repeats the inner one does not: retries are not multiplied', async () => {
    const fields: number[] = []
    await using innermost = await httpServer((request, response) => {
      fields.push(Number(request.headers['request-timeout-ms']))
      setTimeout(() => response.writeHead(503).end(), 20)
    })
    await using relay = await relayTo(innermost.origin)
    const api = client({ deadlineField: 'request-timeout-ms' })
    expect(await caught(withDeadline(2_000, () => api(relay.origin)))).toMatchObject({ status: 503, attempts: 3 })
    expect(relay.requests).toHaveLength(3)
    expect(innermost.requests).toHaveLength(3)
    expect(relay.errors.map((error) => traceOf(error)?.notRepeated)).toEqual(Array(3).fill('retried by an outer call'))
    const [first = 0, second = 0, third = 0] = relay.fields
    expect(first).toBeLessThanOrEqual(2_000)
    expect(second).toBeLessThanOrEqual(first - 20)
    expect(third).toBeLessThanOrEqual(second - 20)
    for (const [index, field] of fields.entries()) expect(field).toBeLessThanOrEqual(relay.fields[index] as number)
  })

  it('ends the inner call in time when the innermost server hangs, and closes its connection', async () => {
    await using innermost = await httpServer(() => {})
    await using relay = await relayTo(innermost.origin)
    const api = client({ deadlineField: 'request-timeout-ms' })
    const startMs = performance.now()
    const error = await caught(withDeadline(250, () => api(relay.origin)))
    expect(isTimeoutError(error) && error.kind).toBe('deadline')
    await expect.poll(() => relay.errors, { interval: 5 }).toEqual([expect.objectContaining({ kind: 'deadline' })])
    expect(performance.now() - startMs).toBeLessThan(600)
    expect([relay.requests.length, innermost.requests.length]).toEqual([1, 1])
    await expect.poll(() => openSockets(innermost)).toBe(0)
  })
})

describe('hedges over two endpoints', () => {
  it('answer every call fast while one of them hangs, and the sockets of the losers are closed', async () => {
    await using hanging = await httpServer(() => {})
    await using well = await httpServer((_request, response) => response.end('well'))
    const api = client({ endpoints: [hanging.origin, well.origin], hedge: { afterMs: 30, budgetRatio: 1 } })
    let longestMs = 0
    for (let wave = 0; wave < 10; wave += 1) {
      const startMs = performance.now()
      const answers = timesOf(6, async () => (await api('things')).text())
      expect(await Promise.all(answers)).toEqual(Array(6).fill('well'))
      longestMs = Math.max(longestMs, performance.now() - startMs)
    }
    expect(longestMs).toBeLessThan(500)
    expect(hanging.requests.length).toBeGreaterThan(0)
    expect(well.requests).toHaveLength(60)
    // Without a close: each was closed when another attempt had been answered.
    await expect.poll(() => openSockets(hanging)).toBe(0)
    expect(openSockets(well)).toBeGreaterThan(0)
  })

  it('that lose while the first is answering leave nothing under way when they are overtaken', async () => {
    await using slow = await httpServer(async (_request, response) => {
      await sleep(60)
      response.end('slow')
    })
    let closed = 0
    await using hanging = await httpServer((_request, response) => response.on('close', () => (closed += 1)))
    // The chance is always the first of those that are left.
    const api = client({ endpoints: [slow.origin, hanging.origin], hedge: { afterMs: 20 }, random: () => 0 })
    expect(await (await api('things')).text()).toBe('slow')
    expect(hanging.requests).toHaveLength(1)
    await expect.poll(() => closed).toBe(1)
    expect(openSockets(hanging)).toBe(0)
    const [socket] = slow.connections
    await api.close()
    if (socket?.closed === false) await once(socket, 'close')
    expect(openSockets(slow)).toBe(0)
  })
})
