import { describe, expect, test } from 'vitest'
import { NetworkError } from '../../src/errors/failures.ts'
import type { Exchange } from '../../src/exchange.ts'
import { retry } from '../../src/index.ts'
import { defaults } from '../../src/options/defaults.ts'
import { askPolicy } from '../../src/policy/ask.ts'
import { Flights, isJoinable } from '../../src/policy/flights.ts'
import { fail } from '../../src/policy/policies.ts'
import type { CallFacts, Outcome } from '../../src/types/exchange.ts'
import type { PolicyTable } from '../../src/types/policy.ts'

const href = 'https://a.test/x'
const request = { method: 'GET', href, origin: 'https://a.test', fields: ['accept', '*/*'], content: null }

/** A call as far as it is looked at. */
function call(more: object = {}): Exchange {
  const usual = {
    request,
    options: defaults,
    terms: {},
    retries: 2,
    repeatedOutside: false,
    route: undefined,
    requestStream: null,
  }
  return { ...usual, ...more } as unknown as Exchange
}

describe('requests that are under way', () => {
  test('are found by their key until they are taken away, by whoever put them there', () => {
    const flights = new Flights()
    const [one, other] = [{ path: '/x' }, { path: '/x' }]
    expect([flights.busy, flights.get('a')]).toEqual([false, undefined])
    flights.set('a', one)
    expect([flights.busy, flights.get('a')]).toEqual([true, one])
    flights.delete('a', other)
    expect(flights.get('a')).toBe(one)
    flights.delete('a', one)
    expect([flights.busy, flights.get('a')]).toEqual([false, undefined])
  })

  test('to a target that was changed are for nobody who comes later', () => {
    const flights = new Flights()
    flights.set('a', { path: '/x' })
    flights.set('b', { path: '/y' })
    flights.outdate(new Set(['/x']))
    expect([flights.get('a'), flights.get('b')]).toEqual([undefined, { path: '/y' }])
  })

  test('are kept apart for a minute, once an answer was for one call alone', () => {
    const flights = new Flights()
    expect(flights.isApart('a', 0)).toBe(false)
    flights.keepApart('a', 0)
    expect([flights.isApart('a', 59_999), flights.isApart('b', 0), flights.isApart('a', 60_000)]).toEqual([true, false, false])
    // What is over stays over, whatever the time.
    expect(flights.isApart('a', 0)).toBe(false)
  })

  test('of those that are kept apart, 64 are remembered, the latest', () => {
    const flights = new Flights()
    for (let count = 0; count < 64; count += 1) flights.keepApart(`${count}`, 0)
    flights.keepApart('0', 0)
    expect(flights.isApart('1', 0)).toBe(true)
    flights.keepApart('64', 0)
    expect(['0', '1', '2', '64'].map((key) => flights.isApart(key, 0))).toEqual([true, false, true, true])
  })
})

describe('what makes requests identical', () => {
  const flights = new Flights()
  const key = (more: object = {}): string => flights.keyOf(call(more), [])
  const options = (more: object): object => ({ options: { ...defaults, ...more } })

  test('is the same each time', () => {
    expect(key()).toBe(key())
    expect(key(options({}))).toBe(key())
  })

  test.each<[string, object]>([
    ['another method', { request: { ...request, method: 'HEAD' } }],
    ['another target', { request: { ...request, href: 'https://a.test/y' } }],
    ['other fields', { request: { ...request, fields: ['accept', 'x'] } }],
    ['fields that only look alike', { request: { ...request, fields: ['accept*', '/*'] } }],
    ['other retries', { retries: 1 }],
    ['a call that repeats it', { repeatedOutside: true }],
    ['a limit of its own', { terms: { ownMaxDecoded: true } }],
    ['endpoints that were tried', { route: { tried: ['https://b.test'] } }],
    ['an option that changes what is sent', options({ maxAttempts: 7 })],
    ['another function', options({ random: () => 0 })],
    ['another object', options({ cookies: {} })],
    ['another policy', options({ on: { 503: retry({ baseMs: 7 }) } })],
  ])('is not %s', (_case, more) => {
    expect(key(more)).not.toBe(key())
  })

  test('tells functions and objects apart by which they are', () => {
    const [one, other] = [() => 0, () => 0]
    expect(key(options({ random: one }))).toBe(key(options({ random: one })))
    expect(key(options({ random: one }))).not.toBe(key(options({ random: other })))
    expect(key(options({ random: null }))).not.toBe(key(options({ random: undefined })))
  })

  test.each(['timeoutMs', 'idleTimeoutMs', 'errors', 'baseUrl', 'headers', 'asksFunctions'])(
    'leaves out %s, which is of the call',
    (name) => {
      expect(key(options({ [name]: 'other' }))).toBe(key())
    },
  )

  test('does not depend on the order of the options', () => {
    const entries = Object.entries(defaults)
    expect(key({ options: Object.fromEntries(entries.reverse()) })).toBe(key())
  })
})

test.each<[string, object, boolean]>([
  ['a GET', {}, true],
  ['a HEAD', { request: { ...request, method: 'HEAD' } }, true],
  ['a POST', { request: { ...request, method: 'POST' } }, false],
  ['a GET with content', { request: { ...request, content: {} } }, false],
  ['a data: URL', { request: { ...request, href: 'data:,x' } }, false],
  ['a range', { request: { ...request, fields: ['range', 'bytes=0-'] } }, false],
  ['the content of a Request', { requestStream: {} }, false],
  ['an upgrade', { terms: { upgrade: 'x' } }, false],
  ['part of another call', { scope: { inner: true } }, false],
  ['in the scope of another call', { scope: { inner: false } }, true],
  ['one that listens to 1xx', { options: { ...defaults, onInformation: () => {} } }, false],
])('%s can be that of several calls: %s', (_case, more, joinable) => {
  expect(isJoinable(call(more))).toBe(joinable)
})

describe('asking functions about an outcome', () => {
  const facts = { request: { method: 'GET', url: href }, attempts: 1, elapsedMs: 0 } as unknown as CallFacts
  const lost = new NetworkError('reset', 'maybe', 'lost', facts)

  function asking(on: PolicyTable, outcome: Partial<Outcome>, more: object = {}) {
    const released: unknown[] = []
    const received = { status: 503, response: new Response(), release: (reason: unknown) => released.push(reason) }
    const cancels: ((reason: unknown) => void)[] = []
    const exchange = {
      options: { on },
      cancelled: false,
      reason: undefined,
      within: <Value>(run: () => Value): Value => run(),
      facts: () => facts,
      onCancel: (run: (reason: unknown) => void) => {
        cancels.push(run)
        return () => {}
      },
      ...more,
    }
    const given = (outcome.kind === 'failure' ? outcome : { kind: 'response', received, policy: fail() }) as Outcome
    return { released, cancels, exchange, given, result: askPolicy(exchange as unknown as Exchange, given) }
  }

  test('changes its policy, and lets go nothing', async () => {
    const { result, released } = asking({ 503: () => 'accept' }, {})
    expect(await result).toMatchObject({ kind: 'response', policy: { kind: 'accept' } })
    expect(released).toEqual([])
  })

  test('is not done where none is to be asked, nor for what is no failure of the network, nor once the call is over', async () => {
    let asked = 0
    const count = (): undefined => {
      asked += 1
    }
    const mistake = { kind: 'failure', error: new Error('mistake'), sent: 'no', policy: fail() } as Outcome
    for (const { given, result } of [
      asking({ 503: 'accept', network: count }, {}),
      asking({ network: count, timeout: count }, mistake),
      asking({ 503: count }, {}, { cancelled: true }),
    ]) {
      expect(await result).toBe(given)
    }
    expect(asked).toBe(0)
  })

  test('that throw is a failure with what they threw, and the response is let go', async () => {
    const mistake = new Error('mistake')
    const { result, released } = asking(
      {
        503: () => {
          throw mistake
        },
      },
      {},
    )
    expect(await result).toEqual({ kind: 'failure', error: mistake, sent: 'maybe', policy: fail() })
    expect(released).toEqual([mistake])
  })

  test('that throw about a failure let go nothing', async () => {
    const mistake = new Error('mistake')
    const failure = { kind: 'failure', error: lost, sent: 'no', policy: fail() } as Outcome
    const { result, released } = asking(
      {
        network: () => {
          throw mistake
        },
      },
      failure,
    )
    expect(await result).toMatchObject({ kind: 'failure', error: mistake })
    expect(released).toEqual([])
  })
})
