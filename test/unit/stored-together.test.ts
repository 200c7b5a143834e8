import type { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { type ClientOptions, createFetch, type SteadFetch, traceOf } from '../../src/index.ts'
import { MemoryStore } from '../../src/policy/memory-store.ts'
import { arriving } from '../support/arriving.ts'
import { controlled } from '../support/cache.ts'
import { clientOf, rejection } from '../support/client.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { HeldTransport } from '../support/held-transport.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

class CountingStore extends MemoryStore {
  writes = 0

  override createWriteStream(...args: Parameters<MemoryStore['createWriteStream']>): Writable {
    this.writes += 1
    return super.createWriteStream(...args)
  }
}

const target = 'https://a.test/things'
const text = async (response: Promise<Response>): Promise<string> => (await response).text()

function holding(options: ClientOptions): { clock: FakeClock; held: HeldTransport; fetch: SteadFetch } {
  const clock = new FakeClock()
  const held = new HeldTransport(clock.now)
  return { clock, held, fetch: createFetch({ transport: held.send, clock, random: () => 0.5, ...options }) }
}

describe('after a change nobody gets what was asked before it', () => {
  test.each([
    ['a redirect leads to', (fetch: SteadFetch) => text(fetch('https://a.test/items', { method: 'POST' })), 303, 'location'],
    ['its answer names as its location', (fetch: SteadFetch) => posted(fetch), 201, 'location'],
    ['its answer describes', (fetch: SteadFetch) => posted(fetch), 200, 'content-location'],
  ])('which %s', async (_what, change, status, name) => {
    const { clock, held, fetch } = holding({ coalesce: true })
    const before = text(fetch(target))
    await settle()
    const after = change(fetch)
    await settle()
    await held.sent[1]?.answer(reply(status, { [name]: '/things#top' }))
    expect(held.paths).toEqual(['/things', '/items', '/things'])
    await held.sent[0]?.answer(reply(200, {}, 'old'))
    await held.sent[2]?.answer(reply(200, {}, 'new'))
    expect([await before, await after]).toEqual(['old', 'new'])
    expect([held.underWay, clock.armed]).toEqual([0, 0])
  })

  async function posted(fetch: SteadFetch): Promise<string> {
    await fetch('https://a.test/items', { method: 'POST' })
    return text(fetch(target))
  }

  test('by whichever name of an endpoint it was asked for', async () => {
    const origin = (asked: string, { method }: { method: string }): Response => {
      if (method === 'PUT') return reply(204)
      return asked.endsWith('/moved') ? reply(307, { location: '/things' }) : controlled('max-age=60', String(sent.length))
    }
    const { fetch, sent } = clientOf([origin], {
      cache: true,
      baseUrl: 'https://a.test',
      endpoints: ['https://one.test', 'https://two.test'],
    })
    expect(await text(fetch('moved'))).toBe('2')
    expect(await text(fetch('things'))).toBe('2')
    await fetch('things', { method: 'PUT' })
    expect(await text(fetch('moved'))).toBe('5')
    expect(sent.length).toBe(5)
  })
})

describe('what is stored', () => {
  test('of one answer to many calls is one copy, which whoever has not left stores, and so it is of a validation', async () => {
    const store = new CountingStore({ maxEntryBytes: 100_000, maxBytes: 100_000, maxEntries: 10 })
    const { clock, held, fetch } = holding({ cache: { store } })
    const controller = new AbortController()
    const leaving = rejection(fetch(target, { signal: controller.signal }))
    const calls = Array.from({ length: 20 }, () => text(fetch(target)))
    await settle()
    controller.abort('enough')
    expect(await leaving).toBe('enough')
    await held.sent[0]?.answer(controlled('max-age=1', 'one', { etag: '"1"' }))
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['one']))
    expect(store.writes).toBe(1)
    await clock.advance(5_000)
    const later = Array.from({ length: 20 }, () => text(fetch(target)))
    await settle()
    await held.sent[1]?.answer(reply(304, { etag: '"1"', 'cache-control': 'max-age=60' }))
    expect(new Set(await Promise.all(later))).toEqual(new Set(['one']))
    expect(await text(fetch(target))).toBe('one')
    expect([store.writes, held.sent.length, clock.armed]).toEqual([2, 2, 0])
  })

  test('by a call that joined late is as old as the request, not as the call', async () => {
    const { clock, held, fetch } = holding({ cache: true })
    const content = arriving()
    const first = fetch(target)
    await settle()
    await held.sent[0]?.answer(new Response(content.body, { headers: { 'cache-control': 'max-age=5' } }))
    content.part('x')
    await clock.advance(4_000)
    const late = fetch(target)
    await settle()
    content.end()
    expect(await Promise.all([text(first), text(late)])).toEqual(['x', 'x'])
    await clock.advance(2_000)
    const next = text(fetch(target))
    await settle()
    expect(held.sent.length).toBe(2)
    await held.sent[1]?.answer()
    await next
    expect(clock.armed).toBe(0)
  })

  test('and validated behind an answer is validated for those who come later as well, whoever leaves', async () => {
    const { clock, held, fetch } = holding({ cache: true })
    const first = text(fetch(target))
    await settle()
    await held.sent[0]?.answer(controlled('max-age=1, stale-while-revalidate=5', 'one', { etag: '"1"' }))
    await first
    await clock.advance(3_000)
    expect(await text(fetch(target))).toBe('one')
    expect(await text(fetch(target))).toBe('one')
    await clock.advance(4_000)
    const controller = new AbortController()
    const leaving = rejection(fetch(target, { signal: controller.signal }))
    await settle()
    controller.abort('enough')
    expect(await leaving).toBe('enough')
    const staying = text(fetch(target))
    await settle()
    expect(held.sent.length).toBe(2)
    await held.sent[1]?.answer(controlled('max-age=10', 'two', { etag: '"2"' }))
    expect(await staying).toBe('two')
    expect(await text(fetch(target))).toBe('two')
    expect([held.sent.length, held.underWay, clock.armed]).toEqual([2, 0, 0])
  })

  test('stands in for what a call failed with by its own limit, while others wait on', async () => {
    const { clock, held, fetch } = holding({ cache: true, maxAttempts: 1 })
    const first = text(fetch(target))
    await settle()
    await held.sent[0]?.answer(controlled('max-age=1, stale-if-error=500', 'one', { etag: '"1"' }))
    await first
    await clock.advance(3_000)
    const hurried = fetch(target, { timeoutMs: 100 })
    const patient = [fetch(target), fetch(target)]
    await clock.advance(200)
    expect(await text(hurried)).toBe('one')
    expect(held.underWay).toBe(1)
    await held.sent.at(-1)?.fail(fetchFailed('ECONNRESET'))
    expect(await Promise.all(patient.map(text))).toEqual(['one', 'one'])
    expect(traceOf(await patient[0])?.cache).toContain('detail=stale-if-error')
    expect([held.sent.length, held.underWay, clock.armed]).toEqual([2, 0, 0])
  })
})
