import { AsyncLocalStorage } from 'node:async_hooks'
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type ClientOptions, type EventName, eventNames, type SteadFetch } from '../../src/index.ts'
import { clientOf, rejection } from '../support/client.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'
import { uncaught } from '../support/uncaught.ts'

const target = 'https://api.example.com/a?token=hidden'

/** All that a client tells, as names and details. */
function heardFrom(fetch: SteadFetch): [EventName, Record<string, unknown>][] {
  const heard: [EventName, Record<string, unknown>][] = []
  for (const name of eventNames) fetch.on(name, (event) => heard.push([name, { ...event }]))
  return heard
}

const namesOf = (heard: readonly [EventName, object][]): EventName[] => heard.map(([name]) => name)

describe('the events of a call', () => {
  it('tell of its attempts, its retries and its end, with one number and no secret', async () => {
    const { fetch, clock } = clientOf([reply(503), fetchFailed('ECONNREFUSED'), reply(200)])
    const heard = heardFrom(fetch)
    await clock.drive(fetch(target))
    expect(namesOf(heard)).toEqual([
      ...['call.started', 'attempt.started', 'attempt.failed', 'retry.scheduled'],
      ...['attempt.started', 'attempt.failed', 'retry.scheduled'],
      ...['attempt.started', 'attempt.succeeded', 'call.ended'],
    ])
    const numbers = new Set(heard.map(([, { call }]) => call))
    expect([...numbers]).toEqual([expect.any(Number)])
    const request = { method: 'GET', url: 'https://api.example.com/a?token=***' }
    for (const [, event] of heard) expect(event).toMatchObject({ request, atMs: expect.any(Number) })
    expect(heard[2]?.[1]).toMatchObject({ attempt: 1, result: { status: 503, startMs: 0 } })
    expect(heard[3]?.[1]).toMatchObject({ attempt: 2, status: 503, waitMs: 50, reason: 'backoff' })
    expect(heard[6]?.[1]).toMatchObject({ attempt: 3, error: expect.any(String), waitMs: 100 })
    expect(heard[8]?.[1]).toMatchObject({ attempt: 3, result: { status: 200 }, atMs: 150 })
    expect(heard[9]?.[1]).toMatchObject({ status: 200, atMs: 150, trace: { totalMs: 150, attempts: [{}, {}, {}] } })
    expect(JSON.stringify(heard)).not.toContain('hidden')
  })

  it('tell why it was not repeated, and what it threw', async () => {
    const { fetch, clock } = clientOf([reply(503)])
    const heard = heardFrom(fetch)
    await rejection(clock.drive(fetch(target, { method: 'POST' })))
    expect(namesOf(heard)).toEqual([...['call.started', 'attempt.started', 'attempt.failed', 'retry.refused', 'call.ended']])
    expect(heard[3]?.[1]).toMatchObject({ status: 503, why: 'method is not idempotent' })
    expect(heard[4]?.[1]).toMatchObject({ status: 503, error: 'ERR_STEADFETCH_HTTP_503' })
  })

  it('have another number for each call', async () => {
    const { fetch } = clientOf([reply(200)])
    const heard = heardFrom(fetch)
    await fetch(target)
    await fetch(target)
    const started = heard.filter(([name]) => name === 'call.started').map(([, { call }]) => call)
    expect(new Set(started).size).toBe(2)
  })

  it.each<[string, readonly EventName[], Response[], ClientOptions, number]>([
    [
      'a redirect',
      ['redirect.followed', 'redirect.refused'],
      [reply(302, { location: '/b' }), reply(302, { location: 'ftp://x/' })],
      {},
      1,
    ],
    ['a pause', ['pause.started', 'pause.ended'], [reply(429, { 'retry-after': '2' }), reply(200)], {}, 1],
    ['the cache', ['cache.stored', 'cache.hit'], [reply(200, { 'cache-control': 'max-age=60' }, 'content')], { cache: true }, 2],
    [
      'a validation',
      ['cache.stored', 'cache.revalidated', 'cache.stored'],
      [reply(200, { 'cache-control': 'max-age=0', etag: '"1"' }, 'content'), reply(304, { etag: '"1"' })],
      { cache: true },
      2,
    ],
    [
      'what stands in for an error',
      ['cache.stored', 'cache.stale'],
      [reply(200, { 'cache-control': 'max-age=0, stale-if-error=60', etag: '"1"' }, 'content'), reply(503)],
      { cache: true, maxAttempts: 1 },
      2,
    ],
    [
      'a breaker',
      ['breaker.opened', 'breaker.halfOpened', 'breaker.closed'],
      [reply(500), reply(200)],
      { breaker: { consecutiveFailures: 1, probes: 1 }, maxAttempts: 1 },
      3,
    ],
    ['a budget', ['budget.emptied'], [reply(503), reply(200)], { retryBudget: { capacity: 5 } }, 1],
  ])('tell of %s', async (_what, names, replies, options, calls) => {
    const { fetch, clock } = clientOf(replies, options)
    const heard = heardFrom(fetch)
    for (let count = 0; count < calls; count += 1) {
      await clock.drive(
        (async () => {
          try {
            await (await fetch(target)).text()
          } catch {
            // What was thrown is told, too.
          }
        })(),
      )
      if ('breaker' in options) await clock.advance(5_000)
    }
    const kinds = new Set(names.map((name) => name.split('.')[0]))
    const told = heard.filter(([name]) => kinds.has(name.split('.')[0]))
    expect(namesOf(told)).toEqual(names)
    for (const [, event] of told) expect(event).toMatchObject({ call: expect.any(Number), request: { method: 'GET' } })
  })
})

describe('a listener', () => {
  it('of a client hears those that were extended from it, and not those beside it', async () => {
    const { fetch } = clientOf([reply(200)])
    const heard: string[] = []
    const child = fetch.extend({})
    fetch.on('call.ended', () => heard.push('parent'))
    child.on('call.ended', () => heard.push('child'))
    await fetch(target)
    expect(heard).toEqual(['parent'])
    await child(target)
    expect(heard).toEqual(['parent', 'child', 'parent'])
    await clientOf([reply(200)]).fetch(target)
    expect(heard).toHaveLength(3)
  })

  it('is taken away by what on() gives', async () => {
    const { fetch } = clientOf([reply(200)])
    const listener = vi.fn()
    const removals = [fetch.on('call.ended', listener), fetch.on('call.ended', listener)]
    await fetch(target)
    expect(listener).toHaveBeenCalledTimes(2)
    removals[0]?.()
    removals[0]?.()
    await fetch(target)
    expect(listener).toHaveBeenCalledTimes(3)
    removals[1]?.()
    await fetch(target)
    expect(listener).toHaveBeenCalledTimes(3)
  })

  it('that throws fails no call, and keeps no other from hearing', async () => {
    const { fetch } = clientOf([reply(200)])
    const own = new Error('the listener failed')
    const thrown = uncaught()
    const second = vi.fn()
    fetch.on('attempt.started', () => {
      throw own
    })
    fetch.on('attempt.started', second)
    expect((await fetch(target)).status).toBe(200)
    expect(await thrown).toBe(own)
    expect(second).toHaveBeenCalledOnce()
  })

  it('runs in the AsyncLocalStorage context of the call', async () => {
    const { fetch, clock } = clientOf([reply(503), reply(200)])
    const storage = new AsyncLocalStorage<string>()
    const contexts: [EventName, string | undefined][] = []
    for (const name of eventNames) fetch.on(name, () => contexts.push([name, storage.getStore()]))
    await clock.drive(storage.run('of the call', () => fetch(target)))
    expect(contexts.length).toBeGreaterThan(5)
    expect(contexts.filter(([, context]) => context !== 'of the call')).toEqual([])
  })

  it.each([
    ['an unknown event', ['retry', () => {}], 'on: unknown event "retry"'],
    ['a name of Object.prototype', ['constructor', () => {}], 'on: unknown event "constructor"'],
    ['what is no function', ['call.ended', 'log'], 'on: the listener must be a function, got string'],
  ])('is refused: %s', (_case, [name, listener], message) => {
    const { fetch } = clientOf([reply(200)])
    expect(() => fetch.on(name as EventName, listener as () => void)).toThrow(new TypeError(message))
  })
})

describe('the channels of node:diagnostics_channel', () => {
  it.each(eventNames)('has one for %s', (name) => {
    expect(channel(`steadfetch:${name}`).hasSubscribers).toBe(false)
  })

  it('tell the same of every client', async () => {
    const heard: unknown[] = []
    const listener = (event: unknown): void => void heard.push(event)
    subscribe('steadfetch:attempt.succeeded', listener)
    onTestFinished(() => void unsubscribe('steadfetch:attempt.succeeded', listener))
    const { fetch } = clientOf([reply(200)])
    const own: unknown[] = []
    fetch.on('attempt.succeeded', (event) => own.push(event))
    await fetch(target)
    expect(heard).toHaveLength(1)
    expect(own[0]).toBe(heard[0])
  })
})
