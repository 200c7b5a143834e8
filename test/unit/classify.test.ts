import { describe, expect, test } from 'vitest'
import { NetworkError, TimeoutError } from '../../src/errors/failures.ts'
import { createFetch, explain, fail, fallback, pause, retry, traceOf } from '../../src/index.ts'
import { mergePolicies } from '../../src/options/policies.ts'
import {
  asksFunctions,
  builtInPolicy,
  cancelledOutcome,
  decidePolicy,
  expectedFailurePolicy,
  expectedPolicy,
  failureKey,
  isAsked,
  mayRepeat,
  policyInput,
  refreshes,
} from '../../src/policy/classify.ts'
import { refresh } from '../../src/policy/policies.ts'
import type { CallFacts, Outcome } from '../../src/types/exchange.ts'
import type { PolicyTable } from '../../src/types/policy.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { fetchFailed, reply, scripted } from '../support/scripted-transport.ts'

const facts = { request: { method: 'GET', url: 'https://a.test/' }, attempts: 2, elapsedMs: 0 } as unknown as CallFacts
const network = new NetworkError('reset', 'maybe', 'lost', facts)
const timeout = new TimeoutError('attempt', 100, facts)
const nothing = (): undefined => undefined

describe('what is known of a policy before an outcome', () => {
  const on: PolicyTable = {
    500: 'accept',
    '5xx': 'fail',
    404: nothing,
    '4xx': 'accept',
    429: nothing,
    network: 'fail',
    timeout: nothing,
  }

  test.each([
    [500, 'accept'],
    [503, 'fail'],
    [404, 'accept'],
    [301, 'follow'],
  ])('of %i it is %s: functions are passed over, the most specific wins', (status, kind) => {
    expect(expectedPolicy(status, on).kind).toBe(kind)
  })

  test('where everything is a function it is that of the table', () => {
    expect(expectedPolicy(429, { 429: nothing, '4xx': nothing })).toBe(builtInPolicy(429))
  })

  test('of a failure: a function is passed over, and what is no failure of the network fails', () => {
    expect(expectedFailurePolicy(network, on).kind).toBe('fail')
    expect(expectedFailurePolicy(network, {}).kind).toBe('retry')
    expect(expectedFailurePolicy(timeout, on).kind).toBe('retry')
    expect(expectedFailurePolicy(new Error('mistake'), on).kind).toBe('fail')
  })

  test('a function is asked about a code, else about its class', () => {
    expect([404, 500, 429, 503, 'timeout', 'network'].map((key) => isAsked(key as number, on))).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
    ])
    expect(isAsked(503, { '5xx': nothing })).toBe(true)
    expect(isAsked(503, { 503: 'fail', '5xx': nothing })).toBe(false)
    expect(isAsked('network', { '5xx': nothing })).toBe(false)
  })
})

test('whether a table asks functions, or may refresh', () => {
  const source = refresh(async () => undefined)
  expect([{}, { 404: 'accept' }, { 404: nothing }, { 401: source }].map((on) => asksFunctions(on as PolicyTable))).toEqual([
    false,
    false,
    true,
    false,
  ])
  expect([{}, { 404: 'accept' }, { 404: nothing }, { 401: source }].map((on) => refreshes(on as PolicyTable))).toEqual([
    false,
    false,
    true,
    true,
  ])
})

test.each<[string, number, PolicyTable, boolean]>([
  ['its own limit is above one', 2, {}, true],
  ['nothing allows it', 1, { 404: 'retry', 503: () => 'retry', 500: retry(), 502: fail() }, false],
  ['a policy has a limit of one', 1, { 503: retry({ maxAttempts: 1 }) }, false],
  ['a policy has a limit of two', 1, { 503: retry({ maxAttempts: 2 }) }, true],
  ['a pause has one', 1, { 429: pause({ maxAttempts: 2 }) }, true],
  ['what a fallback comes after has one', 1, { 503: fallback(() => reply(200), { after: retry({ maxAttempts: 2 }) }) }, true],
])('a call may be sent more than once: %s', (_case, maxAttempts, on, may) => {
  expect(mayRepeat({ maxAttempts, on: mergePolicies('test', {}, on) })).toBe(may)
})

describe('functions that decide', () => {
  const input = () => ({}) as never

  test('and say nothing leave it to the class, then to the table', async () => {
    expect((await decidePolicy(503, { 503: nothing, '5xx': 'accept' }, input)).kind).toBe('accept')
    expect(await decidePolicy(503, { 503: nothing, '5xx': nothing }, input)).toBe(builtInPolicy(503))
    expect((await decidePolicy('network', { network: nothing }, input)).kind).toBe('retry')
    expect((await decidePolicy('network', { network: async () => 'fail' as const }, input)).kind).toBe('fail')
  })

  test('give a policy that is copied without a prototype, but for one whose source is known by itself', async () => {
    const given = { kind: 'retry', maxAttempts: 2 } as const
    const policy = await decidePolicy(503, { 503: () => given }, input)
    expect(policy).toEqual({ __proto__: null, ...given })
    expect(policy).not.toBe(given)
    const source = refresh(async () => undefined)
    expect(await decidePolicy(401, { 401: () => source }, input)).toBe(source)
  })

  test('are told of a failure as a failure, of a response as a response', () => {
    const exchange = { facts: () => facts } as never
    const { request, attempts } = facts
    expect(policyInput(exchange, { kind: 'failure', error: network } as Outcome)).toEqual({
      kind: 'failure',
      error: network,
      request,
      attempts,
    })
    const response = reply(200)
    const received = { response } as never
    expect(policyInput(exchange, { kind: 'response', received } as unknown as Outcome)).toEqual({
      kind: 'response',
      response,
      request,
      attempts,
    })
    expect(policyInput(exchange, { kind: 'substitute', response } as unknown as Outcome)).toEqual({
      kind: 'response',
      response,
      request,
      attempts,
    })
  })
})

describe('a call that was cancelled while it waited', () => {
  test.each<[string, unknown, PolicyTable, string]>([
    ['by its time limit, with a policy for that', timeout, { timeout: fallback(() => reply(200)) }, 'fallback'],
    ['by its time limit, with a word for that', timeout, { timeout: 'retry' }, 'retry'],
    ['by its time limit, with a function', timeout, { timeout: nothing }, 'fail'],
    ['by its time limit', timeout, { network: 'retry' }, 'fail'],
    ['by its caller', new DOMException('aborted', 'AbortError'), { timeout: 'retry', network: 'retry' }, 'fail'],
  ])('%s', (_case, reason, on, kind) => {
    expect(cancelledOutcome(reason, on)).toMatchObject({ kind: 'failure', error: reason, sent: 'no', policy: { kind } })
  })
})

test('only what happened on the network is a failure that policies are for', () => {
  expect([network, timeout, new Error('x'), undefined].map(failureKey)).toEqual(['network', 'timeout', undefined, undefined])
})

test('explain says where a policy comes from', () => {
  expect(explain(404, { on: { 404: 'accept', '4xx': 'fail' } })).toMatchObject({ policy: { kind: 'accept' }, source: 'exact' })
  expect(explain(404, { on: { '4xx': 'accept' } })).toMatchObject({ policy: { kind: 'accept' }, source: 'class' })
  expect(explain(404, { on: { '5xx': 'accept' } })).toMatchObject({ policy: { kind: 'fail' }, source: 'built-in' })
  expect(explain('network', { on: { network: 'fail' } })).toMatchObject({ policy: { kind: 'fail' }, source: 'exact' })
  expect(explain('network', { on: { timeout: 'fail' } })).toMatchObject({ policy: { kind: 'retry' }, source: 'built-in' })
})

test('a function for network failures that says nothing leaves it to the retry of the table', async () => {
  const clock = new FakeClock()
  const { transport, sent } = scripted(clock.now, fetchFailed('ECONNRESET'))
  const fetch = createFetch({ transport, clock, on: { network: nothing } })
  const error = await clock.drive(fetch('https://a.test/').catch((reason: unknown) => reason))
  expect([sent.length, traceOf(error)?.attempts.length]).toEqual([3, 3])
})
