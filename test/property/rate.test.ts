import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Quota } from '../../src/http/quota-fields.ts'
import { quotasOf } from '../../src/http/rate-limit.ts'
import { createFetch } from '../../src/index.ts'
import type { Ticket } from '../../src/policy/quota.ts'
import { Rate } from '../../src/policy/rate.ts'
import type { RateLimitConfig } from '../../src/types/protection.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { runCount } from '../support/run-count.ts'

const target = 'https://api.test/'
const config: RateLimitConfig = { windowMs: 1_000, followServer: true, maxQueued: 10_000, maxWaitMs: 60_000 }

/** One call: how long after the one before it, and when it is aborted, if it is. */
const arrival = fc.record({
  afterMs: fc.integer({ min: 0, max: 400 }),
  abortMs: fc.option(fc.integer({ min: 0, max: 1_500 }), { nil: undefined, freq: 3 }),
})

/** Sends within any interval beyond what a bucket allows. */
function beyond(times: readonly number[], burst: number, intervalMs: number): number {
  let most = -Infinity
  for (const [from, start] of times.entries()) {
    for (const [length, end] of times.slice(from).entries()) {
      most = Math.max(most, length + 1 - burst - (end - start) / intervalMs)
    }
  }
  return most
}

describe('a token bucket', () => {
  test('sends no more than burst + rate * t in any interval, in the order of arrival, and nobody waits for ever', async () => {
    const rules = { limit: fc.integer({ min: 1, max: 20 }), burst: fc.integer({ min: 1, max: 10 }) }
    await fc.assert(
      fc.asyncProperty(
        fc.record(rules),
        fc.array(arrival, { maxLength: 25, size: 'max' }),
        async ({ limit, burst }, arrivals) => {
          const clock = new FakeClock()
          const sent: { index: number; atMs: number }[] = []
          const transport = async (href: string): Promise<Response> => {
            sent.push({ index: Number(new URL(href).pathname.slice(1)), atMs: clock.now() })
            return new Response(null)
          }
          const fetch = createFetch({ transport, clock, rateLimit: { limit, burst }, timeoutMs: false })
          const calls: Promise<unknown>[] = []
          for (const [index, { afterMs, abortMs }] of arrivals.entries()) {
            await clock.advance(afterMs)
            const controller = new AbortController()
            if (abortMs !== undefined) clock.after(abortMs, () => controller.abort('gone'))
            calls.push(fetch(target + index, { signal: controller.signal }).catch((error: unknown) => error))
          }
          const results = await clock.drive(Promise.all(calls))
          await clock.advance(2_000)
          expect(
            beyond(
              sent.map(({ atMs }) => atMs),
              burst,
              1_000 / limit,
            ),
          ).toBeLessThan(1e-6)
          expect(sent.map(({ index }) => index)).toEqual(sent.map(({ index }) => index).sort((a, b) => a - b))
          expect(sent).toHaveLength(results.filter((result) => result instanceof Response).length)
          expect(clock.armed).toBe(0)
        },
      ),
      { numRuns: runCount(60) },
    )
  })

  test('sends as much as it may', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: 50 }), (limit, burst) => {
        const rate = new Rate({ ...config, limit, burst })
        let nowMs = 5
        for (let call = 0; call < 200; call += 1) {
          nowMs = rate.pacedTurnMs(nowMs, 0)
          expect(rate.take(nowMs)).toBe(true)
        }
        expect(nowMs - 5).toBeCloseTo((Math.max(0, 200 - burst) * 1_000) / limit, 3)
      }),
    )
  })
})

/** What may happen beside an origin with a fixed window; `which` picks among the requests it can happen to. */
const step = fc.record({
  what: fc.constantFrom('send', 'send', 'send', 'send', 'send', 'serve', 'serve', 'serve', 'serve', 'lose', 'wait'),
  which: fc.nat(),
  ms: fc.oneof(fc.nat(50), fc.nat(1_500)),
})

/** An origin with a fixed window, and what is sent to it; its requests arrive in any order. */
class Origin {
  readonly limit: number
  readonly windowMs: number
  used = 0
  endMs = 0
  refused = 0

  constructor(limit: number, windowMs: number) {
    this.limit = limit
    this.windowMs = windowMs
  }

  serve(nowMs: number): Quota {
    while (nowMs >= this.endMs) {
      this.used = 0
      this.endMs += this.windowMs
    }
    if (this.used === this.limit) this.refused += 1
    else this.used += 1
    const { limit, windowMs } = this
    return { name: 'a', partition: '', remaining: limit - this.used, resetMs: this.endMs - nowMs, limit, windowMs }
  }
}

describe('the quota of an origin', () => {
  test('is never overdrawn, in whatever order requests arrive and are answered', () => {
    const rules = fc.record({
      limit: fc.integer({ min: 1, max: 5 }),
      windowMs: fc.constantFrom(1_000, 7_000, 60_000),
      chance: fc.double({ min: 0, max: 0.99, noNaN: true }),
    })
    fc.assert(
      fc.property(rules, fc.array(step, { maxLength: 120, size: 'max' }), ({ limit, windowMs, chance }, steps) => {
        const rate = new Rate(config)
        const origin = new Origin(limit, windowMs)
        const underWay: { readonly ticket: Ticket; readonly sentMs: number }[] = []
        let nowMs = 0
        // Hurried, for the pace alone would keep most from being sent.
        const send = (): boolean => rate.takeHurried(nowMs) && underWay.push({ ticket: rate.begin(), sentMs: nowMs }) > 0
        const settle = (which: number, isLost: boolean): void => {
          const [request] = underWay.splice(which % underWay.length, 1)
          if (request === undefined) return
          if (isLost) rate.unsent()
          else rate.learn([origin.serve(nowMs)], request.ticket, nowMs, () => chance)
          rate.settle(!isLost)
        }
        // Of the first request nobody can know better.
        send()
        settle(0, false)
        for (const { what, which, ms } of steps) {
          if (what === 'wait') {
            // No request is on its way for longer than a whole window.
            while ((underWay[0]?.sentMs ?? Infinity) <= nowMs + ms - windowMs) settle(0, false)
            nowMs += ms
          } else if (what === 'send') send()
          else if (underWay.length > 0) settle(which, what === 'lose')
        }
        expect(origin.refused).toBe(0)
      }),
      { numRuns: runCount(2_000) },
    )
  })

  test('lets everybody go in the end, whatever was told and whatever is under way', () => {
    const told = fc.record({
      name: fc.constantFrom('a', 'b'),
      partition: fc.constantFrom('', 'p', 'q'),
      remaining: fc.nat(20),
      resetMs: fc.oneof(fc.nat(90_000), fc.constantFrom(0, 1e15, 1e300)),
      limit: fc.option(fc.nat(20), { nil: undefined }),
      windowMs: fc.option(fc.integer({ min: 1, max: 90_000 }), { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.array(fc.tuple(told, fc.nat(5_000), fc.boolean()), { maxLength: 40, size: 'max' }), (answers) => {
        const rate = new Rate(config)
        let nowMs = 0
        for (const [quota, ms, isAnswered] of answers) {
          nowMs += ms
          if (!rate.take(nowMs)) continue
          const ticket = rate.begin()
          if (!isAnswered) continue
          rate.learn([quota], ticket, nowMs, () => 0.5)
          rate.settle(true)
        }
        const startMs = nowMs
        for (let turn = 0; turn < 10 && !rate.take(nowMs); turn += 1) {
          const nextMs = rate.pacedTurnMs(nowMs, 0)
          expect(nextMs).toBeGreaterThan(nowMs)
          expect(nextMs).toBeLessThan(startMs + 4 * 3_601_000)
          nowMs = nextMs
        }
        expect(rate.take(nowMs) || rate.pacedTurnMs(nowMs, 0) < startMs + 4 * 3_601_000).toBe(true)
      }),
      { numRuns: runCount(2_000) },
    )
  })
})

describe('the fields that quotas are told in', () => {
  const number = fc.oneof(fc.integer().map(String), fc.double().map(String), fc.string())
  const item = fc
    .tuple(fc.constantFrom('"a"', 'a', '5', '("a")', ''), fc.constantFrom('r', 'q', 't', 'w', 'qu', 'pk'), number)
    .map(([name, key, value]) => `${name};${key}=${value};t=${value}`)
  const content = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    number,
    item,
    fc.array(item).map((items) => items.join()),
  )
  const names = fc.constantFrom(
    'ratelimit',
    'ratelimit-policy',
    'ratelimit-limit',
    'ratelimit-remaining',
    'ratelimit-reset',
    'x-ratelimit-limit',
    'x-ratelimit-remaining',
    'x-ratelimit-reset',
    'x-ratelimit-reset-after',
    'x-ratelimit-remaining-requests',
    'x-ratelimit-reset-requests',
    'x-hubspot-ratelimit-remaining',
    'x-hubspot-ratelimit-interval-milliseconds',
    'retry-after',
    'date',
    'age',
  )

  test('are read without an error, and give numbers that can be counted with', () => {
    fc.assert(
      fc.property(fc.dictionary(names, content), fc.integer({ min: 0 }), (fields, wallTime) => {
        const field = (name: string): string | null => (Object.hasOwn(fields, name) ? (fields[name] as string) : null)
        for (const quota of quotasOf({ field }, () => wallTime)) {
          expect(Number.isSafeInteger(quota.remaining) && quota.remaining >= 0).toBe(true)
          expect(Number.isFinite(quota.resetMs) && quota.resetMs >= 0).toBe(true)
          expect(quota.limit === undefined || quota.limit >= 0).toBe(true)
          expect(quota.windowMs === undefined || quota.windowMs > 0).toBe(true)
        }
      }),
      { numRuns: runCount(2_000) },
    )
  })
})
