import { describe, expect, test } from 'vitest'
import { AdaptiveLimit } from '../../src/policy/adaptive-limit.ts'
import { even, type Service, SimulatedOrigin, uneven } from '../support/simulated-origin.ts'

const bounds = { initialLimit: 20, minLimit: 1, maxLimit: 1_000 }

/** Windows in which the requests, `busy` of them at a time, take so long. */
function windows(limit: AdaptiveLimit, count: number, took: number | ((outcome: number) => number), busy = Infinity): void {
  let nowMs = 0
  for (let outcome = 0; outcome < count * 60; outcome += 1) {
    const others = Math.min(busy, limit.limit) - 1
    limit.sent(others + 1)
    nowMs += 10
    limit.answered(typeof took === 'number' ? took : took(outcome), others, nowMs)
  }
}

const workloads: readonly (readonly [string, Service, number])[] = [
  ['even work', even, 1],
  ['uneven work', uneven, 1],
  ['uneven work, another day', uneven, 2],
  ['uneven work, a third day', uneven, 3],
]

describe.each([4, 40])('an adaptive limit before %i workers', (workers) => {
  describe.each(workloads)('with %s', (_what, service, seed) => {
    const origin = new SimulatedOrigin(service, seed)
    const serviceMs = 50

    /** The limit is near what keeps the workers busy, which they are, and the response times near the unloaded one. */
    const check = (untilMs: number, now: number, slower = serviceMs): void => {
      const settled = origin.run({ untilMs, workers: now, serviceMs: slower })
      expect(settled.slowdown).toBeLessThan(2)
      expect(settled.throughput).toBeGreaterThan(0.75)
      expect(settled.meanLimit).toBeGreaterThan(0.75 * now)
      expect(settled.meanLimit).toBeLessThan(2 * now)
    }

    test('settles where they are busy and no queue is longer than they are many', () => check(60_000, workers))

    test('follows within 15 s when two thirds of them are gone', () => check(90_000, Math.ceil(workers / 3)))

    test('comes back within 15 s when they do', () => check(120_000, workers))

    test('is there again within 30 s when all work takes three times as long: that is no queue', () =>
      check(180_000, workers, 3 * serviceMs))

    test('and within 15 s when it is fast again', () => check(210_000, workers))
  })
})

describe('an adaptive limit', () => {
  test('begins with initialLimit, within its bounds', () => {
    expect(new AdaptiveLimit(bounds).limit).toBe(20)
    expect(new AdaptiveLimit({ ...bounds, maxLimit: 8 }).limit).toBe(8)
    expect(new AdaptiveLimit({ ...bounds, minLimit: 30 }).limit).toBe(30)
    expect(new AdaptiveLimit({ ...bounds, minLimit: 9, maxLimit: 8 }).limit).toBe(8)
  })

  test('does not grow while it is not used', () => {
    const limit = new AdaptiveLimit(bounds)
    windows(limit, 50, 20, 5)
    expect(limit.limit).toBe(20)
  })

  test('does not shrink either when response times grow that it has no part in', () => {
    const limit = new AdaptiveLimit(bounds)
    windows(limit, 5, 20, 5)
    windows(limit, 5, 200, 5)
    expect(limit.limit).toBe(20)
  })

  test('grows up to maxLimit while response times stay as they are', () => {
    const limit = new AdaptiveLimit({ ...bounds, maxLimit: 50 })
    windows(limit, 200, 20)
    expect([25, 50]).toContain(limit.limit)
  })

  test('is not held down by one response in a hundred that takes a minute', () => {
    const limit = new AdaptiveLimit({ ...bounds, maxLimit: 50 })
    windows(limit, 200, (outcome) => (outcome % 100 === 0 ? 60_000 : 20))
    expect([25, 50]).toContain(limit.limit)
  })

  test.each([4, 40])('stays about where an origin begins to refuse, at %i', (refusesAbove) => {
    const origin = new SimulatedOrigin(uneven, 1)
    const { meanLimit, mostLimit } = origin.run({ untilMs: 60_000, workers: 100, serviceMs: 50, refusesAbove })
    expect(meanLimit).toBeGreaterThan(0.6 * refusesAbove)
    expect(mostLimit).toBeLessThan(1.5 * refusesAbove)
  })

  test('falls to minLimit while everything is refused, and comes back when it is not', () => {
    const origin = new SimulatedOrigin(even, 1, { minLimit: 2 })
    expect(origin.run({ untilMs: 30_000, workers: 40, serviceMs: 50, refusesAbove: 0 })).toMatchObject({
      meanLimit: 2,
      leastLimit: 2,
    })
    expect(origin.run({ untilMs: 90_000, workers: 40, serviceMs: 50 }).throughput).toBeGreaterThan(0.9)
  })

  test('shrinks once by refusals of requests that were under way together, not once for each', () => {
    const limit = new AdaptiveLimit({ ...bounds, initialLimit: 100 })
    limit.sent(100)
    for (let busy = 99; busy >= 0; busy -= 1) limit.overloaded(busy, 1_000 + 10 * (100 - busy))
    expect(limit.limit).toBe(75)
  })

  test('learns nothing from requests that were sent before its last change', () => {
    const limit = new AdaptiveLimit({ ...bounds, maxLimit: 20 })
    for (let outcome = 0; outcome < 30; outcome += 1) {
      limit.sent(20)
      limit.answered(20, 19, 10 * outcome)
    }
    for (let busy = 18; busy >= 0; busy -= 1) limit.overloaded(busy, 2_000)
    for (let outcome = 0; outcome < 29; outcome += 1) limit.overloaded(0, 2_000)
    expect(limit.limit).toBe(20)
    limit.overloaded(0, 2_000)
    expect(limit.limit).toBeLessThan(20)
  })
})
