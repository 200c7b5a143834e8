import { describe, it } from 'vitest'
import { TooManyRequestsError, traceOf } from '../../src/index.ts'
import { httpServer, type LocalServer } from '../support/server.ts'
import { caught, client } from '../support/wire.ts'

interface Limited extends LocalServer {
  /** When it said 429 for the first time, and when the later requests came, in milliseconds. */
  readonly times: { refusedMs: number; readonly laterMs: number[] }
}

/** Answers the first `refusals` requests with 429 and Retry-After: 1, the later ones after `slowMs` with 200. */
async function limited(refusals: number, slowMs = 0, status = 429): Promise<Limited> {
  const times = { refusedMs: 0, laterMs: [] as number[] }
  let seen = 0
  const server = await httpServer((_request, response) => {
    seen += 1
    if (seen > 1) times.laterMs.push(performance.now())
    if (seen > refusals) {
      setTimeout(() => response.end('in'), slowMs)
      return
    }
    if (seen === 1) times.refusedMs = performance.now()
    response.writeHead(status, { 'retry-after': '1' }).end('later')
  })
  return Object.assign(server, { times })
}

/** As many GETs at once; their statuses. */
function together(api: (target: string) => Promise<Response>, origin: string, count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, async (_nothing, index) => (await api(`${origin}/${index}`)).status))
}

describe.concurrent('an origin that says 429 with Retry-After: 1', () => {
  it('gets nothing for that second, then one probe, then the calls that were held', async ({ expect, onTestFinished }) => {
    const slowMs = 150
    await using server = await limited(1, slowMs)
    const api = client({}, onTestFinished)
    const first = api(`${server.origin}/first`)
    await expect.poll(() => server.times.refusedMs).toBeGreaterThan(0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const statuses = await together(api, server.origin, 20)
    expect(statuses).toEqual(Array.from({ length: 20 }, () => 200))
    const response = await first
    expect(response.status).toBe(200)
    expect(traceOf(response)?.attempts.map(({ status, waitReason }) => [status, waitReason])).toEqual([
      [429, undefined],
      [200, 'pause'],
    ])
    expect(server.requests).toHaveLength(22)
    const [probeMs, secondMs] = server.times.laterMs.map((ms) => ms - server.times.refusedMs) as [number, number]
    expect(probeMs).toBeGreaterThanOrEqual(995)
    expect(probeMs).toBeLessThan(1_600)
    expect(secondMs - probeMs).toBeGreaterThanOrEqual(slowMs - 5)
  })

  it('holds calls that are sent together with the one that is refused only when they are refused too', async ({
    expect,
    onTestFinished,
  }) => {
    await using server = await limited(20)
    const statuses = await together(client({}, onTestFinished), server.origin, 20)
    expect(statuses).toEqual(Array.from({ length: 20 }, () => 200))
    expect(server.requests).toHaveLength(40)
    const again = server.times.laterMs.slice(19).map((ms) => ms - server.times.refusedMs)
    expect(again).toHaveLength(20)
    expect(Math.min(...again)).toBeGreaterThanOrEqual(995)
  })

  it('is paused again when it refuses the probe, and gets no other call in between', async ({ expect, onTestFinished }) => {
    await using server = await limited(2)
    const api = client({}, onTestFinished)
    const first = api(server.origin)
    await expect.poll(() => server.times.refusedMs).toBeGreaterThan(0)
    await new Promise((resolve) => setTimeout(resolve, 20))
    await Promise.all([first, together(api, server.origin, 5)])
    expect(server.requests).toHaveLength(8)
    const [probeMs, secondProbeMs] = server.times.laterMs.map((ms) => ms - server.times.refusedMs) as [number, number]
    expect(probeMs).toBeGreaterThanOrEqual(995)
    expect(secondProbeMs - probeMs).toBeGreaterThanOrEqual(995)
  })

  it('does not hold the calls to another origin', async ({ expect, onTestFinished }) => {
    await using server = await limited(1)
    await using other = await httpServer((_request, response) => response.end('free'))
    const api = client({}, onTestFinished)
    const first = api(server.origin)
    await expect.poll(() => server.times.refusedMs).toBeGreaterThan(0)
    await new Promise((resolve) => setTimeout(resolve, 20))
    await together(api, other.origin, 5)
    expect(performance.now() - server.times.refusedMs).toBeLessThan(700)
    expect(other.requests).toHaveLength(5)
    expect((await first).status).toBe(200)
  })

  it('gives its error to a POST at once, but the calls after it are held', async ({ expect, onTestFinished }) => {
    await using server = await limited(1)
    const api = client({}, onTestFinished)
    const startMs = performance.now()
    const error = await caught(api(server.origin, { method: 'POST', body: 'a' }))
    expect(performance.now() - startMs).toBeLessThan(500)
    expect(error).toBeInstanceOf(TooManyRequestsError)
    expect(error).toMatchObject({ status: 429, attempts: 1, retryAfterMs: 1_000 })
    const responses = await Promise.all([api(server.origin, { method: 'POST', body: 'b' }), api(server.origin)])
    expect(responses.map(({ status }) => status)).toEqual([200, 200])
    expect(server.requests).toHaveLength(3)
    for (const ms of server.times.laterMs) expect(ms - server.times.refusedMs).toBeGreaterThanOrEqual(995)
  })

  it('holds the calls of a child of the client, but not those of another client', async ({ expect, onTestFinished }) => {
    await using server = await limited(1)
    const api = client({}, onTestFinished)
    await caught(api(server.origin, { method: 'POST' }))
    const held = api.extend({ headers: { 'x-child': '1' } })(`${server.origin}/child`)
    expect((await client({}, onTestFinished)(`${server.origin}/other`)).status).toBe(200)
    expect(performance.now() - server.times.refusedMs).toBeLessThan(700)
    await held
    expect(server.requests).toEqual(['POST /', 'GET /other', 'GET /child'])
    expect((server.times.laterMs[1] ?? 0) - server.times.refusedMs).toBeGreaterThanOrEqual(995)
  })

  it('lets a held call go at once when its caller aborts', async ({ expect, onTestFinished }) => {
    await using server = await limited(1)
    const api = client({}, onTestFinished)
    await caught(api(server.origin, { method: 'POST' }))
    const aborter = new AbortController()
    setTimeout(() => aborter.abort('enough'), 50)
    expect(await caught(api(server.origin, { signal: aborter.signal }))).toBe('enough')
    expect(performance.now() - server.times.refusedMs).toBeLessThan(700)
    expect(server.requests).toHaveLength(1)
  })

  it('refuses at once a held call that has not so much time', async ({ expect, onTestFinished }) => {
    await using server = await limited(1)
    const api = client({}, onTestFinished)
    await caught(api(server.origin, { method: 'POST' }))
    const error = await caught(api(server.origin, { timeoutMs: 300 }))
    expect(error).toMatchObject({ name: 'RefusedError', kind: 'paused', attempts: 0 })
    expect(performance.now() - server.times.refusedMs).toBeLessThan(250)
    expect(server.requests).toHaveLength(1)
  })
})

describe.concurrent('an origin that says 503 with Retry-After: 1', () => {
  it('is paused like one that says 429', async ({ expect, onTestFinished }) => {
    await using server = await limited(1, 0, 503)
    const api = client({}, onTestFinished)
    const error = await caught(api(server.origin, { method: 'POST' }))
    expect(error).toMatchObject({ status: 503, attempts: 1 })
    expect(await together(api, server.origin, 5)).toEqual([200, 200, 200, 200, 200])
    expect(server.requests).toHaveLength(6)
    for (const ms of server.times.laterMs) expect(ms - server.times.refusedMs).toBeGreaterThanOrEqual(995)
  })
})
