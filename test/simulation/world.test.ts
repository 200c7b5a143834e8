import { describe, expect, test } from 'vitest'
import { arrivalsOf } from './arrivals.ts'
import { chanceOf, exponential } from './chance.ts'
import type { Open } from './client.ts'
import { clients } from './clients.ts'
import { VirtualClock } from './clock.ts'
import { FixedWindowLimiter } from './limiter.ts'
import type { ScenarioName } from './scenarios.ts'
import { Station } from './station.ts'
import { simulate } from './world.ts'

const never = (): boolean => false

/** A few processes, a few seconds. */
const small = {
  seed: 1,
  load: 1,
  processes: 4,
  capacity: 1,
  phases: { healthyMs: 1_000, faultMs: 2_000, afterMs: 1_000, drainMs: 3_000 },
} as const

describe('the clock', () => {
  test('runs events in their order, those of one moment in the order of their entry, and not the cancelled ones', async () => {
    const clock = new VirtualClock()
    const ran: string[] = []
    clock.after(5, () => ran.push(`late at ${clock.now()}`))
    clock.after(2, () => ran.push('first of two'))
    clock.quietly(2, () => ran.push('second of two'))
    clock.after(3, () => ran.push('never'))()
    await clock.run(never)
    expect(ran).toEqual(['first of two', 'second of two', 'late at 5'])
  })

  test('lets every promise settle before the next event', async () => {
    const clock = new VirtualClock()
    const ran: string[] = []
    clock.after(1, async () => {
      for (let turn = 0; turn < 50; turn += 1) await undefined
      ran.push(`settled at ${clock.now()}`)
    })
    clock.after(1.001, () => ran.push('next'))
    await clock.run(never)
    expect(ran).toEqual(['settled at 1', 'next'])
  })
})

describe('chance', () => {
  test('has a stream for each seed and purpose, which is always the same', () => {
    const draw = (...purpose: string[]): number[] => Array.from({ length: 3 }, chanceOf(1, ...purpose))
    expect(draw('client')).toEqual(draw('client'))
    expect(draw('client')).not.toEqual(draw('server'))
    expect(Array.from({ length: 3 }, chanceOf(2, 'client'))).not.toEqual(draw('client'))
  })

  test('is uniform', () => {
    const chance = chanceOf(7, 'uniform')
    const tenths = new Array<number>(10).fill(0)
    for (let draw = 0; draw < 100_000; draw += 1) {
      const tenth = Math.floor(chance() * 10)
      tenths[tenth] = (tenths[tenth] as number) + 1
    }
    for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(400)
  })
})

describe('a station', () => {
  const stationOf = (clock: VirtualClock, workers: number, serviceMs = () => 10): Station =>
    new Station({ clock, workers, queueLimit: 3, serviceMs })

  test('serves in the order of arrival, and turns away what finds the queue full', async () => {
    const clock = new VirtualClock()
    const station = stationOf(clock, 1)
    const ends: string[] = []
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      station.arrive((served) => ends.push(`${name} ${served ? 'served' : 'turned away'} at ${clock.now()}`))
    }
    await clock.run(never)
    expect(ends).toEqual(['e turned away at 0', 'a served at 10', 'b served at 20', 'c served at 30', 'd served at 40'])
  })

  test('ends what it is at when workers leave, and begins at once when they come back', async () => {
    const clock = new VirtualClock()
    const station = stationOf(clock, 2)
    const ends: number[] = []
    for (let request = 0; request < 5; request += 1) station.arrive(() => ends.push(clock.now()))
    clock.quietly(5, () => station.staff(1))
    clock.quietly(25, () => station.staff(2))
    await clock.run(never)
    expect(ends).toEqual([10, 10, 20, 30, 35])
  })

  test('is as busy, and lets wait as long, as queueing theory says', async () => {
    const clock = new VirtualClock()
    const [workers, perMs, meanMs, untilMs] = [4, 0.4, 8, 400_000]
    const chance = chanceOf(3, 'service')
    let workMs = 0
    const station = new Station({
      clock,
      workers,
      queueLimit: Infinity,
      serviceMs: () => {
        const ms = exponential(meanMs, chance)
        workMs += ms
        return ms
      },
    })
    let [stayedMs, count] = [0, 0]
    for (const atMs of arrivalsOf([{ untilMs, callsPerSecond: perMs * 1_000 }], chanceOf(3, 'arrivals'))) {
      clock.quietly(atMs, () => station.arrive(() => (stayedMs += clock.now() - atMs)))
      count += 1
    }
    await clock.run(never)
    const load = perMs * meanMs
    expect(workMs / (workers * untilMs)).toBeCloseTo(load / workers, 1)
    const waitedMs = stayedMs / count - workMs / count
    expect(Math.abs(waitedMs / ((erlangC(workers, load) * meanMs) / (workers - load)) - 1)).toBeLessThan(0.05)
  })
})

/** The share of arrivals that must wait, of a load in erlangs. */
function erlangC(workers: number, load: number): number {
  let [term, sum] = [1, 0]
  for (let busy = 0; busy < workers; busy += 1) {
    sum += term
    term *= load / (busy + 1)
  }
  const waiting = (term * workers) / (workers - load)
  return waiting / (sum + waiting)
}

test('the limiter lets so many through per window, and tells the whole seconds until the next one', () => {
  const limiter = new FixedWindowLimiter({ windowMs: 2_000, limit: 2 })
  const moments = [0, 100, 100, 1_001, 1_999.5, 2_000, 2_500, 3_999, 4_000]
  expect(moments.map((wallMs) => limiter.admit(wallMs))).toEqual([
    undefined,
    undefined,
    2,
    1,
    1,
    undefined,
    undefined,
    1,
    undefined,
  ])
})

describe('a world', () => {
  const startsWith = async (client: string, scenario: ScenarioName): Promise<readonly number[]> =>
    (await simulate(clients[client] as Open, { ...small, scenario })).calls.startMs

  test('sees the same calls whatever the client makes of them', async () => {
    const [first, ...others] = await Promise.all(['none', 'steadfetch', 'AWS'].map((client) => startsWith(client, 'errors')))
    expect(first?.length).toBeGreaterThan(150)
    for (const starts of others) expect(starts).toEqual(first)
  })

  test('has four times the calls in a burst', async () => {
    const { calls, faultFromMs, faultUntilMs } = await simulate(clients.none as Open, {
      ...small,
      scenario: 'burst',
      processes: 40,
    })
    const during = calls.startMs.filter((ms) => ms >= faultFromMs && ms < faultUntilMs).length
    expect(Math.abs(during / ((14 * 40 * (faultUntilMs - faultFromMs)) / 1_000) - 4)).toBeLessThan(0.15)
  })

  test('ends the work of a request that was given up', async () => {
    let [answered, givenUp] = [0, 0]
    const impatient: Open = (surroundings) => (call) =>
      new Promise((resolve) => {
        surroundings.clock.after(1, () => {
          givenUp += 1
          resolve(false)
        })
        surroundings.send(call, 0, () => {
          answered += 1
        })
      })
    await simulate(impatient, { ...small, scenario: 'brownout' })
    expect(givenUp).toBeGreaterThan(150)
    // The last ones may still be on their way when the world ends with its last call.
    expect(givenUp - answered).toBeLessThan(3)
  })

  test('counts each request for the call that sent it', async () => {
    const { calls, faultFromMs, faultUntilMs } = await simulate(clients['axios-retry'] as Open, { ...small, scenario: 'outage' })
    const requests = calls.requests.filter((_, call) => {
      const startMs = calls.startMs[call] as number
      return startMs >= faultFromMs && startMs < faultUntilMs - 100
    })
    expect(new Set(requests)).toEqual(new Set([4]))
  })
})
