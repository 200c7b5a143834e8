import { describe, expect, test } from 'vitest'
import type { Exchange } from '../../src/exchange.ts'
import {
  type ClientOptions,
  createFetch,
  fail,
  fallback,
  InternalServerError,
  NetworkError,
  RefusedError,
  retry,
  type SteadFetch,
  TimeoutError,
  traceOf,
} from '../../src/index.ts'
import { concurrencyLayer } from '../../src/layers/concurrency.ts'
import { Origins } from '../../src/policy/origins.ts'
import { rejection } from '../support/client.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { type Held, HeldTransport } from '../support/held-transport.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

interface Setting {
  readonly fetch: SteadFetch
  readonly clock: FakeClock
  readonly transport: HeldTransport
  /** Calls this path, and waits until whatever can be sent is. */
  call(path: string, init?: Parameters<SteadFetch>[1]): Promise<{ readonly response: Promise<Response> }>
  /** The request for this path. */
  request(path: string): Held
}

/** A client that may send so many requests at a time. */
function setting(concurrency: ClientOptions['concurrency'], options: ClientOptions = {}): Setting {
  const clock = new FakeClock()
  const transport = new HeldTransport(clock.now)
  const fetch = createFetch({
    transport: transport.send,
    clock,
    random: () => 0.5,
    timeoutMs: false,
    attemptTimeoutMs: false,
    ...options,
    ...(concurrency === undefined ? {} : { concurrency }),
  })
  return {
    fetch,
    clock,
    transport,
    async call(path, init) {
      const response = fetch(`https://api.test${path}`, init)
      response.catch(() => {})
      await settle()
      return { response }
    },
    request(path) {
      const found = transport.sent.findLast(({ target }) => new URL(target).pathname === path)
      if (found === undefined) throw new Error(`${path} was not sent`)
      return found
    },
  }
}

/** All slots are back: as many requests as may be are sent at once, and one more is not. */
async function expectAllFree({ call, transport }: Setting, limit: number): Promise<void> {
  expect(transport.underWay).toBe(0)
  const before = transport.sent.length
  const calls = []
  for (let index = 0; index < limit; index += 1) calls.push(await call(`/free/${index}`))
  expect(transport.sent).toHaveLength(before + limit)
  calls.push(await call('/one-more'))
  expect(transport.sent).toHaveLength(before + limit)
  for (let index = 0; index <= limit; index += 1) await transport.sent[before + index]?.answer()
  for (const { response } of calls) expect((await response).status).toBe(200)
  expect(transport.underWay).toBe(0)
}

describe('a limit of requests at a time', () => {
  test('sends as many, and the others in the order they came as soon as answers come', async () => {
    const { call, request, transport } = setting(2)
    const calls = []
    for (const path of ['/a', '/b', '/c', '/d']) calls.push(await call(path))
    expect(transport.paths).toEqual(['/a', '/b'])
    await request('/b').answer()
    expect(transport.paths).toEqual(['/a', '/b', '/c'])
    await request('/a').answer()
    await request('/d').answer()
    await request('/c').answer()
    for (const { response } of calls) expect((await response).status).toBe(200)
    expect(transport.most).toBe(2)
  })

  test('is one per origin', async () => {
    const { fetch, transport } = setting(1)
    const calls = [fetch('https://a.test/'), fetch('https://b.test/'), fetch('https://a.test/2')]
    await settle()
    expect(transport.sent.map(({ target }) => target)).toEqual(['https://a.test/', 'https://b.test/'])
    for (const index of [0, 1, 2]) await transport.sent[index]?.answer()
    await Promise.all(calls)
  })

  test('is shared with children, unless they have one of their own', async () => {
    const { fetch, call, transport } = setting(1)
    await call('/a')
    void fetch.extend({ headers: { 'x-child': '1' } })('https://api.test/shared')
    void fetch.extend({ concurrency: 1 })('https://api.test/own')
    void fetch.extend({ concurrency: false })('https://api.test/none')
    await settle()
    expect(transport.paths).toEqual(['/a', '/own', '/none'])
  })

  test('notes the wait on the attempt', async () => {
    const { call, clock, request } = setting(1)
    await call('/a')
    const second = await call('/b')
    await clock.advance(250)
    await request('/a').answer()
    await request('/b').answer()
    expect(traceOf(await second.response)?.attempts).toMatchObject([{ waitMs: 250, waitReason: 'queue', startMs: 250 }])
  })

  test('notes no wait where there was none', async () => {
    const { call, request } = setting(1)
    const { response } = await call('/a')
    await request('/a').answer()
    expect(traceOf(await response)?.attempts[0]).not.toHaveProperty('waitReason')
  })

  test('is not held up by a body that nobody reads', async () => {
    const { call, request, transport } = setting(1)
    const first = await call('/a')
    const second = await call('/b')
    await request('/a').answer(new Response(new ReadableStream()))
    expect((await first.response).status).toBe(200)
    expect(transport.paths).toEqual(['/a', '/b'])
    await request('/b').answer()
    await second.response
  })
})

describe('a call that waits for its turn', () => {
  test('is refused when as many wait as maxQueued lets, without being sent', async () => {
    const set = setting({ limit: 1, maxQueued: 1 })
    await set.call('/a')
    await set.call('/b')
    const error = await rejection((await set.call('/c')).response)
    expect(error).toBeInstanceOf(RefusedError)
    expect(error).toMatchObject({ kind: 'queue full', code: 'ERR_STEADFETCH_REFUSED_QUEUE_FULL', attempts: 0 })
    await set.request('/a').answer()
    await set.request('/b').answer()
    await expectAllFree(set, 1)
  })

  test('is refused at once when nobody may wait', async () => {
    const { call } = setting({ limit: 1, maxQueued: 0 })
    await call('/a')
    expect(await rejection((await call('/b')).response)).toMatchObject({ kind: 'queue full', elapsedMs: 0 })
  })

  test('is refused when it has waited for maxQueueMs', async () => {
    const { call, clock, request, transport } = setting({ limit: 1, maxQueueMs: 500 })
    await call('/a')
    const second = await call('/b')
    await clock.advance(500)
    const error = await rejection(second.response)
    expect(error).toMatchObject({ kind: 'queued too long', attempts: 0, elapsedMs: 500 })
    expect((error as Error).message).toMatch(/GET https:\/\/api.test\/b failed: .*waited as long/)
    await request('/a').answer()
    expect(transport.paths).toEqual(['/a'])
    expect(clock.armed).toBe(0)
  })

  test('is not repeated, for it waited for nothing', async () => {
    const { call, clock, transport } = setting({ limit: 1, maxQueueMs: 500 }, { on: { network: retry(), timeout: retry() } })
    await call('/a')
    const second = await call('/b')
    await clock.advance(60_000)
    expect(await rejection(second.response)).toMatchObject({ kind: 'queued too long', elapsedMs: 500 })
    expect(transport.sent).toHaveLength(1)
  })

  test('waits as long as it takes where maxQueueMs is false and the call has no limit', async () => {
    const { call, clock, request } = setting({ limit: 1, maxQueueMs: false })
    await call('/a')
    const second = await call('/b')
    await clock.advance(3_600_000)
    await request('/a').answer()
    await request('/b').answer()
    expect(traceOf(await second.response)?.attempts[0]?.waitMs).toBe(3_600_000)
  })

  test.each([
    ['shorter than maxQueueMs', 10_000],
    ['equal to maxQueueMs', 300],
    ['and maxQueueMs is false', false],
  ] as const)('ends with the time limit of the call, %s', async (_what, maxQueueMs) => {
    const { call, clock, request, transport } = setting({ limit: 1, maxQueueMs })
    await call('/a')
    const second = await call('/b', { timeoutMs: 300 })
    await clock.advance(300)
    const error = await rejection(second.response)
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ kind: 'call', attempts: 0, elapsedMs: 300 })
    await request('/a').answer()
    expect(transport.paths).toEqual(['/a'])
    expect(clock.armed).toBe(0)
  })

  test('leaves when its caller aborts, and whoever comes after it moves up', async () => {
    const { call, clock, request, transport } = setting(1)
    await call('/a')
    const controller = new AbortController()
    const second = await call('/b', { signal: controller.signal })
    await call('/c')
    controller.abort(new Error('enough'))
    expect(await rejection(second.response)).toMatchObject({ message: 'enough' })
    await request('/a').answer()
    expect(transport.paths).toEqual(['/a', '/c'])
    await request('/c').answer()
    expect(clock.armed).toBe(0)
  })

  test.each(Array.from({ length: 24 }, (_nothing, turns) => turns))(
    'loses no slot when it is aborted %i turns after an answer',
    async (turns) => {
      const set = setting(1)
      await set.call('/a')
      const controller = new AbortController()
      const second = await set.call('/b', { signal: controller.signal })
      const third = await set.call('/c')
      const first = set.request('/a').answer()
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
      controller.abort(new Error('enough'))
      await first
      await rejection(second.response)
      await set.request('/c').answer()
      await third.response
      await expectAllFree(set, 1)
    },
  )
})

describe('a slot comes back', () => {
  test.each([
    ['a failed status', (held: Held) => held.answer(reply(500)), InternalServerError],
    ['a failure of the network', (held: Held) => held.fail(fetchFailed('ECONNRESET')), NetworkError],
    ['an error that is no failure', (held: Held) => held.fail(new RangeError('a bug')), RangeError],
  ] as const)('after %s', async (_what, end, kind) => {
    const set = setting(1, { maxAttempts: 1 })
    const { response } = await set.call('/a')
    await end(set.request('/a'))
    expect(await rejection(response)).toBeInstanceOf(kind)
    await expectAllFree(set, 1)
  })

  test('after an abort while the request is under way', async () => {
    const set = setting(1)
    const controller = new AbortController()
    const { response } = await set.call('/a', { signal: controller.signal })
    controller.abort(new Error('enough'))
    expect(await rejection(response)).toMatchObject({ message: 'enough' })
    await expectAllFree(set, 1)
  })

  test('after a call that was aborted before it began', async () => {
    const set = setting(1)
    expect(await rejection(set.fetch('https://api.test/', { signal: AbortSignal.abort(new Error('no')) }))).toMatchObject({
      message: 'no',
    })
    await expectAllFree(set, 1)
  })

  test('after the time limit of an attempt', async () => {
    const set = setting(1, { maxAttempts: 1, attemptTimeoutMs: 1_000 })
    const { response } = await set.call('/a')
    await set.clock.advance(1_000)
    expect(await rejection(response)).toMatchObject({ kind: 'attempt' })
    await expectAllFree(set, 1)
  })

  test.each([
    ['a policy function', { on: { 500: () => Promise.reject(new RangeError('mine')) } }],
    ['a substitute', { on: { 500: fallback(() => Promise.reject(new RangeError('mine'))) } }],
  ] as const)('after an error of %s', async (_what, options) => {
    const set = setting(1, options as ClientOptions)
    const { response } = await set.call('/a')
    await set.request('/a').answer(reply(500))
    expect(await rejection(response)).toMatchObject({ message: 'mine' })
    await expectAllFree(set, 1)
  })

  test('after an error within, which is thrown on', async () => {
    const config = { limit: 1, initialLimit: 1, minLimit: 1, maxLimit: 1, maxQueued: 0, maxQueueMs: false } as const
    const exchange = { request: { origin: 'https://api.test' }, options: { clock: new FakeClock() } } as unknown as Exchange
    const handler = concurrencyLayer(new Origins(), config)(() => Promise.reject(new RangeError('a bug')))
    for (let call = 0; call < 3; call += 1) expect(await rejection(handler(exchange))).toMatchObject({ message: 'a bug' })
  })

  test('before a policy function is asked, which may call the same origin', async () => {
    const { fetch, call, request, clock } = setting(1, {
      on: { 404: async () => ((await fetch('https://api.test/instead')).ok ? 'accept' : 'fail') },
    })
    const { response } = await call('/a')
    await request('/a').answer(reply(404))
    await request('/instead').answer()
    expect((await response).status).toBe(404)
    expect(clock.armed).toBe(0)
  })

  test('between the attempts of a call, which waits for its turn again', async () => {
    const set = setting(1)
    const { fetch: _fetch, call, clock, request, transport } = set
    const first = await call('/a')
    const second = await call('/b')
    await request('/a').answer(reply(503))
    expect(transport.paths).toEqual(['/a', '/b'])
    await clock.advance(200)
    expect(transport.paths).toEqual(['/a', '/b'])
    await request('/b').answer()
    await second.response
    expect(transport.paths).toEqual(['/a', '/b', '/a'])
    await request('/a').answer()
    const attempts = traceOf(await first.response)?.attempts
    expect(attempts).toMatchObject([{ status: 503 }, { status: 200, waitMs: 200, waitReason: 'queue' }])
    await expectAllFree(set, 1)
  })

  test('before a redirect to another origin is followed', async () => {
    const set = setting(1)
    const { response } = await set.call('/a')
    await set.request('/a').answer(reply(302, { location: 'https://other.test/there' }))
    const other = set.transport.sent[1]
    expect(other?.target).toBe('https://other.test/there')
    await set.call('/b')
    expect(set.transport.paths).toEqual(['/a', '/there', '/b'])
    await other?.answer()
    expect((await response).status).toBe(200)
    await set.request('/b').answer()
    await expectAllFree(set, 1)
  })

  test('before a redirect to the same origin is followed, behind those who wait', async () => {
    const { call, request, transport } = setting(1)
    const first = await call('/a')
    await call('/b')
    await request('/a').answer(reply(302, { location: '/there' }))
    expect(transport.paths).toEqual(['/a', '/b'])
    await request('/b').answer()
    await request('/there').answer()
    expect((await first.response).status).toBe(200)
  })
})

describe('an adaptive limit', () => {
  test('begins with initialLimit', async () => {
    const { call, transport } = setting({ initialLimit: 3 })
    for (let index = 0; index < 5; index += 1) await call(`/${index}`)
    expect(transport.underWay).toBe(3)
  })

  /** Has `rounds` of requests answered, each `tookMs` after it was sent. */
  async function load(
    { fetch, clock, transport }: Setting,
    rounds: number,
    tookMs: number,
    response: () => Response,
    calling = 60,
  ): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      const calls = Array.from({ length: calling }, () => fetch('https://api.test/load').catch(() => {}))
      await settle()
      while (transport.underWay > 0) {
        await clock.advance(tookMs)
        await Promise.all(transport.sent.splice(0).map((held) => held.answer(response())))
      }
      await Promise.all(calls)
    }
  }

  test('grows while response times stay as they are, and calls as many more of those who wait', async () => {
    const set = setting({ initialLimit: 4, maxQueueMs: false })
    await load(set, 1, 50, () => new Response('ok'), 900)
    expect(set.transport.most).toBeGreaterThan(8)
    expect(set.transport.underWay).toBe(0)
  })

  test.each([
    ['429', () => reply(429)],
    ['503', () => reply(503)],
  ])('shrinks to minLimit while the origin says %s', async (_status, response) => {
    const set = setting({ initialLimit: 20, minLimit: 2 }, { maxAttempts: 1, on: { 429: fail(), 503: fail() } })
    await load(set, 12, 50, response)
    set.transport.most = 0
    await load(set, 1, 50, () => new Response('ok'))
    expect(set.transport.most).toBe(2)
  })

  test('shrinks while attempts end by their time limit', async () => {
    const set = setting({ initialLimit: 20, maxQueueMs: false }, { maxAttempts: 1, attemptTimeoutMs: 1_000 })
    for (let round = 0; round < 8; round += 1) {
      const calls = Array.from({ length: 60 }, () => rejection(set.fetch('https://api.test/hangs')))
      await set.clock.drive(Promise.all(calls))
    }
    set.transport.most = 0
    void set.fetch('https://api.test/a').catch(() => {})
    await load(set, 1, 50, () => new Response('ok'))
    expect(set.transport.most).toBeLessThan(10)
  })

  test('is not moved by statuses of 500, which tell nothing of load', async () => {
    const set = setting({ initialLimit: 20 }, { maxAttempts: 1 })
    await load(set, 12, 1, () => reply(500))
    set.transport.most = 0
    await load(set, 1, 50, () => new Response('ok'))
    expect(set.transport.most).toBe(20)
  })

  test('lets requests go on when it shrinks, and hands no slot on that is one too many', async () => {
    const set = setting({ initialLimit: 60 }, { maxAttempts: 1, on: { 503: fail() } })
    const calls = Array.from({ length: 120 }, () => set.fetch('https://api.test/').catch(() => 'failed'))
    const { sent } = set.transport
    await settle()
    await sent[0]?.answer(reply(503))
    await set.clock.advance(200)
    for (let index = 1; index < 60; index += 1) await sent[index]?.answer(reply(503))
    // The last of them made 45 of 60, while 59 others were under way.
    expect([sent.length, set.transport.underWay]).toEqual([119, 59])
    for (let index = 60; index < 74; index += 1) await sent[index]?.answer(reply(503))
    expect([sent.length, set.transport.underWay]).toEqual([119, 45])
    await sent[74]?.answer(reply(503))
    expect([sent.length, set.transport.underWay]).toEqual([120, 45])
    for (let index = 75; index < 120; index += 1) await sent[index]?.answer(reply(503))
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 120 }, () => 'failed'))
    expect(set.transport.underWay).toBe(0)
  })
})
