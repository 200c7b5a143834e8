import { describe, expect, test } from 'vitest'
import {
  createFetch,
  fallback,
  type RefusedError,
  remainingMs,
  retry,
  type SteadInit,
  TimeoutError,
  type TransportInit,
  traceOf,
  withDeadline,
} from '../../src/index.ts'
import { clientOf, gaps, rejection } from '../support/client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { reply, scripted } from '../support/scripted-transport.ts'

const target = 'https://api.test/things'
const never = (): Promise<Response> => new Promise(() => {})

describe('a deadline', () => {
  test('ends the calls within it, before their own limit', async () => {
    const { fetch, clock } = clientOf([never])
    const error = withDeadline(2_000, () => rejection(fetch(target)), { clock })
    await clock.advance(1_999)
    expect(clock.armed).toBe(1)
    await clock.advance(1)
    expect(await error).toBeInstanceOf(TimeoutError)
    expect(await error).toMatchObject({ kind: 'deadline', code: 'ERR_STEADFETCH_TIMEOUT_DEADLINE', elapsedMs: 2_000 })
    expect(clock.armed).toBe(0)
  })

  test('does not lengthen a limit of the call', async () => {
    const { fetch, clock } = clientOf([never], { timeoutMs: 500 })
    const error = withDeadline(2_000, () => rejection(fetch(target)), { clock })
    await clock.advance(500)
    expect(await error).toMatchObject({ kind: 'call' })
  })

  test('is not waited beyond: the real error is thrown at once', async () => {
    const { fetch, clock, sent } = clientOf([reply(503, { 'retry-after': '5' })])
    const error = await withDeadline(2_000, () => rejection(fetch(target)), { clock })
    expect(sent).toHaveLength(1)
    expect(traceOf(error)).toMatchObject({ notRepeated: 'wait does not fit into timeoutMs', totalMs: 0 })
  })

  test('within a deadline can only be earlier', async () => {
    const clock = new FakeClock()
    const read = (): number => remainingMs()
    expect(withDeadline(1_000, () => withDeadline(5_000, read, { clock }), { clock })).toBe(1_000)
    expect(withDeadline(1_000, () => withDeadline(500, read, { clock }), { clock })).toBe(500)
    expect(remainingMs()).toBe(Infinity)
  })

  test('on another clock leaves the call the same number of milliseconds', async () => {
    const { fetch, clock } = clientOf([never])
    const other = new FakeClock()
    await other.advance(77_000)
    const error = withDeadline(2_000, () => rejection(fetch(target)), { clock: other })
    await Promise.all([clock.advance(2_000), other.advance(2_000)])
    await clock.advance(1)
    expect(await error).toMatchObject({ kind: 'deadline' })
  })

  test('bounds a body that is taken as a stream, too, which the limit of the client does not', async () => {
    const endless = (): Response => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))
    const { fetch, clock } = clientOf([endless], { idleTimeoutMs: false, timeoutMs: 1_000 })
    const read = withDeadline(
      2_000,
      async () => {
        const reader = (await fetch(target)).body?.getReader()
        return rejection(reader?.read() as Promise<unknown>)
      },
      { clock },
    )
    await clock.advance(2_000)
    expect(await read).toMatchObject({ kind: 'deadline' })
  })

  test.each([[-1], [Number.NaN], ['5']])('must be a number of milliseconds, not %j', (value) => {
    expect(() => withDeadline(value as number, () => 1)).toThrow(TypeError)
  })

  test('reads its options as own properties only', async () => {
    const prototype = Object.prototype as Record<string, unknown>
    prototype.repeated = true
    try {
      const { fetch, clock, sent } = clientOf([reply(503), reply(200)])
      await clock.drive(withDeadline(5_000, () => fetch(target)))
      expect(sent).toHaveLength(2)
    } finally {
      delete prototype.repeated
    }
  })

  test('of zero ends a call before anything is sent', async () => {
    const { fetch, clock, sent } = clientOf([reply(200)])
    const error = withDeadline(0, () => rejection(fetch(target)), { clock })
    await clock.advance(0)
    expect(await error).toMatchObject({ kind: 'deadline' })
    expect(String(await error)).toContain('the deadline that the call inherited left it no time')
    expect(sent).toHaveLength(0)
  })
})

describe('calls within a call', () => {
  test('a substitute that is fetched inherits what is left of the call', async () => {
    const clock = new FakeClock()
    const mirror = clientOf([never], { clock }).fetch
    const { transport } = scripted(clock.now, () => reply(410))
    const fetch = createFetch({
      transport,
      clock,
      timeoutMs: 3_000,
      on: { 410: fallback(() => mirror('https://mirror.test/')) },
    })
    const error = rejection(fetch(target))
    await clock.advance(3_000)
    expect(await error).toMatchObject({ kind: 'call' })
    expect(clock.armed).toBe(0)
  })

  test('a client that repeats by a policy alone multiplies no attempts of its transport', async () => {
    const { fetch: inner, clock, sent } = clientOf([reply(503)], { errors: 'return' })
    const transport = (url: string, init: TransportInit): Promise<Response> => inner(url, init as SteadInit)
    const outer = createFetch({ transport, clock, maxAttempts: 1, on: { 503: retry({ maxAttempts: 4 }) } })
    await rejection(clock.drive(outer(target)))
    expect(sent).toHaveLength(4)
  })

  test('a client whose transport is another client multiplies no attempts', async () => {
    const clock = new FakeClock()
    const { transport, sent } = scripted(clock.now, reply(503))
    const options = { clock, random: () => 0.5 }
    const inner = createFetch({ ...options, transport, errors: 'return' })
    const outer = createFetch({ ...options, transport: (href, init) => inner(href, init as RequestInit) })
    const error = await clock.drive(rejection(outer(target)))
    expect(sent).toHaveLength(3)
    expect(gaps(sent)).toEqual([50, 100])
    expect(traceOf(error)?.attempts).toHaveLength(3)
  })

  test('the inner client tells that it left the retry to the outer one', async () => {
    const clock = new FakeClock()
    const { transport, sent } = scripted(clock.now, reply(503))
    const inner = createFetch({ clock, transport })
    const errors: unknown[] = []
    const outer = createFetch({
      clock,
      maxAttempts: 2,
      transport: async (href, init) => {
        errors.push(await rejection(inner(href, init as RequestInit)))
        return reply(503)
      },
    })
    await clock.drive(rejection(outer(target)))
    expect(sent).toHaveLength(2)
    expect(traceOf(errors[0])?.notRepeated).toBe('retried by an outer call')
  })

  test('the inner client repeats when the outer one does not', async () => {
    const clock = new FakeClock()
    const { transport, sent } = scripted(clock.now, reply(503))
    const inner = createFetch({ clock, transport, errors: 'return' })
    const outer = createFetch({ clock, maxAttempts: 1, transport: (href, init) => inner(href, init as RequestInit) })
    await clock.drive(rejection(outer(target)))
    expect(sent).toHaveLength(3)
  })

  test('a service whose caller repeats sends once', async () => {
    const { fetch, clock, sent } = clientOf([reply(503)])
    const error = await withDeadline(5_000, () => clock.drive(rejection(fetch(target))), { clock, repeated: true })
    expect(sent).toHaveLength(1)
    expect((error as RefusedError).message).toContain('not repeated: retried by an outer call')
  })
})

describe('deadlineField', () => {
  test('tells each attempt how long the origin has, and not longer than the attempt', async () => {
    const { fetch, clock, sent } = clientOf([reply(503), reply(503), reply(200)], {
      deadlineField: 'Request-Timeout-Ms',
      timeoutMs: 1_000,
      attemptTimeoutMs: 900,
    })
    await clock.drive(fetch(target))
    expect(gaps(sent)).toEqual([50, 100])
    expect(sent.map(({ init }) => new Headers(init.headers).get('request-timeout-ms'))).toEqual(['900', '900', '850'])
  })

  test('is not sent where there is no limit, and tells of an inherited deadline', async () => {
    const { fetch, clock, sent } = clientOf([reply(200)], {
      deadlineField: 'x-timeout',
      timeoutMs: false,
      attemptTimeoutMs: false,
    })
    await fetch(target)
    await withDeadline(700, () => fetch(target), { clock })
    expect(sent.map(({ init }) => new Headers(init.headers).get('x-timeout'))).toEqual([null, '700'])
  })

  test.each(['', 'a b', 'transfer-encoding', 5])('refuses %j', (deadlineField) => {
    expect(() => createFetch({ deadlineField: deadlineField as string })).toThrow('deadlineField must be the name of a field')
  })
})
