import { describe, expect, test } from 'vitest'
import { createFetch, RefusedError, retry } from '../../src/index.ts'
import { rejection } from '../support/client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { reply, scripted } from '../support/scripted-transport.ts'

/** Answers by path. */
function byPath(clock: FakeClock, replies: Record<string, Response>): ReturnType<typeof scripted> {
  return scripted(clock.now, (target) => (replies[new URL(target).pathname] as Response).clone())
}

const limited = reply(429, { 'retry-after': '20' })

describe('a call that is refused at a closed gate is no answer of its origin: the gate stays closed', () => {
  test('when it is the retry of a call that had passed before', async () => {
    const clock = new FakeClock()
    const { transport, sent } = byPath(clock, { '/a': reply(500), '/b': limited, '/c': reply(200) })
    const api = createFetch({ transport, clock, random: () => 0.5, timeoutMs: 5_000, on: { 500: retry({ baseMs: 1_000 }) } })
    const first = rejection(api('https://api.test/a'))
    await clock.advance(10)
    expect(await rejection(api('https://api.test/b', { maxAttempts: 1 }))).toMatchObject({ status: 429 })
    await clock.advance(2_000)
    expect(await first).toMatchObject({ status: 500 })
    expect(await rejection(api('https://api.test/c'))).toBeInstanceOf(RefusedError)
    expect(sent.map(({ target }) => new URL(target).pathname)).toEqual(['/a', '/b'])
  })

  test('when it is a redirect to that origin', async () => {
    const clock = new FakeClock()
    const there = reply(302, { location: 'https://api.test/c' })
    const { transport, sent } = byPath(clock, { '/to': there, '/b': limited, '/c': reply(200) })
    const api = createFetch({ transport, clock, random: () => 0, timeoutMs: 5_000 })
    expect(await rejection(api('https://api.test/b', { maxAttempts: 1 }))).toMatchObject({ status: 429 })
    expect(await rejection(api('https://other.test/to'))).toBeInstanceOf(RefusedError)
    expect(await rejection(api('https://api.test/c'))).toBeInstanceOf(RefusedError)
    expect(sent).toHaveLength(2)
    expect(clock.armed).toBe(0)
  })
})

test('a foreign body of something other than bytes fails the call, and nothing is left waiting', async () => {
  const clock = new FakeClock()
  const texts = new ReadableStream({ start: (controller) => controller.enqueue('text') })
  const api = createFetch({ transport: async () => new Response(texts, { status: 500 }), clock, maxAttempts: 1 })
  expect(await rejection(api('https://api.test/'))).toMatchObject({ status: 500, body: '' })
  expect(clock.armed).toBe(0)
})

test('a random that throws ends the call with its error, after one attempt', async () => {
  const clock = new FakeClock()
  const { transport, sent } = scripted(clock.now, reply(503))
  const broken = new Error('no chance')
  const random = (): number => {
    throw broken
  }
  expect(await rejection(createFetch({ transport, clock, random })('https://api.test/'))).toBe(broken)
  expect(sent).toHaveLength(1)
})

test('a baseUrl with a forbidden port is refused at once', () => {
  expect(() => createFetch({ baseUrl: 'http://api.test:22/' })).toThrow('the forbidden port 22')
})
