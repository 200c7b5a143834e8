import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFetch } from '../../src/index.ts'
import { RetryBudget } from '../../src/policy/retry-budget.ts'
import { rejection } from '../support/client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { runCount } from '../support/run-count.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

const config = fc.record({
  capacity: fc.integer({ min: 1, max: 200 }),
  retryCost: fc.integer({ min: 0, max: 20 }),
  timeoutCost: fc.integer({ min: 0, max: 20 }),
})

test('a budget holds from nothing to its capacity, and never grants what it has not', () => {
  const step = fc.oneof(fc.constantFrom('retry', 'timeout'), fc.integer({ min: 0, max: 30 }))
  fc.assert(
    fc.property(config, fc.array(step, { maxLength: 300 }), (options, steps) => {
      const budget = new RetryBudget(options)
      for (const step of steps) {
        const before = budget.tokens
        if (typeof step === 'number') budget.give(step)
        else {
          const cost = budget.cost(step === 'timeout')
          expect(budget.take(cost)).toBe(before >= cost)
          if (before < cost) expect(budget.tokens).toBe(before)
        }
        expect(budget.tokens).toBeGreaterThanOrEqual(0)
        expect(budget.tokens).toBeLessThanOrEqual(options.capacity)
        expect(budget.full).toBe(budget.tokens === options.capacity)
      }
    }),
  )
})

/** What a service answers; calls come one after the other. */
const answer = fc.constantFrom('ok', 'ok', 'not found', 'unavailable', 'refused', 'limited')

test('for any sequence of answers the retries are those the budget was given: capacity and successes', async () => {
  await fc.assert(
    fc.asyncProperty(config, fc.array(answer, { minLength: 1, maxLength: 120 }), async (options, answers) => {
      const { clock, transport, log } = service(answers)
      const fetch = createFetch({ transport, clock, random: () => 0, maxAttempts: 4, retryBudget: options })
      let calls = 0
      while (log.sent < answers.length) {
        await clock.drive(fetch('https://api.test/').catch(() => undefined))
        calls += 1
      }
      const retries = log.sent - calls
      // No success gives back more than one retry took, or one token.
      const granted = options.capacity + log.good * Math.max(1, options.retryCost)
      expect(retries * options.retryCost).toBeLessThanOrEqual(granted)
      expect(clock.armed).toBe(0)
    }),
    { numRuns: runCount(100) },
  )
})

test('a service that fails for good is sent no more than capacity over cost retries, whatever the calls', async () => {
  await fc.assert(
    fc.asyncProperty(
      config,
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 6 }),
      async (options, calls, maxAttempts) => {
        const { clock, transport, log } = service(['unavailable'])
        const fetch = createFetch({ transport, clock, random: () => 0, maxAttempts, retryBudget: options })
        for (let call = 0; call < calls; call += 1) await clock.drive(rejection(fetch('https://api.test/')))
        const most = options.retryCost === 0 ? Infinity : Math.floor(options.capacity / options.retryCost)
        expect(log.sent).toBe(calls + Math.min(most, calls * (maxAttempts - 1)))
      },
    ),
    { numRuns: runCount(60) },
  )
})

function service(answers: readonly string[]): {
  clock: FakeClock
  transport: () => Promise<Response>
  log: { sent: number; good: number }
} {
  const log = { sent: 0, good: 0 }
  const transport = async (): Promise<Response> => {
    const what = answers[Math.min(log.sent, answers.length - 1)]
    log.sent += 1
    if (what === 'refused') throw fetchFailed('ECONNREFUSED')
    if (what === 'unavailable') return reply(503)
    if (what === 'limited') return reply(429, { 'retry-after': '0' })
    log.good += 1
    return reply(what === 'ok' ? 200 : 404)
  }
  return { clock: new FakeClock(), transport, log }
}
