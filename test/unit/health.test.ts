import { describe, expect, it } from 'vitest'
import { createFetch } from '../../src/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

const target = 'https://api.example.com/'

/** A client whose requests come to what is asked of it: a status, or a failure. */
function asked(health: object | true = true, options: object = {}) {
  const clock = new FakeClock()
  let next: number | 'lost' = 200
  const fetch = createFetch({
    clock,
    health,
    maxAttempts: 1,
    errors: 'return',
    transport: async () => {
      if (next === 'lost') throw fetchFailed('ECONNRESET')
      return reply(next)
    },
    ...options,
  })
  const told: [string, number][] = []
  for (const name of ['origin.failing', 'origin.recovered'] as const) {
    fetch.on(name, ({ failures }) => told.push([name, failures]))
  }
  const ask = async (result: number | 'lost', times = 1, href = target): Promise<void> => {
    next = result
    for (let count = 0; count < times; count += 1) await fetch(href).catch(() => {})
  }
  return { fetch, clock, told, ask }
}

describe('health()', () => {
  it('tells what became of the requests to each origin, the one that fails most first', async () => {
    const { fetch, ask } = asked()
    await ask(200, 6)
    await ask(503, 3)
    await ask(404)
    await ask('lost', 1, 'https://other.example.com/')
    expect(fetch.health()).toEqual([
      {
        origin: 'https://other.example.com',
        failing: false,
        windowMs: 60_000,
        requests: 1,
        failures: 1,
        failureRatio: 1,
        results: [{ result: 'ERR_STEADFETCH_NETWORK_RESET', count: 1, ratio: 1 }],
      },
      {
        origin: 'https://api.example.com',
        failing: false,
        windowMs: 60_000,
        requests: 10,
        failures: 3,
        failureRatio: 0.3,
        results: [
          { result: '200', count: 6, ratio: 0.6 },
          { result: '503', count: 3, ratio: 0.3 },
          { result: '404', count: 1, ratio: 0.1 },
        ],
      },
    ])
  })

  it('counts every attempt of a call', async () => {
    const { fetch, clock, ask } = asked(true, { maxAttempts: 3 })
    const asking = ask(503)
    await clock.drive(asking)
    expect(fetch.health()).toMatchObject([{ requests: 3, failures: 3 }])
  })

  it('forgets what is older than the window', async () => {
    const { fetch, clock, ask } = asked({ windowMs: 1_000 })
    await ask(503, 2)
    await clock.advance(600)
    await ask(200)
    expect(fetch.health()).toMatchObject([{ requests: 3 }])
    await clock.advance(500)
    expect(fetch.health()).toMatchObject([{ requests: 1, failures: 0, results: [{ result: '200' }] }])
    await clock.advance(2_000)
    expect(fetch.health()).toEqual([])
  })

  it('says nothing of what the caller aborted', async () => {
    const { fetch, ask } = asked()
    await ask(200)
    await fetch(target, { signal: AbortSignal.abort() }).catch(() => {})
    expect(fetch.health()).toMatchObject([{ requests: 1 }])
  })

  it('tells so many results apart, and no more', async () => {
    const { fetch, ask } = asked()
    for (let status = 200; status < 300; status += 1) await ask(status)
    const [health] = fetch.health()
    expect([health?.requests, health?.results.length, health?.results[0]]).toEqual([
      100,
      65,
      { result: 'other', count: 36, ratio: 0.36 },
    ])
  })

  it('is refused by a client that does not count', () => {
    expect(() => createFetch().health()).toThrow(new TypeError('health: the client does not count; set the option health'))
  })
})

describe('the events origin.failing and origin.recovered', () => {
  it('come once each, when the ratio is passed and when half of it is left', async () => {
    const { clock, told, ask } = asked({ failureRatio: 0.2, minVolume: 10, windowMs: 10_000 })
    await ask(503, 9)
    expect(told).toEqual([])
    await ask(503, 3)
    expect(told).toEqual([['origin.failing', 10]])
    await ask(200, 50)
    expect(told).toHaveLength(1)
    await ask(200, 100)
    expect(told).toEqual([
      ['origin.failing', 10],
      ['origin.recovered', 12],
    ])
    await clock.advance(20_000)
    await ask(503, 10)
    expect(told.at(-1)).toEqual(['origin.failing', 10])
  })

  it('do not come from a 404', async () => {
    const { told, ask } = asked()
    await ask(404, 100)
    expect(told).toEqual([])
  })
})

describe('the option health', () => {
  it.each([
    [{ failureRatio: 2 }, 'createFetch: health: failureRatio must be a number from 0 to 1, got 2'],
    [{ windowMs: 0 }, 'createFetch: health: windowMs must be a number of at least 1, got 0'],
    [{ window: 1 }, 'createFetch: health: unknown option "window"'],
    ['yes', 'createFetch: health must be true, false or an object, got "yes"'],
  ])('is checked: %j', (health, message) => {
    expect(() => createFetch({ health: health as never })).toThrow(message)
  })
})
