import { describe, expect, test } from 'vitest'
import { createFetch, isHttpError, ServiceUnavailableError, traceOf } from '../../src/index.ts'
import { RetryBudget } from '../../src/policy/retry-budget.ts'
import { clientOf, gaps, rejection } from '../support/client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { fetchFailed, reply, scripted } from '../support/scripted-transport.ts'

const target = 'https://api.test/things'
const ok = reply(200, {}, 'fine')

describe('the retry budget of an origin', () => {
  test('grants twenty retries while everything fails, then the real error is thrown at once', async () => {
    const { fetch, clock, sent } = clientOf([reply(503)])
    const errors: unknown[] = []
    for (let call = 0; call < 30; call += 1) errors.push(await clock.drive(rejection(fetch(target))))
    expect(sent).toHaveLength(30 + 20)
    expect(errors.every((error) => error instanceof ServiceUnavailableError)).toBe(true)
    expect(traceOf(errors[9])?.notRepeated).toBe('attempts spent')
    expect(traceOf(errors[10])).toMatchObject({ notRepeated: 'retry budget is empty', totalMs: 0 })
    expect((errors[10] as Error).message).toContain('503 Service Unavailable, not repeated: retry budget is empty (1 attempt')
    expect(gaps(sent).filter((ms) => ms > 0)).toHaveLength(20)
    expect(clock.armed).toBe(0)
  })

  test('pays twice for a retry after a time limit: the origin may still be at work', async () => {
    const never = (): Promise<Response> => new Promise(() => {})
    const { fetch, clock, sent } = clientOf([never], { attemptTimeoutMs: 100 })
    for (let call = 0; call < 20; call += 1) await clock.drive(rejection(fetch(target)))
    expect(sent).toHaveLength(20 + 10)
  })

  test('gets back what a retry took when that succeeds', async () => {
    const clock = new FakeClock()
    let calls = 0
    const transport = async (): Promise<Response> => {
      calls += 1
      return reply(calls % 2 === 1 ? 503 : 200)
    }
    const fetch = createFetch({ transport, clock, random: () => 0.5 })
    for (let call = 0; call < 500; call += 1) await clock.drive(fetch(target))
    expect(calls).toBe(1_000)
  })

  test('gets one token back for each call that simply succeeds', async () => {
    const { fetch, clock, sent } = clientOf([
      ...Array.from({ length: 50 }, () => reply(503)),
      ...Array.from({ length: 5 }, () => ok),
      reply(503),
    ])
    for (let call = 0; call < 30; call += 1) await clock.drive(rejection(fetch(target)))
    expect(sent).toHaveLength(50)
    for (let call = 0; call < 4; call += 1) await fetch(target)
    expect(traceOf(await fetch(target))?.attempts).toHaveLength(1)
    const error = await clock.drive(rejection(fetch(target)))
    expect(traceOf(error)).toMatchObject({ attempts: { length: 2 }, notRepeated: 'retry budget is empty' })
  })

  test('takes a 404 for a success: the origin is well', async () => {
    const { fetch, clock, sent } = clientOf([
      ...Array.from({ length: 50 }, () => reply(503)),
      ...Array.from({ length: 5 }, () => reply(404)),
      reply(503),
    ])
    for (let call = 0; call < 35; call += 1) await clock.drive(rejection(fetch(target)))
    await clock.drive(rejection(fetch(target)))
    expect(sent).toHaveLength(50 + 5 + 2)
  })

  test('counts for each origin alone, and for a client and its children together', async () => {
    const { fetch, clock, sent } = clientOf([reply(503)])
    const child = fetch.extend({ headers: { 'x-child': '1' } })
    for (let call = 0; call < 15; call += 1) await clock.drive(rejection((call % 2 === 0 ? fetch : child)(target)))
    expect(sent).toHaveLength(15 + 20)
    await clock.drive(rejection(fetch('https://other.test/')))
    expect(sent).toHaveLength(15 + 20 + 3)
  })

  test('is not spent on a retry that was not sent: the call was aborted while it waited', async () => {
    const { fetch, clock, sent } = clientOf([reply(503)])
    for (let call = 0; call < 40; call += 1) {
      const controller = new AbortController()
      const aborted = rejection(fetch(target, { signal: controller.signal }))
      await clock.advance(10)
      controller.abort()
      await aborted
    }
    expect(sent).toHaveLength(40)
    for (let call = 0; call < 11; call += 1) await clock.drive(rejection(fetch(target)))
    expect(sent).toHaveLength(40 + 11 + 20)
  })

  test('can be larger, smaller, or none at all', async () => {
    const small = clientOf([reply(503)], { retryBudget: { capacity: 5 } })
    for (let call = 0; call < 3; call += 1) await small.clock.drive(rejection(small.fetch(target)))
    expect(small.sent).toHaveLength(3 + 1)
    const none = clientOf([fetchFailed('ECONNREFUSED')], { retryBudget: false })
    for (let call = 0; call < 50; call += 1) await none.clock.drive(rejection(none.fetch(target)))
    expect(none.sent).toHaveLength(150)
  })

  test('a redirect does not give a call a second budget', async () => {
    const clock = new FakeClock()
    const { transport, sent } = scripted(clock.now, reply(307, { location: '/b' }), reply(503))
    const fetch = createFetch({ transport, clock, random: () => 0.5, retryBudget: { capacity: 5 } })
    expect(isHttpError(await clock.drive(rejection(fetch(target))), 503)).toBe(true)
    expect(sent).toHaveLength(3)
  })

  test.each([
    [{ capacity: 0 }, 'capacity must be a whole number of at least 1, got 0'],
    [{ retryCost: 1.5 }, 'retryCost must be a whole number of at least 0, got 1.5'],
    [{ tokens: 5 }, 'unknown option "tokens"; known are capacity, retryCost, timeoutCost'],
    [7, 'retryBudget must be true, false or an object, got 7'],
  ])('refuses %j', (retryBudget, message) => {
    expect(() => createFetch({ retryBudget: retryBudget as never })).toThrow(message)
  })
})

test('a budget gives nothing that it has not, and never holds more than its capacity', () => {
  const budget = new RetryBudget({ capacity: 10, retryCost: 5, timeoutCost: 10 })
  expect(budget.take(budget.cost(true))).toBe(true)
  expect([budget.take(budget.cost(false)), budget.tokens]).toEqual([false, 0])
  budget.give(50)
  expect([budget.tokens, budget.full, budget.busy]).toEqual([10, true, false])
})
