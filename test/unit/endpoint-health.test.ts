import { describe, expect, test } from 'vitest'
import { Branch } from '../../src/branch.ts'
import { Exchange } from '../../src/exchange.ts'
import { endpointsLayer, routeLayer } from '../../src/layers/endpoints.ts'
import { Limits } from '../../src/limits.ts'
import { defaults } from '../../src/options/defaults.ts'
import { resolveClient } from '../../src/options/resolve.ts'
import { Endpoint, type Result } from '../../src/policy/endpoint.ts'
import { Endpoints } from '../../src/policy/endpoints.ts'
import { Origins } from '../../src/policy/origins.ts'
import { fail } from '../../src/policy/policies.ts'
import type { AttemptRecord, Handler, Outcome } from '../../src/types/exchange.ts'
import type { EndpointsConfig } from '../../src/types/protection.ts'
import { rejection } from '../support/client.ts'
import { FakeClock } from '../support/fake-clock.ts'

const a = 'https://a.test'
const b = 'https://b.test'
const config: EndpointsConfig = { origins: [a, b], ejectAfter: 3, ejectMs: 1_000, maxEjectMs: 5_000, maxEjectedRatio: 0.5 }
const first = (): number => 0
const endpoint = (): Endpoint => new Endpoint(a, config)

/** Notes a request that was answered, or failed, at `atMs` after `durationMs`. */
function note(one: Endpoint, health: Result['health'], atMs: number, durationMs = 0, sentMs = atMs - durationMs): void {
  one.note({ health, sentMs, durationMs }, atMs)
}

describe('the latency of an endpoint', () => {
  test('jumps to a peak, comes down by and by, and fades while nothing is heard', () => {
    const one = endpoint()
    note(one, 'well', 100, 20)
    note(one, 'well', 200, 500)
    expect(one.latencyMs(200)).toBe(500)
    note(one, 'well', 1_200, 20)
    expect(one.latencyMs(1_200)).toBeGreaterThan(400)
    expect(one.latencyMs(1_200)).toBeLessThan(500)
    expect(one.latencyMs(60_000)).toBeLessThan(2)
  })

  test('is not lowered by failures, which are fast, nor does it fade while there are some', () => {
    const one = endpoint()
    note(one, 'failing', 50, 1)
    expect(one.latencyMs(50)).toBeUndefined()
    note(one, 'well', 100, 200)
    for (let atMs = 1_000; atMs <= 60_000; atMs += 1_000) note(one, 'failing', atMs, 1)
    expect(one.latencyMs(60_000)).toBe(200)
  })

  test('is raised by what was given up after a longer time, but not by what was given up early', () => {
    const one = endpoint()
    note(one, 'well', 100, 200)
    note(one, 'unknown', 5_000, 1)
    expect(one.latencyMs(5_000)).toBeLessThan(200)
    note(one, 'unknown', 6_000, 900)
    expect(one.latencyMs(6_000)).toBe(900)
  })

  test('is not touched by a 429, nor by what was never sent', () => {
    const one = endpoint()
    note(one, 'limiting', 1_000, 1_000)
    one.note({ health: 'unknown', sentMs: undefined, durationMs: 1_000 }, 1_000)
    expect(one.latencyMs(1_000)).toBeUndefined()
  })

  test('of one that is not known is taken to be that of the other', () => {
    const endpoints = new Endpoints(config)
    note(endpoints.list[0] as Endpoint, 'well', 100, 200)
    const choice = { tried: [], nowMs: 100, isHeld: () => false, random: first }
    const chosen = Array.from({ length: 4 }, () => {
      const one = endpoints.choose(choice)
      one.begin()
      return one.origin
    })
    expect(chosen).toEqual([a, b, a, b])
  })
})

describe('failures in a row', () => {
  test('are broken by a success, not by a 429 or what tells nothing', () => {
    const one = endpoint()
    for (const health of ['failing', 'failing', 'well', 'failing', 'limiting', 'failing', 'unknown'] as const)
      note(one, health, 10)
    expect(one.isDue(10)).toBe(false)
    note(one, 'failing', 10)
    expect(one.isDue(10)).toBe(true)
  })

  test('leave out nobody who is alone', () => {
    const endpoints = new Endpoints({ ...config, origins: [a] })
    const [one] = endpoints.list as [Endpoint]
    for (let time = 0; time < 9; time += 1) endpoints.note(one, { health: 'failing', sentMs: 1, durationMs: 1 }, 2, first)
    expect(one.isEjected(2)).toBe(false)
  })
})

describe('an endpoint that was left out', () => {
  const ejected = (): Endpoint => {
    const one = endpoint()
    note(one, 'well', 0, 300)
    for (let time = 0; time < 3; time += 1) note(one, 'failing', 1_000)
    one.eject(1_000, () => 0.5)
    return one
  }

  test('comes back after ejectMs and up to a fifth, as if it were like the others', () => {
    const one = ejected()
    expect([one.isEjected(2_099), one.isEjected(2_100)]).toEqual([true, false])
    expect(one.latencyMs(2_100)).toBeUndefined()
    expect(one.cost(2_100, 70)).toBe(70)
  })

  test('is asked by one request at a time until one was answered well', () => {
    const one = ejected()
    one.begin()
    expect(one.isProbed).toBe(true)
    note(one, 'limiting', 2_100)
    expect(one.isProbed).toBe(true)
    note(one, 'well', 2_200, 10)
    expect(one.isProbed).toBe(false)
  })

  test('does not hear of what was sent before', () => {
    const one = ejected()
    note(one, 'failing', 2_200, 1_500)
    expect(one.isDue(2_200)).toBe(false)
    note(one, 'well', 1_100, 200)
    expect(one.isEjected(1_100)).toBe(true)
    note(one, 'failing', 2_300, 10)
    expect(one.isDue(2_300)).toBe(true)
  })

  test('is back at once when it was asked all the same, and answers', () => {
    const one = ejected()
    note(one, 'well', 1_500, 100)
    expect(one.isEjected(1_500)).toBe(false)
  })

  test('stays away for an ejectMs above maxEjectMs, too', () => {
    const one = new Endpoint(a, { ...config, ejectMs: 9_000 })
    one.eject(0, first)
    expect([one.isEjected(8_999), one.isEjected(9_000)]).toEqual([true, false])
  })

  test('stays away longer each time, until as many good answers in a row have come', () => {
    const one = ejected()
    one.eject(3_000, first)
    expect([one.isEjected(4_999), one.isEjected(5_000)]).toEqual([true, false])
    for (let time = 0; time < 9; time += 1) one.eject(6_000, first)
    expect([one.isEjected(10_999), one.isEjected(11_000)]).toEqual([true, false])
    for (const health of ['well', 'well', 'failing', 'well', 'well', 'well'] as const) note(one, health, 12_000)
    one.eject(13_000, first)
    expect([one.isEjected(13_999), one.isEjected(14_000)]).toEqual([true, false])
  })
})

describe('the layer', () => {
  const through = (next: Handler, href: string) => {
    const clock = new FakeClock()
    const options = resolveClient(defaults, { endpoints: [a, b], clock, random: first }, 'test')
    const origins = new Origins()
    const endpoints = options.endpoints as EndpointsConfig
    const request = { method: 'GET', href, origin: new URL(href).origin, fields: [], content: null }
    const exchange = new Exchange(
      {
        options,
        request,
        requestStream: null,
        terms: { redirect: 'follow', cache: 'default', integrity: '', ownTimeout: false, ownMaxDecoded: false },
        scope: undefined,
      },
      new Limits(clock),
    )
    const handler = routeLayer(origins, endpoints, undefined)(endpointsLayer(origins, endpoints)(next))
    return { exchange, handler, origins, endpoints, list: origins.of(a).part(endpoints, Endpoints).list }
  }

  test.each([
    ['rejects', () => Promise.reject(new Error('thrown'))],
    [
      'throws',
      () => {
        throw new Error('thrown')
      },
    ],
  ])('counts a request no longer when a layer below %s', async (_how, next: Handler) => {
    const { exchange, handler, list } = through(next, `${b}/x`)
    expect(await rejection((async () => handler(exchange))())).toMatchObject({ message: 'thrown' })
    expect(list.map(({ underWay }) => underWay)).toEqual([0, 0])
    expect(exchange.request).toMatchObject({ href: `${a}/x`, origin: a, service: a })
  })

  test('learns nothing from a request that was refused before it was sent', async () => {
    const { exchange, handler, list } = through(
      () => Promise.resolve({ kind: 'failure', error: new Error('refused'), sent: 'no', policy: fail() }),
      `${a}/x`,
    )
    exchange.latest = { startMs: 1, durationMs: 900 } as AttemptRecord
    await handler(exchange)
    expect(list.map((one) => one.latencyMs(1_000))).toEqual([undefined, undefined])
  })

  test('sends what is sent for a call at the same time to different endpoints, and the rest of the call knows', async () => {
    const { exchange, origins, endpoints } = through(() => Promise.reject(new Error('unused')), `${a}/x`)
    const chosen: string[] = []
    const choose = endpointsLayer(
      origins,
      endpoints,
    )(async ({ request }) => {
      chosen.push(request.origin)
      return { kind: 'failure', error: new Error('slow'), sent: 'maybe', policy: fail() }
    })
    const hedged: Handler = async (call) => {
      const branches = [new Branch(call, false), new Branch(call, true)]
      const [outcome] = await Promise.all(branches.map((branch) => choose(branch)))
      branches[0]?.prevail()
      return outcome as Outcome
    }
    await routeLayer(origins, endpoints, undefined)(hedged)(exchange)
    expect(chosen).toEqual([a, b])
    expect(exchange.route).toMatchObject({ tried: [a, b], others: 0 })
    expect(exchange.request).toMatchObject({ origin: a })
  })

  test('leaves a blob: URL alone, whose origin is that of its maker', async () => {
    const { exchange, handler } = through(() => Promise.reject(new Error('seen')), `blob:${a}/1b4e28ba`)
    expect(await rejection(handler(exchange))).toMatchObject({ message: 'seen' })
    expect(exchange.request.href).toBe(`blob:${a}/1b4e28ba`)
  })
})
