import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { createFetch, refresh } from '../../src/index.ts'
import { clientOf, rejection } from '../support/client.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { reply } from '../support/scripted-transport.ts'

const target = 'https://api.test/things'
const broken = new Error('out of order')

/** A source that throws once, after so many more readings. */
function breakable<Value>(source: () => Value): { (): Value; after: number } {
  const run = (): Value => {
    run.after -= 1
    if (run.after === -1) throw broken
    return source()
  }
  run.after = Infinity
  return run
}

/** A failed response whose content never ends. */
function openEnded(): { response: Response; isCancelled: () => boolean } {
  let cancelled = false
  const cancel = (): void => {
    cancelled = true
  }
  const body = new ReadableStream({ pull: () => new Promise(() => {}), cancel })
  return { response: new Response(body, { status: 500 }), isCancelled: () => cancelled }
}

describe('a source of chance that throws', () => {
  test('ends the call before it is sent, and lets go of its signal', async () => {
    const random = breakable(() => 0.99)
    const { fetch, clock } = clientOf([reply(500)], { throttle: { minVolume: 1 }, maxAttempts: 1, random })
    for (let call = 0; call < 5; call += 1) await rejection(fetch(target))
    random.after = 0
    const { signal } = new AbortController()
    expect(await rejection(fetch(target, { signal }))).toBe(broken)
    expect(getEventListeners(signal, 'abort')).toEqual([])
    expect(clock.armed).toBe(0)
  })

  test('ends the call in front of a retry, and lets the failed response go', async () => {
    const { response, isCancelled } = openEnded()
    const random = breakable(() => 0.5)
    const { fetch, clock } = clientOf([() => response], { random })
    random.after = 0
    expect(await rejection(fetch(target))).toBe(broken)
    expect(isCancelled()).toBe(true)
    expect(clock.armed).toBe(0)
  })

  test('ends the call when an endpoint is to be left out, and lets its response go', async () => {
    const { response, isCancelled } = openEnded()
    const random = breakable(() => 0.5)
    const endpoints = { origins: ['https://a.test', 'https://b.test'], ejectAfter: 1 }
    const { fetch } = clientOf([() => response], { random, endpoints })
    random.after = 2
    expect(await rejection(fetch('/things'))).toBe(broken)
    expect(isCancelled()).toBe(true)
  })
})

test('a clock that throws makes a call reject, not throw', async () => {
  const clock = new FakeClock()
  const now = breakable(clock.now)
  clock.now = now
  const fetch = createFetch({ clock, throttle: { minVolume: 1 }, maxAttempts: 1, transport: async () => reply(500) })
  await rejection(fetch(target))
  const { signal } = new AbortController()
  now.after = 1
  const call = fetch(target, { signal })
  expect(await rejection(call)).toBe(broken)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test.each(Array.from({ length: 16 }, (_, reading) => reading))(
  'a clock that throws at reading %i of a call with credentials and cookies leaves nothing behind',
  async (reading) => {
    const clock = new FakeClock()
    const now = breakable(clock.now)
    clock.now = now
    const policy = refresh(() => ({ authorization: 'x' }), { eager: true })
    const cookies = { getCookieString: async () => 'a=b', setCookie: async () => {} }
    let requests = 0
    const transport = async (): Promise<Response> => reply(requests++ === 0 ? 401 : 204, { 'set-cookie': 'a=b' })
    const fetch = createFetch({ clock, cookies, transport, on: { 401: policy } })
    const { signal } = new AbortController()
    now.after = reading
    const result = await fetch(target, { signal }).catch((error: unknown) => error)
    now.after = Infinity
    expect(result instanceof Response ? result.status : result).toBe(result instanceof Response ? 204 : broken)
    expect([getEventListeners(signal, 'abort').length, clock.armed]).toEqual([0, 0])
    expect((await fetch(target)).status).toBe(204)
  },
)

describe('a slot comes back when the clock throws', () => {
  const limits = [
    ['fixed', 1],
    ['adaptive', { initialLimit: 1, maxLimit: 1 }],
  ] as const
  /** The readings of the clock by a call that waits for its turn, and is answered. */
  const readings = 16

  test.each(limits)('under a limit that is %s, wherever that happens', async (_name, concurrency) => {
    for (let after = 0; after < readings; after += 1) {
      const clock = new FakeClock()
      const now = breakable(clock.now)
      clock.now = now
      const answers: (() => void)[] = []
      const transport = (): Promise<Response> => new Promise((resolve) => answers.push(() => resolve(reply(200))))
      const fetch = createFetch({ clock, concurrency, deadlineField: 'x-left-ms', maxAttempts: 1, transport })
      const calls = [fetch(target), fetch(target)].map((call) => call.catch(() => {}))
      now.after = after
      calls.push(fetch(target).catch(() => {}))
      for (let turn = 0; turn < 4; turn += 1) {
        await settle()
        answers.shift()?.()
      }
      await Promise.all(calls)
      now.after = Infinity
      const last = fetch(target)
      await settle()
      expect(answers, `the clock threw at reading ${after}`).toHaveLength(1)
      answers.shift()?.()
      await last
    }
  })
})
