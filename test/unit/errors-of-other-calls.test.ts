import { describe, expect, test } from 'vitest'
import { createFetch } from '../../src/index.ts'
import { clientOf, rejection } from '../support/client.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { HeldTransport } from '../support/held-transport.ts'
import { reply } from '../support/scripted-transport.ts'

const target = 'https://api.test/things'

/** What a call came to that took too long. */
async function timeout(): Promise<unknown> {
  const { fetch, clock } = clientOf([() => new Promise(() => {})], { timeoutMs: 10 })
  return rejection(clock.drive(fetch(target)))
}

/** What a call came to that was not sent. */
async function refusal(): Promise<unknown> {
  const { fetch } = clientOf([])
  await fetch.close()
  return rejection(fetch(target))
}

describe('a call that is aborted because another one took too long', () => {
  test('does not count against the origin', async () => {
    const reason = await timeout()
    const clock = new FakeClock()
    const { send: transport } = new HeldTransport(clock.now)
    const fetch = createFetch({ clock, transport, breaker: { consecutiveFailures: 3 }, hedge: true })
    for (let call = 0; call < 5; call += 1) {
      const controller = new AbortController()
      const error = rejection(fetch(target, { signal: controller.signal }))
      await settle()
      controller.abort(reason)
      expect(await error).toBe(reason)
    }
    expect(fetch.breaker(target).state).toBe('closed')
  })

  test('does not count against an endpoint', async () => {
    const reason = await timeout()
    const clock = new FakeClock()
    const held = new HeldTransport(clock.now)
    const endpoints = { origins: ['https://a.test', 'https://b.test'], ejectAfter: 1 }
    const fetch = createFetch({ clock, transport: held.send, random: () => 0, endpoints })
    for (let call = 0; call < 2; call += 1) {
      const controller = new AbortController()
      const error = rejection(fetch('/x', { signal: controller.signal }))
      await settle()
      controller.abort(reason)
      expect(await error).toBe(reason)
    }
    expect(held.sent.map((request) => new URL(request.target).host)).toEqual(['a.test', 'a.test'])
  })
})

test('a call that is aborted because another one was refused is rejected with that very reason', async () => {
  const reason = await refusal()
  const { fetch } = clientOf([reply(503)])
  const controller = new AbortController()
  const error = rejection(fetch(target, { signal: controller.signal }))
  await settle()
  controller.abort(reason)
  expect(await error).toBe(reason)
})

test('a transport that was refused something may have sent the request: no other endpoint gets it', async () => {
  const reason = await refusal()
  const { fetch, sent } = clientOf([reason as Error], { endpoints: ['https://a.test', 'https://b.test'] })
  expect(await rejection(fetch('/x', { method: 'POST' }))).toBe(reason)
  expect(sent).toHaveLength(1)
})
