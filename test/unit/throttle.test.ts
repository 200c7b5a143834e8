import { describe, expect, test } from 'vitest'
import { createFetch, InternalServerError, RefusedError, type ThrottleOptions, traceOf } from '../../src/index.ts'
import { Throttle } from '../../src/policy/throttle.ts'
import { Window } from '../../src/policy/window.ts'
import type { ThrottleConfig } from '../../src/types/protection.ts'
import { clientOf, gaps, rejection } from '../support/client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

const target = 'https://api.test/a'
const defaults: ThrottleConfig = { multiplier: 2, maxRatio: 0.9, windowMs: 30_000, minVolume: 20 }

/** Repeatable chance, spread evenly over 0-1. */
function evenly(): () => number {
  let turn = 0
  return () => {
    turn += 1
    return (turn * 0.618033988749895) % 1
  }
}

/** Calls an origin ten times a second, and tells how many were sent and refused. */
async function load(calls: number, isWell: (index: number, nowMs: number) => boolean, options: ThrottleOptions | true = true) {
  const clock = new FakeClock()
  const counts = { sent: 0, refused: 0, refusedLately: 0 }
  const transport = async (): Promise<Response> => {
    counts.sent += 1
    return reply(isWell(counts.sent - 1, clock.now()) ? 200 : 503)
  }
  const fetch = createFetch({ transport, clock, random: evenly(), maxAttempts: 1, throttle: options })
  for (let call = 0; call < calls; call += 1) {
    const error = await fetch(target).catch((reason: unknown) => reason)
    if (error instanceof RefusedError) {
      counts.refused += 1
      if (call >= calls / 2) counts.refusedLately += 1
    }
    await clock.advance(100)
  }
  return counts
}

describe('an origin that', () => {
  test('is well is never throttled', async () => {
    expect(await load(1_000, () => true)).toMatchObject({ sent: 1_000, refused: 0 })
  })

  test('fails three times in ten is never throttled', async () => {
    expect(await load(1_000, (index) => index % 10 > 2)).toMatchObject({ sent: 1_000, refused: 0 })
  })

  test('rejects everything is sent a tenth of the calls', async () => {
    const { refusedLately } = await load(1_000, () => false)
    expect(refusedLately / 500).toBeGreaterThan(0.88)
    expect(refusedLately / 500).toBeLessThan(0.92)
  })

  test('rejects nearly everything is sent hardly more', async () => {
    const { refusedLately } = await load(2_000, (index) => index % 20 === 19)
    expect(refusedLately / 1_000).toBeGreaterThan(0.85)
  })

  test('can answer one call a second of ten is sent a quarter of them, for what is refused here counts as a request', async () => {
    let latestMs = Number.NEGATIVE_INFINITY
    let accepted = 0
    const { sent } = await load(3_000, (_index, nowMs) => {
      if (nowMs - latestMs < 1_000) return false
      latestMs = nowMs
      accepted += 1
      return true
    })
    expect(accepted).toBeGreaterThan(200)
    expect(sent).toBeLessThan(800)
  })

  test('has come back is throttled no more after a few successes, long before its bad time has left the window', async () => {
    let recoveredAt = Infinity
    const { refused, sent } = await load(400, (index) => {
      const isWell = index >= 40
      if (isWell) recoveredAt = Math.min(recoveredAt, index)
      return isWell
    })
    expect(recoveredAt).toBe(40)
    // Some 200 calls met the outage; of the 200 after it a tenth or so were refused.
    expect(sent).toBeGreaterThan(180)
    expect(refused).toBeLessThan(220)
  })

  test('answers late is not taken for one that rejects', async () => {
    const waiting: ((response: Response) => void)[] = []
    const slow = (): Promise<Response> => new Promise((resolve) => waiting.push(resolve))
    const { fetch, clock, sent } = clientOf([slow], { throttle: true, random: () => 0 })
    const calls = Array.from({ length: 100 }, () => fetch(target))
    await clock.advance(1)
    expect(sent).toHaveLength(100)
    for (const answer of waiting) answer(reply(200))
    expect((await Promise.all(calls)).every(({ status }) => status === 200)).toBe(true)
  })
})

describe('a call that is throttled', () => {
  test('fails with a RefusedError, without having been sent', async () => {
    const { fetch, clock, sent } = clientOf([reply(503)], { throttle: { minVolume: 2 }, maxAttempts: 1, random: () => 0 })
    for (let call = 0; call < 2; call += 1) await rejection(fetch(target))
    const error = await rejection(fetch(target))
    expect(error).toBeInstanceOf(RefusedError)
    expect(error).toMatchObject({ kind: 'throttled', code: 'ERR_STEADFETCH_REFUSED_THROTTLED', attempts: 0, elapsedMs: 0 })
    expect(sent).toHaveLength(2)
    expect(clock.armed).toBe(0)
    expect(await rejection(fetch('https://other.test/'))).not.toBeInstanceOf(RefusedError)
  })

  test('is drawn anew for a retry, whose refusal leaves the error of the origin', async () => {
    const draws = [0.5, 0.5, 0.1]
    const { fetch, clock, sent } = clientOf([reply(500)], {
      throttle: { minVolume: 2 },
      maxAttempts: 5,
      random: () => draws.shift() ?? 0.99,
    })
    const error = await clock.drive(rejection(fetch(target)))
    expect(error).toBeInstanceOf(InternalServerError)
    expect(error).toMatchObject({ attempts: 2, elapsedMs: 150 })
    expect(traceOf(error)?.notRepeated).toBe('throttled')
    expect(gaps(sent)).toEqual([50])
  })

  test('is so by chance alone: one that throws ends the call with its error', async () => {
    const random = (): number => {
      throw new Error('no chance')
    }
    const { fetch } = clientOf([reply(503)], { throttle: { minVolume: 2 }, maxAttempts: 1, random })
    for (let call = 0; call < 2; call += 1) await rejection(fetch(target))
    expect(await rejection(fetch(target))).toMatchObject({ message: 'no chance' })
  })
})

describe('what counts', () => {
  test.each([
    ['a 429', reply(429)],
    ['a 503', reply(503)],
    ['a failure of the network', fetchFailed('ECONNRESET')],
  ])('%s is a rejection', async (_what, answer) => {
    const options = { throttle: { minVolume: 5 }, maxAttempts: 1, random: () => 0.2, on: { 429: 'fail' } } as const
    const { fetch, sent } = clientOf([answer], options)
    for (let call = 0; call < 20; call += 1) await rejection(fetch(target))
    expect(sent).toHaveLength(5)
  })

  test('a 404 is an acceptance', async () => {
    const { fetch, sent } = clientOf([reply(404)], { throttle: { minVolume: 5 }, maxAttempts: 1, random: () => 0 })
    for (let call = 0; call < 20; call += 1) await rejection(fetch(target))
    expect(sent).toHaveLength(20)
  })

  test('an abort is nothing', async () => {
    const never = (): Promise<Response> => new Promise(() => {})
    const { fetch, sent } = clientOf([never], { throttle: { minVolume: 5 }, random: () => 0 })
    for (let call = 0; call < 20; call += 1) {
      const controller = new AbortController()
      const aborted = rejection(fetch(target, { signal: controller.signal }))
      controller.abort()
      await aborted
    }
    expect(sent).toHaveLength(20)
  })
})

describe('the chance of a refusal', () => {
  test('follows the formula of the SRE book', () => {
    const throttle = new Throttle(defaults)
    for (let request = 0; request < 10; request += 1) throttle.accepted(0)
    for (let request = 0; request < 30; request += 1) throttle.rejected(0)
    for (let request = 0; request < 20; request += 1) throttle.refused(0)
    expect(throttle.refusalRatio(0)).toBeCloseTo((60 - 2 * 10) / 61, 10)
  })

  test('is none below the volume, has a limit, and is gone with the window', () => {
    const throttle = new Throttle(defaults)
    for (let request = 0; request < 19; request += 1) throttle.rejected(0)
    expect(throttle.refusalRatio(0)).toBe(0)
    throttle.rejected(0)
    expect(throttle.refusalRatio(0)).toBe(0.9)
    expect(throttle.refusalRatio(26_999)).toBe(0.9)
    expect(throttle.refusalRatio(30_000)).toBe(0)
    expect(throttle.calm).toBe(true)
  })

  test('halves with each success, is none after ten, and doubles with each rejection', () => {
    const throttle = new Throttle({ ...defaults, multiplier: 1 })
    for (let request = 0; request < 1_000_000; request += 1) throttle.refused(0)
    for (let request = 0; request < 20; request += 1) throttle.rejected(0)
    const ratios: number[] = []
    for (let success = 0; success < 10; success += 1) {
      throttle.accepted(0)
      ratios.push(throttle.refusalRatio(0))
    }
    expect(ratios).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, Infinity].map((halvings) => 0.9 / 2 ** halvings))
    throttle.rejected(0)
    throttle.rejected(0)
    expect(throttle.refusalRatio(0)).toBe(0.9 / 2 ** 8)
  })
})

test('a window slides by tenths: it holds nine tenths of its length at the least, and never more than all of it', () => {
  const window = new Window(1_000)
  window.count(true, 99)
  window.count(false, 100)
  window.slide(999)
  expect([window.all, window.marked]).toEqual([2, 1])
  window.slide(1_000)
  expect([window.all, window.marked]).toEqual([1, 0])
  window.slide(500)
  expect(window.all).toBe(1)
  window.slide(1e9)
  expect(window.all).toBe(0)
})
