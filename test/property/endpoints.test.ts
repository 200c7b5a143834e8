import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Endpoint, Result } from '../../src/policy/endpoint.ts'
import { EndpointRoute, Endpoints } from '../../src/policy/endpoints.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { runCount } from '../support/run-count.ts'

const names = ['https://a.test', 'https://b.test', 'https://c.test', 'https://d.test', 'https://e.test']
const numbers = { ejectAfter: 3, ejectMs: 1_000, maxEjectMs: 5_000, maxEjectedRatio: 0.5 }
/** Longest an endpoint can be left out. */
const longestMs = numbers.maxEjectMs * 1.2

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('call' as const), tried: fc.subarray(names), held: fc.subarray(names) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('outcome' as const),
      which: fc.nat(100),
      health: fc.constantFrom<Result['health'][]>('well', 'failing', 'failing', 'failing', 'limiting', 'unknown'),
      sent: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(2_000) }) },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** Some endpoints at work, and what must hold of them. */
class Work {
  readonly endpoints: Endpoints
  readonly count: number
  readonly random: () => number
  readonly mostEjected: number
  readonly underWay: { readonly endpoint: Endpoint; readonly sentMs: number }[] = []
  nowMs = 1_000

  constructor(count: number, random: () => number, ratio: number) {
    this.count = count
    this.random = random
    this.endpoints = new Endpoints({ ...numbers, maxEjectedRatio: ratio, origins: names.slice(0, count) })
    this.mostEjected = count > 1 ? Math.max(1, Math.floor(count * ratio)) : 0
  }

  ejected(): Endpoint[] {
    return this.endpoints.list.filter((endpoint) => endpoint.isEjected(this.nowMs))
  }

  take(next: Step): void {
    if (next.kind === 'advance') this.nowMs += next.ms
    else if (next.kind === 'call') this.#call(next.tried, next.held)
    else if (this.underWay.length > 0) {
      const [{ endpoint, sentMs }] = this.underWay.splice(next.which % this.underWay.length, 1) as [Work['underWay'][number]]
      endpoint.end()
      const result: Result = { health: next.health, sentMs: next.sent ? sentMs : undefined, durationMs: this.nowMs - sentMs }
      this.endpoints.note(endpoint, result, this.nowMs, this.random)
    }
  }

  #call(tried: readonly string[], held: readonly string[]): void {
    const { nowMs, random, endpoints } = this
    const isHeld = (origin: string): boolean => held.includes(origin)
    const chosen = endpoints.choose({ tried, nowMs, isHeld, random })
    expect(endpoints.list).toContain(chosen)
    const ejected = this.ejected()
    if (ejected.includes(chosen)) expect(ejected).toHaveLength(this.count)
    const ready = endpoints.ready(nowMs, isHeld)
    if (ready.length > 0) expect(ready).toContain(chosen)
    if (ready.some(({ origin }) => !tried.includes(origin))) expect(tried).not.toContain(chosen.origin)
    chosen.begin()
    this.underWay.push({ endpoint: chosen, sentMs: nowMs })
  }

  check(): void {
    expect(this.ejected().length).toBeLessThanOrEqual(this.mostEjected)
    for (const endpoint of this.endpoints.list) {
      expect(endpoint.underWay).toBe(this.underWay.filter((one) => one.endpoint === endpoint).length)
      expect(endpoint.cost(this.nowMs, 10)).toBeGreaterThan(0)
      expect(endpoint.cost(this.nowMs, 10)).toBeLessThan(Infinity)
    }
  }
}

/** Chances that differ, the same in every run of the same seed. */
function chances(seed: number): () => number {
  let state = seed + 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

const seeds = fc.integer({ min: 1, max: 1_000_000 })

test('whatever is asked and comes back: there is a choice, by the rules; nothing under way is lost; enough are left in', () => {
  const ratios = fc.constantFrom(0, 0.5, 0.99, 1)
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      ratios,
      seeds,
      fc.array(step, { maxLength: 150 }),
      (count, ratio, seed, steps) => {
        const work = new Work(count, chances(seed), ratio)
        for (const next of steps) {
          work.take(next)
          work.check()
        }
        while (work.underWay.length > 0) work.take({ kind: 'outcome', which: 0, health: 'unknown', sent: true })
        work.check()
        expect(work.endpoints.list.map(({ underWay }) => underWay)).toEqual(Array.from({ length: count }, () => 0))
        work.take({ kind: 'advance', ms: longestMs + 1 })
        expect(work.ejected()).toEqual([])
      },
    ),
    { numRuns: runCount(300) },
  )
})

/**
 * How many of `calls` one after the other, `width` at a time, each endpoint gets. `latencies` are theirs; one of 1 ms or less
 * is that of a dead one, which refuses.
 */
function shares(seed: number, width: number, calls: number, latencies: readonly number[]): number[] {
  const random = chances(seed)
  const endpoints = new Endpoints({ ...numbers, origins: names.slice(0, latencies.length) })
  const got = latencies.map(() => 0)
  const pending: { endpoint: Endpoint; sentMs: number; dueMs: number }[] = []
  let nowMs = 0
  for (let call = 0; call < calls; call += 1) {
    if (pending.length >= width) {
      pending.sort((one, other) => one.dueMs - other.dueMs)
      const { endpoint, sentMs, dueMs } = pending.shift() as (typeof pending)[number]
      nowMs = Math.max(nowMs, dueMs)
      endpoint.end()
      const health = (latencies[endpoints.list.indexOf(endpoint)] as number) > 1 ? 'well' : 'failing'
      endpoints.note(endpoint, { health, sentMs, durationMs: dueMs - sentMs }, nowMs, random)
    }
    const endpoint = endpoints.choose({ tried: [], nowMs, isHeld: () => false, random })
    const index = endpoints.list.indexOf(endpoint)
    got[index] = (got[index] as number) + 1
    endpoint.begin()
    // Answers vary by a fifth.
    pending.push({ endpoint, sentMs: nowMs, dueMs: nowMs + (latencies[index] as number) * (0.9 + 0.2 * random()) })
  }
  return got
}

describe('the load', () => {
  test('is spread evenly over endpoints that are alike, whether there are few requests at a time or many', () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom(1, 4, 40), fc.integer({ min: 2, max: 5 }), (seed, width, count) => {
        const calls = 2_000
        const got = shares(
          seed,
          width,
          calls,
          Array.from({ length: count }, () => 50),
        )
        for (const share of got) {
          expect(share).toBeGreaterThan((0.7 * calls) / count)
          expect(share).toBeLessThan((1.3 * calls) / count)
        }
      }),
      { numRuns: runCount(30) },
    )
  })

  test('of an endpoint that takes ten times as long is far less, but never none', () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom(1, 4, 40), (seed, width) => {
        const got = shares(seed, width, 4_000, [50, 500, 50])
        const slow = got[1] as number
        expect(slow).toBeGreaterThan(0)
        expect(slow).toBeLessThan(Math.min(got[0] as number, got[2] as number) / 3)
      }),
      { numRuns: runCount(30) },
    )
  })
})

test('a dead endpoint that cannot be left out, since others are, gets next to nothing, however busy the rest is', () => {
  fc.assert(
    fc.property(seeds, fc.constantFrom(1, 40, 400), (seed, width) => {
      const got = shares(seed, width, 8_000, [1, 50, 1, 50, 1])
      const dead = [0, 2, 4].reduce((sum, index) => sum + (got[index] as number), 0)
      expect(dead - (width * 3) / 5).toBeLessThan(8_000 / 20)
    }),
    { numRuns: runCount(30) },
  )
})

describe('the way of one call', () => {
  const open = (): boolean => false

  test('is known to all that is sent for it at the same time: a hedge goes elsewhere than what it is to overtake', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 2, max: 5 }), (seed, count) => {
        const endpoints = new Endpoints({ ...numbers, origins: names.slice(0, count) })
        const route = new EndpointRoute(endpoints, new FakeClock(), open, 0)
        const random = chances(seed)
        const asked = Array.from({ length: 2 * count }, () => route.next('', random).origin)
        expect(new Set(asked.slice(0, count)).size).toBe(count)
        for (const [index, origin] of asked.entries()) expect(origin).not.toBe(asked[index + 1])
      }),
    )
  })

  test('counts as others only those that are worth asking', () => {
    const endpoints = new Endpoints({ ...numbers, ejectAfter: 1, origins: names })
    const clock = new FakeClock()
    const route = new EndpointRoute(endpoints, clock, (origin) => origin === names[4], 0)
    expect(route.others).toBe(4)
    route.next('', () => 0)
    expect(route.others).toBe(3)
    const last = endpoints.list[3] as Endpoint
    endpoints.note(last, { health: 'failing', sentMs: clock.now(), durationMs: 1 }, clock.now(), () => 0)
    expect(route.others).toBe(2)
  })

  test('stays where it is asked to, once', () => {
    const endpoints = new Endpoints({ ...numbers, origins: names })
    const route = new EndpointRoute(endpoints, new FakeClock(), open, 0)
    const random = chances(1)
    const { origin } = route.next('', random)
    route.stays = true
    expect(route.next(origin, random).origin).toBe(origin)
    expect(route.tried).toEqual([origin])
    expect(route.next(origin, random).origin).not.toBe(origin)
  })
})
