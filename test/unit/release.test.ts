import { describe, expect, test } from 'vitest'
import { createFetch, fail, pause, type SteadFetch } from '../../src/index.ts'
import { rejection } from '../support/client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { reply } from '../support/scripted-transport.ts'

interface World {
  readonly clock: FakeClock
  readonly fetch: SteadFetch
  /** The paths that were sent and when, in milliseconds after the start. */
  readonly sent: { readonly path: string; readonly atMs: number }[]
  /** Refuses the next request with 429 and this Retry-After, in seconds. */
  refuse(retryAfterS: number): void
}

/** A client whose chance is always a half: a pause is a tenth longer than it was asked for. */
function world(): World {
  const clock = new FakeClock()
  const sent: { path: string; atMs: number }[] = []
  let refusal: Response | undefined
  const startMs = clock.now()
  const transport = async (target: string): Promise<Response> => {
    sent.push({ path: new URL(target).pathname, atMs: clock.now() - startMs })
    const answer = refusal ?? reply(200)
    refusal = undefined
    return answer
  }
  const refuse = (retryAfterS: number): void => {
    refusal = reply(429, { 'retry-after': String(retryAfterS) })
  }
  return { clock, fetch: createFetch({ transport, clock, random: () => 0.5 }), sent, refuse }
}

/** Calls one after the other, `everyMs`, without waiting for their answers. */
async function calls({ clock, fetch }: World, count: number, everyMs: number, name = 'call'): Promise<Promise<Response>[]> {
  const made: Promise<Response>[] = []
  for (let index = 0; index < count; index += 1) {
    made.push(fetch(`https://api.test/${name}-${index}`))
    await clock.advance(everyMs)
  }
  return made
}

const pathsOf = ({ sent }: World): string[] => sent.map(({ path }) => path)

describe('calls that a pause has held are let go', () => {
  test('in the order they came, when all of them will soon be gone', async () => {
    const here = world()
    here.refuse(1)
    const made = await calls(here, 6, 10)
    await here.clock.drive(Promise.all(made))
    expect(pathsOf(here)).toEqual(['/call-0', '/call-0', '/call-1', '/call-2', '/call-3', '/call-4', '/call-5'])
    expect(here.sent[1]?.atMs).toBe(1_100)
    expect(here.clock.armed).toBe(0)
  })

  test('the newest first, when there are far more than the origin has taken before', async () => {
    const here = world()
    // Two a second are known; 40 more come at once.
    await Promise.all(await calls(here, 30, 500))
    here.refuse(2)
    const made = await calls(here, 41, 1, 'burst')
    await here.clock.advance(2_200)
    expect(pathsOf(here).slice(30)).toEqual(['/burst-0', '/burst-0'])
    await here.clock.advance(1_000)
    expect(pathsOf(here).slice(32)).toEqual(['/burst-40', '/burst-39', '/burst-38', '/burst-37', '/burst-36'])
    await here.clock.drive(Promise.allSettled(made))
    expect(here.clock.armed).toBe(0)
  })

  test('no faster than the origin has taken calls before, for the time of the pause and from then on', async () => {
    const here = world()
    await Promise.all(await calls(here, 60, 250))
    const beforeMs = here.clock.now()
    here.refuse(2)
    const made = await calls(here, 61, 1, 'burst')
    await here.clock.advance(2_200 - 61)
    const openMs = here.sent.at(-1)?.atMs ?? 0
    expect(here.clock.now() - beforeMs).toBe(2_200)
    await here.clock.advance(1_000)
    const gone = here.sent.filter(({ atMs }) => atMs > openMs)
    // 4 a second for a pause of 2.2 s, and for the second since then.
    expect(gone.length).toBeGreaterThanOrEqual(7)
    expect(gone.length).toBeLessThanOrEqual(14)
    const gapsMs = gone.slice(1).map(({ atMs }, index) => atMs - (gone[index]?.atMs ?? 0))
    expect(Math.min(...gapsMs)).toBeGreaterThan(50)
    await here.clock.drive(Promise.allSettled(made))
    expect(here.clock.armed).toBe(0)
  })

  test('by one timer, however many there are', async () => {
    const here = world()
    here.refuse(10)
    const made = await calls(here, 1, 1)
    made.push(...Array.from({ length: 500 }, (_nothing, index) => here.fetch(`https://api.test/${index}`)))
    await here.clock.advance(1)
    // One for all time limits of the client, one for the gate.
    expect(here.clock.armed).toBe(2)
    await here.clock.drive(Promise.allSettled(made))
    expect(here.clock.armed).toBe(0)
  })
})

test('a call that comes while others are held goes at the same pace as they do', async () => {
  const here = world()
  here.refuse(10)
  const made = await calls(here, 10, 1)
  await here.clock.advance(11_000)
  const count = here.sent.length
  const late = here.fetch('https://api.test/late')
  await here.clock.advance(0)
  expect(here.sent).toHaveLength(count)
  await here.clock.drive(Promise.all([...made, late]))
  expect(new Set(here.sent.map(({ atMs }) => atMs)).size).toBe(here.sent.length)
})

test('a held call is refused as soon as another answer makes the pause longer than it can wait', async () => {
  const clock = new FakeClock()
  const answers: ((response: Response) => void)[] = []
  const transport = (): Promise<Response> => new Promise((resolve) => answers.push(resolve))
  const fetch = createFetch({ transport, clock, random: () => 0.5 })
  const first = [
    rejection(fetch('https://api.test/a', { maxAttempts: 1 })),
    rejection(fetch('https://api.test/b', { maxAttempts: 1 })),
  ]
  await clock.advance(1)
  answers[0]?.(reply(429, { 'retry-after': '2' }))
  await clock.advance(1)
  const held = rejection(fetch('https://api.test/c', { timeoutMs: 5_000 }))
  await clock.advance(1)
  answers[1]?.(reply(429, { 'retry-after': '20' }))
  await clock.advance(1)
  expect(await held).toMatchObject({ kind: 'paused', attempts: 0, elapsedMs: 1, retryAfterMs: 22_000 })
  await Promise.all(first)
  expect(answers).toHaveLength(2)
  expect(clock.armed).toBe(0)
})

test('a success of a call that did not want to wait does not open the gate before the pause is over', async () => {
  const here = world()
  here.refuse(10)
  const held = await calls(here, 1, 1_000)
  await here.fetch('https://api.test/impatient', { on: { 429: fail() } })
  const later = here.fetch('https://api.test/later')
  await here.clock.drive(Promise.all([...held, later]))
  expect(pathsOf(here)).toEqual(['/call-0', '/impatient', '/call-0', '/later'])
  expect(here.sent[2]?.atMs).toBe(11_000)
})

test('a held call is refused after its maxWaitMs and a fifth, while the probe has no answer', async () => {
  const clock = new FakeClock()
  const answers: ((response: Response) => void)[] = []
  const transport = (): Promise<Response> => new Promise((resolve) => answers.push(resolve))
  const fetch = createFetch({ transport, clock, random: () => 0.5, on: { 429: pause({ maxWaitMs: 5_000 }) } })
  const first = fetch('https://api.test/a')
  await clock.advance(1)
  answers[0]?.(reply(429, { 'retry-after': '4' }))
  await clock.advance(1)
  const held = rejection(fetch('https://api.test/b'))
  await clock.advance(5_990)
  expect(answers).toHaveLength(2)
  await clock.advance(10)
  expect(await held).toMatchObject({ kind: 'paused', attempts: 0, elapsedMs: 6_000 })
  answers[1]?.(reply(200))
  expect((await first).status).toBe(200)
  expect(clock.armed).toBe(0)
})
