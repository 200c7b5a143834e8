import { Readable, Writable } from 'node:stream'
import { cacheStores } from 'undici'
import { describe, expect, test } from 'vitest'
import type { CacheKey, CacheStore, CacheValue, StoredContent, StoredResponse } from '../../src/index.ts'
import { MemoryStore } from '../../src/policy/memory-store.ts'
import { caching, controlled, target, unchanged } from '../support/cache.ts'
import { rejection } from '../support/client.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { reply } from '../support/scripted-transport.ts'

const text = async (response: Promise<Response>): Promise<string> => (await response).text()
const limits = { maxEntryBytes: 20_000, maxBytes: 1e6, maxEntries: 100 }
const hasSqlite = process.getBuiltinModule('node:sqlite') !== undefined

/** A store whose every answer comes later. */
function later(store: CacheStore): CacheStore {
  return {
    get: async (key) => {
      await settle()
      return store.get(key)
    },
    createWriteStream: (key, value) => store.createWriteStream(key, value),
    delete: async (key) => {
      await settle()
      await store.delete(key)
    },
  }
}

const stores: readonly (readonly [string, () => CacheStore])[] = [
  ['our own', () => new MemoryStore(limits)],
  ['our own, asynchronous', () => later(new MemoryStore(limits))],
  ["undici's MemoryCacheStore", () => new cacheStores.MemoryCacheStore()],
  ...(hasSqlite ? [["undici's SqliteCacheStore", () => new cacheStores.SqliteCacheStore()] as const] : []),
]

describe.each(stores)('with %s', (_, open) => {
  // Stores of others look at the clock of the machine.
  const opened = (replies: Parameters<typeof caching>[0]) => {
    const clock = new FakeClock(Date.now())
    const found = caching(replies, { store: open() }, { clock })
    return { ...found, clock }
  }

  test('a response is stored, found, validated and removed', async () => {
    const { fetch, clock, sent } = opened([
      controlled('max-age=60', 'content', { etag: '"1"', 'x-a': '1' }),
      unchanged({ 'x-a': '2' }),
      reply(204),
      controlled('max-age=60', 'new'),
    ])
    await text(fetch(target))
    await settle()
    expect(await text(fetch(target))).toBe('content')
    await clock.advance(60_000)
    await text(fetch(target))
    await settle()
    const found = await fetch(target)
    expect([await found.text(), found.headers.get('x-a'), found.headers.get('age')]).toEqual(['content', '2', '0'])
    expect(sent.length).toBe(2)
    await fetch(target, { method: 'DELETE' })
    expect(await text(fetch(target))).toBe('new')
    expect(sent.length).toBe(4)
  })

  test('variants and credentials are kept apart', async () => {
    let count = 0
    const { fetch, sent } = opened([() => controlled('max-age=60', String(++count), { vary: 'x-a' })])
    const ask = (a: string, authorization: string) => text(fetch(target, { headers: { 'x-a': a, authorization } }))
    expect([await ask('1', 'a'), await ask('2', 'a'), await ask('1', 'b')]).toEqual(['1', '2', '3'])
    await settle()
    expect([await ask('1', 'a'), await ask('2', 'a'), await ask('1', 'b')]).toEqual(['1', '2', '3'])
    expect(sent.length).toBe(3)
  })

  test('content without bytes and content of many bytes are what they were', async () => {
    const many = new Uint8Array(9_000).map((_byte, index) => index)
    const { fetch, sent } = opened([
      () => controlled('max-age=60', ''),
      () => new Response(many, { headers: { 'cache-control': 'max-age=60' } }),
    ])
    await text(fetch(target))
    await (await fetch(`${target}2`)).bytes()
    await settle()
    expect(await text(fetch(target))).toBe('')
    expect(Buffer.compare(await (await fetch(`${target}2`)).bytes(), many)).toBe(0)
    expect(sent.length).toBe(2)
  })
})

test('what undici has stored of coded content is left alone, and what we store it can use', async () => {
  const store = new cacheStores.MemoryCacheStore()
  const clock = new FakeClock(Date.now())
  const nowMs = clock.wallTime()
  const key = { origin: 'https://example.test', method: 'GET', path: '/a?b=c', headers: {} }
  const times = { cachedAt: nowMs, staleAt: nowMs + 60_000, deleteAt: nowMs + 90_000 }
  const headers = { 'cache-control': 'max-age=60', 'content-encoding': 'gzip' }
  store.createWriteStream(key, { statusCode: 200, statusMessage: 'OK', headers, ...times })?.end('coded')
  const { fetch, sent } = caching(
    [controlled('max-age=60, public', 'decoded', { 'content-encoding': 'br', 'content-length': '5' })],
    { store },
    { clock },
  )
  expect(await text(fetch(target))).toBe('decoded')
  const found = (await store.get(key)) as StoredResponse
  expect(found.headers).toMatchObject({ 'cache-control': 'max-age=60, public' })
  expect(Object.keys(found.headers)).not.toContain('content-encoding')
  expect(Object.keys(found.headers)).not.toContain('content-length')
  const hit = await fetch(target)
  expect([hit.headers.get('content-encoding'), hit.headers.get('content-length')]).toEqual(['br', '5'])
  expect(sent.length).toBe(1)
})

/** A store that has one response, with this content. */
function holding(body: () => StoredContent | undefined): CacheStore {
  const nowMs = new FakeClock().wallTime()
  const value = {
    statusCode: 200,
    statusMessage: 'OK',
    headers: { 'cache-control': 'max-age=60' },
    cachedAt: nowMs,
    staleAt: nowMs + 60_000,
  }
  return {
    get: () => ({ ...value, deleteAt: Infinity, body: body() as StoredContent }),
    createWriteStream: () => undefined,
    delete: () => {},
  }
}

test.each<[string, () => StoredContent | undefined]>([
  ['a string', () => 'stored'],
  ['a Buffer', () => Buffer.from('stored')],
  ['a list of Buffers', () => [Buffer.from('sto'), Buffer.from('red')]],
  ['a list of strings', () => ['sto', 'red']],
  ['a Readable', () => Readable.from([Buffer.from('sto'), Buffer.from('red')])],
  [
    'a generator of strings',
    async function* () {
      yield 'sto'
      yield 'red'
    } as () => StoredContent,
  ],
])('content may come as %s', async (_, body) => {
  const { fetch, sent } = caching([reply(500)], { store: holding(body) })
  const response = await fetch(target)
  expect(await response.clone().text()).toBe('stored')
  expect(await response.text()).toBe('stored')
  expect(sent.length).toBe(0)
})

test('content that fails on its way out of the store fails as a body does', async () => {
  const { fetch } = caching([reply(500)], {
    store: holding(async function* () {
      yield 'sto'
      throw new Error('disk')
    }),
  })
  expect(await rejection(text(fetch(target)))).toEqual(new Error('disk'))
})

test('an abort ends the reading of stored content that comes bit by bit', async () => {
  let closed = false
  const readable = new Readable({
    read() {},
    destroy(error, done) {
      closed = true
      done(error)
    },
  })
  const controller = new AbortController()
  const { fetch } = caching([reply(500)], { store: holding(() => readable) })
  const response = await fetch(target, { signal: controller.signal })
  const reading = rejection(response.text())
  controller.abort('enough')
  expect(await reading).toBe('enough')
  await settle()
  expect(closed).toBe(true)
})

const broken = (): never => {
  throw new Error('the store is broken')
}
const rejecting = () => Promise.reject(new Error('the store is broken'))
const whole = { get: () => undefined, createWriteStream: () => undefined, delete: () => {} }

test.each<[string, CacheStore]>([
  ['throws', { get: broken, createWriteStream: broken, delete: broken }],
  ['rejects', { ...whole, get: rejecting, delete: rejecting }],
  ['gives nonsense', { ...whole, get: () => ({}) as StoredResponse }],
  [
    'fails while it writes',
    { ...whole, createWriteStream: () => new Writable({ write: (_part, _encoding, done) => done(new Error('full')) }) },
  ],
  ['throws while it writes', { ...whole, createWriteStream: () => new Writable({ write: broken }) }],
  ['fails at the end', { ...whole, createWriteStream: () => new Writable({ write: (_p, _e, done) => done(), final: broken }) }],
])('a store that %s fails no call', async (_, store) => {
  const { fetch, sent } = caching([controlled('max-age=60')], { store })
  expect(await text(fetch(target))).toBe('content')
  expect(await text(fetch(target))).toBe('content')
  expect((await fetch(target, { method: 'POST' })).status).toBe(200)
  await settle()
  expect(sent.length).toBe(3)
})

test('a store that does not answer is waited for within the limits of the call', async () => {
  const { fetch, clock, sent } = caching([controlled('max-age=60')], { store: { ...whole, get: () => new Promise(() => {}) } })
  const error = await clock.drive(rejection(fetch(target, { timeoutMs: 1_000 })))
  expect(error).toMatchObject({ code: 'ERR_STEADFETCH_TIMEOUT_CALL' })
  expect(sent.length).toBe(0)
  const controller = new AbortController()
  const call = rejection(fetch(target, { signal: controller.signal }))
  await settle()
  controller.abort('enough')
  expect(await call).toBe('enough')
  expect(clock.armed).toBe(0)
})

test('what waits for a slow store is bounded: a response that is read faster is not stored', async () => {
  const taken: number[] = []
  let destroyed = false
  const slow = () =>
    new Writable({
      write: (part: Buffer) => void taken.push(part.byteLength),
      destroy: (error, done) => {
        destroyed = true
        done(error)
      },
    })
  const parts = Array.from({ length: 40 }, () => new Uint8Array(65_536))
  const { fetch } = caching(
    [() => new Response(Readable.toWeb(Readable.from(parts)) as never, { headers: { 'cache-control': 'max-age=60' } })],
    {
      store: { ...whole, createWriteStream: slow },
    },
  )
  expect((await (await fetch(target)).bytes()).byteLength).toBe(40 * 65_536)
  expect(taken.length).toBe(1)
  expect(destroyed).toBe(true)
})

test('a store that does not answer to a removal is waited for within the limits of the call', async () => {
  const { fetch, clock, sent } = caching([reply(200)], { store: { ...whole, delete: () => new Promise(() => {}) } })
  const error = await clock.drive(rejection(fetch(target, { method: 'POST', timeoutMs: 1_000 })))
  expect(error).toMatchObject({ code: 'ERR_STEADFETCH_TIMEOUT_CALL' })
  expect([sent.length, clock.armed]).toEqual([1, 0])
})

test('a shared cache leaves alone what a private one has stored for one user in the same store', async () => {
  const store = new MemoryStore(limits)
  const { fetch, sent } = caching([() => controlled('max-age=60, private')], { store })
  await text(fetch(target))
  await text(fetch(target))
  expect(sent.length).toBe(1)
  await text(fetch.extend({ cache: { store, shared: true } })(target))
  expect(sent.length).toBe(2)
})

const key = (path: string, headers: Record<string, string> = {}): CacheKey => ({
  origin: 'https://a',
  method: 'GET',
  path,
  headers,
})
const value = (cachedAt = 0, vary: Record<string, string | null> = {}): CacheValue => ({
  statusCode: 200,
  statusMessage: 'OK',
  headers: {},
  vary,
  cachedAt,
  staleAt: 0,
  deleteAt: 0,
})
const put = (store: MemoryStore, at: CacheKey, kept: CacheValue, bytes = 0): Promise<void> =>
  new Promise((resolve) => {
    const out = store.createWriteStream(at, kept)
    out.once('close', resolve)
    out.on('error', () => {})
    out.end(Buffer.alloc(bytes))
  })

test('of our own store the response unused for longest goes first, by number and by size', async () => {
  const store = new MemoryStore({ maxEntryBytes: 10_000, maxBytes: 1e6, maxEntries: 2 })
  await put(store, key('/1'), value())
  await put(store, key('/2'), value())
  store.get(key('/1'))
  await put(store, key('/3'), value())
  expect(['/1', '/2', '/3'].map((path) => store.get(key(path)) !== undefined)).toEqual([true, false, true])
  const small = new MemoryStore({ maxEntryBytes: 10_000, maxBytes: 15_000, maxEntries: 100 })
  for (const path of ['/1', '/2', '/3']) await put(small, key(path), value(), 5_000)
  expect(small.get(key('/1'))).toBeUndefined()
  expect(small.size).toBe(2)
  expect(small.bytes).toBeLessThan(15_000)
})

test('a response larger than one may be is not kept, and leaves the one before', async () => {
  const store = new MemoryStore({ maxEntryBytes: 5_000, maxBytes: 1e6, maxEntries: 2 })
  await put(store, key('/1'), value(1), 100)
  await put(store, key('/1'), value(2), 5_000)
  expect(store.get(key('/1'))?.cachedAt).toBe(1)
})

test('of variants that match, the latest answers; the same one is replaced', async () => {
  const store = new MemoryStore(limits)
  await put(store, key('/1'), value(5, {}))
  await put(store, key('/1', { a: '1' }), value(3, { a: '1' }), 1)
  expect(store.size).toBe(1)
  await put(store, key('/1'), value(4, { a: null }))
  expect(store.get(key('/1', { a: '1' }))?.cachedAt).toBe(3)
  expect(store.get(key('/1'))?.cachedAt).toBe(4)
  expect(store.get(key('/1', { a: '2' }))).toBeUndefined()
  await put(store, key('/1', { a: '1' }), value(6, { a: '1' }))
  expect([store.size, store.get(key('/1', { a: '1' }))?.cachedAt]).toEqual([2, 6])
  store.delete(key('/1'))
  expect([store.size, store.bytes]).toEqual([0, 0])
})
