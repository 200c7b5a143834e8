import { describe, expect, test } from 'vitest'
import { createFetch, pause, RefusedError, ServiceUnavailableError, TooManyRequestsError, traceOf } from '../../src/index.ts'
import { clientOf, gaps, rejection } from '../support/client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { reply, scripted } from '../support/scripted-transport.ts'

const target = 'https://api.test/a'
const limited = reply(429, { 'retry-after': '10' })
const ok = reply(200, {}, 'fine')

describe('a 429 with Retry-After', () => {
  test('is repeated after the wait and up to a fifth more', async () => {
    const { fetch, clock, sent } = clientOf([limited, ok])
    const response = await clock.drive(fetch(target))
    expect(gaps(sent)).toEqual([11_000])
    expect(traceOf(response)?.attempts[1]).toMatchObject({ waitMs: 11_000, waitReason: 'pause' })
  })

  test('holds every other call to the origin; one probe goes first, the rest are spread out', async () => {
    const clock = new FakeClock()
    let seed = 0
    const random = (): number => (seed = (seed + 0.37) % 1)
    const { transport, sent } = scripted(clock.now, limited, ok)
    const fetch = createFetch({ transport, clock, random, timeoutMs: false })
    const startMs = clock.now()
    const first = fetch(target)
    await clock.advance(1)
    const others = Array.from({ length: 20 }, () => fetch('https://api.test/b'))
    await clock.drive(Promise.all([first, ...others]))
    const arrivals = sent.slice(1).map(({ atMs }) => atMs - startMs)
    expect(arrivals).toHaveLength(21)
    expect(Math.min(...arrivals)).toBeGreaterThanOrEqual(10_000)
    expect(arrivals.filter((ms) => ms === arrivals[0])).toHaveLength(1)
    expect(new Set(arrivals).size).toBeGreaterThan(15)
    expect(Math.max(...arrivals) - Math.min(...arrivals)).toBeLessThanOrEqual(5_000)
    expect(clock.armed).toBe(0)
  })

  test('does not hold another origin', async () => {
    const { fetch, clock, sent } = clientOf([limited, ok])
    const held = fetch(target)
    await clock.advance(1)
    await fetch('https://other.test/')
    expect(sent.map(({ atMs }) => atMs)).toEqual([1_000, 1_001])
    await clock.drive(held)
  })

  test('holds the callers again when the probe is answered with another one', async () => {
    const { fetch, clock, sent } = clientOf([limited, limited, ok], { timeoutMs: false })
    const calls = [fetch(target)]
    await clock.advance(1)
    calls.push(fetch(target), fetch(target))
    await clock.drive(Promise.all(calls))
    expect(sent).toHaveLength(5)
    expect(gaps(sent).slice(0, 2)).toEqual([11_000, 11_000])
  })

  test('passes the probe on when the call that was it is aborted', async () => {
    const never = (): Promise<Response> => new Promise(() => {})
    const { fetch, clock, sent } = clientOf([limited, never, ok], { timeoutMs: false, attemptTimeoutMs: false })
    const controller = new AbortController()
    const first = rejection(fetch(target, { signal: controller.signal }))
    await clock.advance(1)
    const second = fetch(target)
    await clock.advance(12_000)
    expect(sent).toHaveLength(2)
    controller.abort(new Error('gone'))
    expect(await first).toMatchObject({ message: 'gone' })
    expect((await clock.drive(second)).status).toBe(200)
    expect(sent).toHaveLength(3)
  })

  test('throws for a POST at once, and holds the calls after it', async () => {
    const { fetch, clock, sent } = clientOf([limited, ok])
    const error = await rejection(fetch(target, { method: 'POST', body: '{}' }))
    expect(error).toBeInstanceOf(TooManyRequestsError)
    expect(error).toMatchObject({ retryAfterMs: 10_000, attempts: 1 })
    await clock.drive(fetch(target, { method: 'POST', body: '{}' }))
    expect(gaps(sent)).toEqual([11_000])
  })

  test.each([
    ['does not fit into timeoutMs', { timeoutMs: 5_000 }],
    ['is above maxWaitMs', { on: { 429: pause({ maxWaitMs: 9_000 }) } }],
  ])('that %s is thrown at once', async (_what, options) => {
    const { fetch, sent } = clientOf([limited], options)
    const error = await rejection(fetch(target))
    expect(error).toBeInstanceOf(TooManyRequestsError)
    expect(error).toMatchObject({ elapsedMs: 0, retryAfterMs: 10_000 })
    expect(sent).toHaveLength(1)
  })

  test('refuses a call that cannot wait so long, without sending it', async () => {
    const { fetch, clock, sent } = clientOf([limited, ok], { timeoutMs: false })
    const held = fetch(target)
    await clock.advance(1)
    const error = await rejection(fetch(target, { timeoutMs: 2_000 }))
    expect(error).toBeInstanceOf(RefusedError)
    expect(error).toMatchObject({ kind: 'paused', attempts: 0, retryAfterMs: 10_999 })
    await clock.drive(held)
    expect(sent).toHaveLength(2)
  })

  test('refuses more held calls than maxHeld', async () => {
    const { fetch, clock } = clientOf([limited, ok], { timeoutMs: false, on: { 429: pause({ maxHeld: 2 }) } })
    const calls = [fetch(target)]
    await clock.advance(1)
    calls.push(fetch(target))
    await clock.advance(1)
    expect(await rejection(fetch(target))).toMatchObject({ kind: 'queue full' })
    await clock.drive(Promise.all(calls))
  })

  test('holds nobody longer than maxWaitMs, even if it asks for a day', async () => {
    const { fetch, clock, sent } = clientOf([reply(429, { 'retry-after': '86400' }), ok], { timeoutMs: false })
    await rejection(fetch(target))
    await clock.drive(fetch(target))
    expect(gaps(sent)).toEqual([66_000])
  })

  test('leaves calls alone that do not want to wait', async () => {
    const { fetch, clock, sent } = clientOf([limited, ok], { timeoutMs: false })
    const held = fetch(target)
    await clock.advance(1)
    await fetch(target, { on: { 429: 'fail' } })
    expect(sent.map(({ atMs }) => atMs)).toEqual([1_000, 1_001])
    await clock.drive(held)
  })

  test('that comes while the held calls are being released holds the rest of them again', async () => {
    const clock = new FakeClock()
    let chance = 0
    const random = (): number => (chance = (chance + 0.31) % 1)
    let openAtMs = 0
    const early: number[] = []
    let answers = 0
    const transport = async (): Promise<Response> => {
      answers += 1
      if (clock.now() < openAtMs) early.push(clock.now())
      if (answers !== 1 && answers !== 4) return new Response('ok')
      openAtMs = clock.now() + 10_000
      return limited.clone()
    }
    const fetch = createFetch({ transport, clock, random, timeoutMs: false })
    const calls = [fetch(target)]
    await clock.advance(1)
    calls.push(...Array.from({ length: 9 }, () => fetch(target)))
    await clock.drive(Promise.all(calls))
    expect(early).toEqual([])
    expect(answers).toBe(12)
  })

  test('that a call without patience gets does not end the pause of the others', async () => {
    const { fetch, clock, sent } = clientOf([limited, limited, ok], { timeoutMs: false })
    const held = [fetch(target)]
    await clock.advance(10_999)
    expect(await rejection(fetch(target, { on: { 429: 'fail' } }))).toBeInstanceOf(TooManyRequestsError)
    held.push(fetch(target), fetch(target))
    await clock.drive(Promise.all(held))
    const arrivals = sent.slice(2).map(({ atMs }) => atMs - 1_000)
    expect(arrivals).toEqual([11_000, 11_247.5, 11_495])
  })

  test('is given up in the middle when the caller aborts', async () => {
    const { fetch, clock, sent } = clientOf([limited, ok])
    const controller = new AbortController()
    const call = rejection(fetch(target, { signal: controller.signal }))
    await clock.advance(5_000)
    controller.abort(new Error('enough'))
    expect(await call).toMatchObject({ message: 'enough' })
    expect(sent).toHaveLength(1)
    expect(clock.armed).toBe(0)
  })
})

describe('a pause without a date', () => {
  test('backs off longer each time the probe is refused again', async () => {
    const { fetch, clock, sent } = clientOf([reply(429), reply(429), reply(429), ok], { on: { 429: pause({ maxAttempts: 4 }) } })
    await clock.drive(fetch(target))
    expect(gaps(sent)).toEqual([50, 100, 200])
  })

  test('counts answers that were under way together once', async () => {
    const { fetch, clock, sent } = clientOf([reply(429), reply(429), reply(429), ok])
    await clock.drive(Promise.all([fetch(target), fetch(target), fetch(target)]))
    expect(sent).toHaveLength(6)
    expect(sent[3]?.atMs).toBe(1_050)
  })
})

describe('a 503', () => {
  test('with Retry-After pauses the origin too', async () => {
    const { fetch, clock, sent } = clientOf([reply(503, { 'retry-after': '10' }), ok], { timeoutMs: false })
    const first = fetch(target)
    await clock.advance(1)
    await clock.drive(Promise.all([first, fetch(target)]))
    expect((sent[1]?.atMs ?? 0) - 1_000).toBe(11_000)
    expect(sent).toHaveLength(3)
  })

  test('without one holds nobody', async () => {
    const { fetch, clock, sent } = clientOf([reply(503), ok])
    const first = fetch(target)
    await clock.advance(1)
    await fetch(target)
    expect(sent.map(({ atMs }) => atMs)).toEqual([1_000, 1_001])
    await clock.drive(first)
  })

  test('an hour long is thrown as what it is', async () => {
    const { fetch } = clientOf([reply(503, { 'retry-after': '3600' })])
    expect(await rejection(fetch(target))).toBeInstanceOf(ServiceUnavailableError)
  })
})
