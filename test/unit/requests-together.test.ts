import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, test } from 'vitest'
import {
  type ClientOptions,
  createFetch,
  fallback,
  follow,
  type StandardSchema,
  type SteadFetch,
  type Trace,
  traceOf,
} from '../../src/index.ts'
import { controlled } from '../support/cache.ts'
import { clientOf, rejection } from '../support/client.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { HeldTransport } from '../support/held-transport.ts'
import { reply } from '../support/scripted-transport.ts'

const target = 'https://a.test/things'
const text = async (response: Promise<Response>): Promise<string> => (await response).text()

function holding(options: ClientOptions): { clock: FakeClock; held: HeldTransport; fetch: SteadFetch } {
  const clock = new FakeClock()
  const held = new HeldTransport(clock.now)
  return { clock, held, fetch: createFetch({ transport: held.send, clock, random: () => 0.5, ...options }) }
}

describe('one request for several calls serves', () => {
  const wrapping = (word: string): StandardSchema => ({
    '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: { [word]: value } }) },
  })

  test.each<[string, ClientOptions]>([
    ['coalescing', { coalesce: true }],
    ['a cache', { cache: true }],
  ])('each its own schema, with %s', async (_what, options) => {
    const { fetch, sent } = clientOf([controlled('max-age=60', '{"a":1}')], options)
    const one = fetch(target, { schema: wrapping('one') })
    const responses = await Promise.all([one, fetch(target, { schema: wrapping('other') }), fetch(target)])
    expect(await Promise.all(responses.map((response) => response.json()))).toEqual([
      { one: { a: 1 } },
      { other: { a: 1 } },
      { a: 1 },
    ])
    expect(sent.length).toBe(1)
  })

  test('each its own limit of bytes and its own listener, in its own context; the store gets the whole', async () => {
    const { fetch, sent, clock } = clientOf([controlled('max-age=60', '0123456789')], { cache: true })
    const context = new AsyncLocalStorage<string>()
    const told: unknown[] = []
    const onDownloadProgress = ({ receivedBytes }: { receivedBytes: number }): void =>
      void told.push([context.getStore(), receivedBytes])
    const ask = (maxResponseBytes: number | false) => fetch(target, { maxResponseBytes, onDownloadProgress })
    const short = context.run('short', () => rejection(text(ask(5))))
    const whole = context.run('whole', () => text(ask(false)))
    expect(await short).toMatchObject({ code: 'ERR_STEADFETCH_BODY_TOO_LARGE' })
    expect(await whole).toBe('0123456789')
    expect(told).toEqual([['whole', 10]])
    expect(await text(fetch(target))).toBe('0123456789')
    expect(await rejection(text(ask(5)))).toMatchObject({ code: 'ERR_STEADFETCH_BODY_TOO_LARGE' })
    expect([sent.length, clock.armed]).toEqual([1, 0])
  })

  test('calls that ask for resumption in the same words', async () => {
    const { fetch, sent } = clientOf([reply(200, { etag: '"1"' }, 'x')], { coalesce: true })
    const ask = (maxAttempts: number) => text(fetch(target, { resume: { maxAttempts } }))
    expect(await Promise.all([ask(2), ask(2), ask(3)])).toEqual(['x', 'x', 'x'])
    expect(sent.length).toBe(2)
  })

  test('each its own account of what it waited, also once the other has left', async () => {
    const { clock, held, fetch } = holding({ coalesce: true })
    const leaving = rejection(fetch(target, { on: { 307: follow({ maxHops: 1 }) } }))
    const staying = fetch(target)
    await settle()
    await held.sent[0]?.answer(reply(307, { location: '/1', 'retry-after': '1' }))
    await clock.advance(1_000)
    await held.sent[1]?.answer(reply(307, { location: '/2' }))
    await held.sent[2]?.answer(reply(200, {}, 'x'))
    expect(await leaving).toMatchObject({ name: 'RedirectError' })
    const { attempts, totalMs } = traceOf(await staying) as Trace
    expect(attempts.map(({ waitMs }) => waitMs)).toEqual([0, 1_000, 0])
    expect([totalMs, held.paths, clock.armed]).toEqual([1_000, ['/things', '/1', '/2'], 0])
    await (await staying).text()
  })

  test('each its own substitute', async () => {
    const { fetch, sent } = clientOf([reply(410)], { coalesce: true, on: { 410: fallback(() => new Response('instead')) } })
    expect(await Promise.all([text(fetch(target)), text(fetch(target))])).toEqual(['instead', 'instead'])
    expect(sent.length).toBe(1)
  })
})

describe.each<[string, ClientOptions]>([
  ['coalesce', { coalesce: true }],
  ['have a cache', { cache: true }],
  ['have a limit of bytes', { coalesce: true, maxResponseBytes: 10_000_000 }],
  ['have a cache, a limit and a listener', { cache: true, maxResponseBytes: 10_000_000, onDownloadProgress: () => {} }],
])('calls that %s', (_what, options) => {
  const fields = { 'cache-control': 'max-age=60', etag: '"1"' }
  const parts = 30
  const size = 100_000
  const large = (): Response => {
    let left = parts
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
      if (left > 0) controller.enqueue(new Uint8Array(size).fill(left))
      else controller.close()
      left -= 1
    }
    return new Response(new ReadableStream({ pull }), { headers: fields })
  }

  test('do not wait for one who has not begun to read, which gets the content anew', async () => {
    const { clock, held, fetch } = holding(options)
    const both = Promise.all([fetch(target), fetch(target)])
    await settle()
    await held.sent[0]?.answer(large())
    const [one, other] = await both
    let isRead = false
    const first = one.bytes().then((bytes) => {
      isRead = true
      return bytes
    })
    await clock.advance(50)
    expect(isRead).toBe(true)
    const second = other.bytes()
    await settle()
    expect(held.sent.length).toBe(2)
    await held.sent[1]?.answer(large())
    expect(Buffer.compare(await first, await second)).toBe(0)
    expect([(await first).length, held.underWay, clock.armed]).toEqual([parts * size, 0, 0])
  })

  test('wait for one who reads slowly, and their limits of silence do not count meanwhile', async () => {
    const { clock, held, fetch } = holding({ idleTimeoutMs: 1_000, timeoutMs: false, ...options })
    const both = Promise.all([fetch(target), fetch(target)])
    await settle()
    await held.sent[0]?.answer(large())
    const [one, other] = await both
    const first = one.bytes()
    const slow: number[] = []
    for await (const part of other.body as ReadableStream<Uint8Array>) {
      slow.push(part.length)
      await clock.advance(2_000)
    }
    expect((await first).length).toBe(parts * size)
    expect(slow.reduce((sum, length) => sum + length, 0)).toBe(parts * size)
    expect([held.sent.length, clock.armed]).toEqual([1, 0])
  })
})
