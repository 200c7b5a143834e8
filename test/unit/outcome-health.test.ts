import { expect, test } from 'vitest'
import { NetworkError, RefusedError, type TimeLimit, TimeoutError } from '../../src/errors/failures.ts'
import { callHealth, outcomeHealth } from '../../src/policy/health.ts'
import { fail } from '../../src/policy/policies.ts'
import { Slots } from '../../src/policy/slots.ts'
import type { CallFacts, Outcome } from '../../src/types/exchange.ts'
import type { ConcurrencyConfig } from '../../src/types/protection.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** A call whose latest attempt took so long. */
function facts(durationMs: number | undefined): CallFacts {
  const latest = durationMs === undefined ? undefined : { durationMs }
  const request = { method: 'GET', url: 'https://a.test/' }
  return { request, attempts: 1, elapsedMs: 0, exchange: { latest } } as unknown as CallFacts
}

const answered = (status: number): Outcome => ({ kind: 'response', received: { status }, policy: fail() }) as unknown as Outcome
const failed = (error: unknown, sent: 'no' | 'maybe' = 'maybe'): Outcome => ({ kind: 'failure', error, sent, policy: fail() })
const timedOut = (kind: TimeLimit, durationMs?: number, sent?: 'no'): Outcome =>
  failed(new TimeoutError(kind, 100, facts(durationMs)), sent)
const lost = failed(new NetworkError('reset', 'maybe', 'lost', facts(1)))

test.each([
  ['an answer', answered(200), 'well'],
  ['a refusal of the request', answered(404), 'well'],
  ['a failure', answered(503), 'failing'],
  ['a call for less', answered(429), 'limiting'],
  ['a proxy that wants credentials', answered(407), 'unknown'],
  ['a sign-in page of the network', answered(511), 'unknown'],
  ['a substitute', { kind: 'substitute', response: new Response(), policy: fail() } as unknown as Outcome, 'unknown'],
  ['a lost connection', lost, 'failing'],
  ['an attempt that took too long', timedOut('attempt', 1), 'failing'],
  ['a connection that was not opened in time', timedOut('connect', 1, 'no'), 'failing'],
  ['the end of a call that waited a second for the origin', timedOut('call', 1_000), 'failing'],
  ['the end of a call in a hurry', timedOut('call', 999), 'unknown'],
  ['the end of a call that sent nothing', timedOut('call', 5_000, 'no'), 'unknown'],
  ['the end of a call without an attempt', timedOut('deadline'), 'failing'],
  ['a refusal of our own', failed(new RefusedError('budget' as never, 'no', facts(1)), 'no'), 'unknown'],
  ['an abort', failed(new DOMException('aborted', 'AbortError')), 'unknown'],
])('%s says of the origin: %o', (_case, outcome, health) => {
  expect(outcomeHealth(outcome)).toBe(health)
})

test('the reason of an abort says nothing, although it may be the failure of another call', () => {
  const { error } = lost as { error: unknown }
  expect(callHealth({ aborted: true, reason: error } as never, lost)).toBe('unknown')
  expect(callHealth({ aborted: true, reason: new Error('other') } as never, lost)).toBe('failing')
  expect(callHealth({ aborted: false, reason: error } as never, lost)).toBe('failing')
  expect(callHealth({ aborted: true, reason: undefined } as never, answered(503))).toBe('failing')
})

const config = { limit: 'adaptive', initialLimit: 20, minLimit: 1, maxLimit: 1_000, maxQueued: 0, maxQueueMs: 1 }

/** The limit once forty requests at a time have had this outcome, for a second. */
function limitAfter(outcome: Outcome): number {
  const clock = new FakeClock()
  const slots = new Slots(config as unknown as ConcurrencyConfig)
  for (let round = 0; round < 10; round += 1) {
    const startMs = clock.now()
    void clock.advance(0)
    let taken = 0
    while (slots.take()) taken += 1
    const ending = { now: () => startMs + 100 * (round + 1) } as typeof clock
    for (let index = 0; index < taken; index += 1) slots.giveAfter(outcome, outcomeHealth(outcome), ending.now() - 100, ending)
  }
  return slots.limit
}

test.each([
  ['an answer', answered(200), 'grows'],
  ['a call for less', answered(429), 'shrinks'],
  ['an origin that is not available', answered(503), 'shrinks'],
  ['a failure of the origin', answered(500), 'stays'],
  ['an attempt that took too long', timedOut('attempt', 1), 'shrinks'],
  ['a call in a hurry', timedOut('call', 1), 'stays'],
  ['a lost connection', lost, 'stays'],
])('the limit of an origin after %s: it %s', (_case, outcome, change) => {
  const limit = limitAfter(outcome)
  expect(limit > 20 ? 'grows' : limit < 20 ? 'shrinks' : 'stays').toBe(change)
})

test('slots of a fixed limit learn nothing, whatever the outcome', () => {
  const slots = new Slots({ ...config, limit: 3 } as unknown as ConcurrencyConfig)
  for (const outcome of [answered(200), answered(429), lost]) {
    expect(slots.take()).toBe(true)
    slots.giveAfter(outcome, outcomeHealth(outcome), 0, new FakeClock())
  }
  expect([slots.limit, slots.taken]).toEqual([3, 0])
})
