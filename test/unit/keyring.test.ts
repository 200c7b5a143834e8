import { describe, expect, test } from 'vitest'
import { mergePolicies } from '../../src/options/policies.ts'
import { Credentials, Grant } from '../../src/policy/credentials.ts'
import { Endpoint } from '../../src/policy/endpoint.ts'
import { EndpointRoute, Endpoints } from '../../src/policy/endpoints.ts'
import { Keyring } from '../../src/policy/keyring.ts'
import { Origins } from '../../src/policy/origins.ts'
import { refresh } from '../../src/policy/policies.ts'
import type { Fields } from '../../src/types/exchange.ts'
import type { PolicyTable } from '../../src/types/policy.ts'
import type { EndpointsConfig } from '../../src/types/protection.ts'
import { FakeClock } from '../support/fake-clock.ts'

const policyOf = () => refresh(async () => undefined)
const table = (on: PolicyTable): PolicyTable => mergePolicies('test', {}, on)

describe('the policies that ask for credentials', () => {
  test('are those of a table, each source once', () => {
    const [one, other] = [policyOf(), policyOf()]
    const keyring = new Keyring(new Origins(), {})
    const found = keyring.policies(
      table({ 401: one, 403: one, 407: other, 404: 'fail', 503: { kind: 'retry' }, 429: () => undefined }),
    )
    expect(found.map(({ source }) => source)).toEqual([one.source, other.source])
  })

  test('are looked for once', () => {
    const keyring = new Keyring(new Origins(), {})
    const on = table({ 401: policyOf() })
    expect(keyring.policies(on)).toBe(keyring.policies(on))
  })

  test('are those of the client, where a call has none of its own', () => {
    const client = table({ 401: policyOf() })
    const keyring = new Keyring(new Origins(), client)
    expect(keyring.policies(table({ 401: 'fail' }))).toBe(keyring.policies(client))
    expect(new Keyring(new Origins(), {}).policies(table({ 401: 'fail' }))).toEqual([])
  })

  test('that a function gave are remembered once, the latest eight', () => {
    const keyring = new Keyring(new Origins(), {})
    const on = table({ 401: () => undefined })
    const given = Array.from({ length: 9 }, policyOf)
    for (const policy of given) {
      keyring.learn(on, policy)
      keyring.learn(on, policy)
    }
    expect(keyring.policies(on).map(({ source }) => source)).toEqual(given.slice(1).map(({ source }) => source))
  })
})

describe('credentials', () => {
  const fields: Fields = ['authorization', 'a']

  test('stand in the place of fields of their names, whoever sends them', () => {
    const grant = new Grant(fields, 0)
    const [one, other]: Fields[] = [
      ['accept', 'x', 'authorization', 'b'],
      ['accept', 'y'],
    ]
    expect(grant.over(one as Fields)).toEqual(['accept', 'x', 'authorization', 'a'])
    expect(grant.over(other as Fields)).toEqual(['accept', 'y', 'authorization', 'a'])
    expect(grant.over(other as Fields)).toBe(grant.over(other as Fields))
    expect(grant.record).toEqual({ __proto__: null, authorization: 'a' })
  })

  test('are to be remembered while there are some, or some are asked for', async () => {
    const clock = new FakeClock()
    const known = new Credentials()
    expect(known.busy).toBe(false)
    let answer: (given: Fields | undefined) => void = () => {}
    const asked = known.renewed(
      clock.now(),
      clock,
      () =>
        new Promise((resolve) => {
          answer = resolve
        }),
    )
    expect(known.busy).toBe(true)
    answer(undefined)
    await asked
    expect(known.busy).toBe(false)
    await known.renewed(clock.now() + 1, clock, async () => fields)
    expect([known.busy, known.grant?.record.authorization]).toEqual([true, 'a'])
  })

  test('are too old at their age, and not before', async () => {
    const clock = new FakeClock()
    const known = new Credentials()
    await known.renewed(clock.now(), clock, async () => fields)
    const policy = refresh(async () => undefined, { maxAgeMs: 1_000 })
    expect([known.isDue(policy, clock.now() + 999), known.isDue(policy, clock.now() + 1_000)]).toEqual([false, true])
    expect([
      new Credentials().isDue(policy, 0),
      new Credentials().isDue(
        refresh(async () => undefined, { eager: true }),
        0,
      ),
    ]).toEqual([false, true])
  })

  test('of a source that takes thirty seconds are asked for anew, and what it brings in the end counts no more', async () => {
    const clock = new FakeClock()
    const known = new Credentials()
    const answers: ((given: Fields | undefined) => void)[] = []
    const ask = (): Promise<Fields | undefined> => new Promise((resolve) => answers.push(resolve))
    const first = known.renewed(clock.now(), clock, ask)
    await clock.advance(29_999)
    expect(known.renewed(clock.now(), clock, ask)).toBe(first)
    expect(known.isDue(policyOf(), clock.now())).toBe(true)
    await clock.advance(1)
    expect(known.isDue(policyOf(), clock.now())).toBe(false)
    const second = known.renewed(clock.now(), clock, ask)
    answers[1]?.(['authorization', 'new'])
    await second
    answers[0]?.(['authorization', 'old'])
    await first
    expect(known.grant?.record.authorization).toBe('new')
    expect(answers).toHaveLength(2)
  })
})

describe('endpoints', () => {
  const [a, b, c] = ['https://a.test', 'https://b.test', 'https://c.test']
  const config = { origins: [a, b, c], ejectAfter: 2, ejectMs: 1_000, maxEjectMs: 5_000, maxEjectedRatio: 1 } as EndpointsConfig
  const none = (): number => 0
  const free = (): boolean => false

  function failing(list: readonly (Endpoint | undefined)[], endpoints: Endpoints, nowMs: number): void {
    for (const one of list) {
      for (let count = 0; count < 2; count += 1)
        endpoints.note(one as Endpoint, { health: 'failing', sentMs: nowMs, durationMs: 0 }, nowMs, none)
    }
  }

  test('are always worth remembering', () => {
    expect(new Endpoints(config).busy).toBe(true)
  })

  test('where all are held, one that is not left out is asked, and none that is to be waited with', () => {
    const endpoints = new Endpoints(config)
    failing([endpoints.at(a)], endpoints, 1)
    const held = { tried: [], nowMs: 1, isHeld: () => true, random: none }
    expect(endpoints.choose(held).origin).toBe(b)
    expect(endpoints.choose({ ...held, waits: (origin) => origin === b }).origin).toBe(c)
    expect(endpoints.choose({ ...held, waits: (origin) => origin !== a }).origin).toBe(a)
    expect(endpoints.choose({ ...held, waits: () => true }).origin).toBe(a)
  })

  test('a route tries each once, and begins anew with another than the last', () => {
    const endpoints = new Endpoints(config)
    const route = new EndpointRoute(endpoints, new FakeClock(), free, 0)
    expect(route.tried).toEqual([])
    const round = (): string[] => [1, 2, 3].map(() => route.next('', none).origin)
    const first = round()
    expect(new Set(first).size).toBe(3)
    expect(route.tried).toEqual(first)
    const next = route.next('', none).origin
    expect(next).not.toBe(first[2])
    expect(route.tried).toEqual([first[2], next])
    expect(route.others).toBe(1)
  })

  test('a route that stays does so once, and tries nothing anew', () => {
    const endpoints = new Endpoints(config)
    const route = new EndpointRoute(endpoints, new FakeClock(), free, 0, [a, b])
    route.stays = true
    expect(route.next(a, none).origin).toBe(a)
    expect([route.stays, route.tried]).toEqual([false, [a, b]])
    expect(route.next(a, none).origin).toBe(c)
  })

  test('one that asked to be left alone is, until then', async () => {
    const clock = new FakeClock()
    const route = new EndpointRoute(new Endpoints(config), clock, free, 0)
    route.wait(b, 1_000)
    const later = new EndpointRoute(new Endpoints(config), clock, free, 0)
    later.inherit(route)
    expect([route.others, later.others]).toEqual([2, 2])
    await clock.advance(999)
    expect(route.others).toBe(2)
    await clock.advance(1)
    expect([route.others, later.others]).toEqual([3, 3])
  })

  test('an error ratio fades, and costs nothing once it is small', () => {
    const one = new Endpoint(a, config)
    one.note({ health: 'well', sentMs: 0, durationMs: 100 }, 0)
    one.note({ health: 'failing', sentMs: 0, durationMs: 100 }, 0)
    const costs = [0, 5_000, 10_000, 12_000].map((ms) => one.cost(ms, 0) / Math.max(1, one.latencyMs(ms) ?? 0))
    expect(costs[0]).toBeCloseTo(1 / 0.7)
    expect(costs[1]).toBeCloseTo(1 / (1 - 0.3 * Math.exp(-0.5)))
    expect(costs[2]).toBeCloseTo(1 / (1 - 0.3 * Math.exp(-1)))
    expect(costs[3]).toBe(1)
    one.note({ health: 'failing', sentMs: 5_000, durationMs: 100 }, 5_000)
    const errors = 0.3 * Math.exp(-0.5) * 0.7 + 0.3
    expect(one.cost(5_000, 0) / (one.latencyMs(5_000) ?? 0)).toBeCloseTo(1 / (1 - errors))
  })

  test('a latency comes down by the part of the time that has passed', () => {
    const one = new Endpoint(a, config)
    one.note({ health: 'well', sentMs: 0, durationMs: 1_000 }, 0)
    one.note({ health: 'well', sentMs: 0, durationMs: 100 }, 10_000)
    const kept = Math.exp(-1)
    expect(one.latencyMs(10_000)).toBeCloseTo(1_000 * kept + 100 * (1 - kept))
  })

  test('an ejection is forgotten after as many successes in a row as failures led to it', () => {
    const away = (successes: readonly boolean[]): number => {
      const one = new Endpoint(a, config)
      one.eject(0, none)
      for (const well of successes) one.note({ health: well ? 'well' : 'failing', sentMs: 2_000, durationMs: 0 }, 2_000)
      one.eject(2_000, none)
      return [1_000, 2_000].find((ms) => !one.isEjected(2_000 + ms)) ?? 0
    }
    expect(away([])).toBe(2_000)
    expect(away([true])).toBe(2_000)
    expect(away([true, false, true])).toBe(2_000)
    expect(away([true, true])).toBe(1_000)
  })
})
