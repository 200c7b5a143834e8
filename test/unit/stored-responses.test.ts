import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Exchange } from '../../src/exchange.ts'
import { CacheActivity } from '../../src/policy/cache-activity.ts'
import type { Keyring } from '../../src/policy/keyring.ts'
import { MemoryStore } from '../../src/policy/memory-store.ts'
import { refresh } from '../../src/policy/policies.ts'
import { Storage } from '../../src/policy/storage.ts'
import { isOfUse, isUsable, shownFields, valueToStore } from '../../src/policy/stored.ts'
import { keyOf } from '../../src/policy/stored-key.ts'
import type { CacheConfig, CacheKey, CacheValue, StoredResponse } from '../../src/types/cache.ts'
import type { HopRequest, Received } from '../../src/types/exchange.ts'
import type { ResolvedOptions } from '../../src/types/options.ts'

const nowMs = Date.UTC(2026, 0, 1)
const times = { requestMs: nowMs, responseMs: nowMs }
const privately = { shared: false, heuristicRatio: 0.1 } as CacheConfig
const shared = { ...privately, shared: true }

const origin = 'https://a.test'
const none = { on: {}, cookies: undefined } as Pick<ResolvedOptions, 'on' | 'cookies'>
/** A keyring gives the sources of the credentials that a request is sent with. */
const key = (fields: string[], { on, cookies } = none, from = origin) => {
  const entries = Object.values(on) as { source?: object }[]
  const keyring = { sources: () => entries.flatMap(({ source }) => (source === undefined ? [] : [source])) }
  const request = { href: `${from}/a?b`, origin: from, fields } as unknown as HopRequest
  return keyOf(request, { options: { cookies } } as Exchange, keyring as unknown as Keyring)
}

describe('what a response is stored under', () => {
  test('is its target and the fields of its request', () => {
    expect(key(['accept', 'text/html'])).toEqual({
      origin,
      method: 'GET',
      path: '/a?b',
      headers: { __proto__: null, accept: 'text/html' },
    })
  })

  test('space around commas and the case of languages mean nothing', () => {
    const { headers } = key(['accept', 'a/b ,\tc/D,e', 'accept-language', 'DE,  en', 'x-quoted', '"a ,b"'])
    expect(headers).toEqual({ __proto__: null, accept: 'a/b, c/D, e', 'accept-language': 'de, en', 'x-quoted': '"a ,b"' })
  })

  test('credentials are hashed, differently for each origin, name and value', () => {
    const values = [
      key(['authorization', 's3cret']).headers.authorization,
      key(['authorization', 'other']).headers.authorization,
      key(['cookie', 's3cret']).headers.cookie,
      key(['authorization', 's3cret'], none, 'https://b.test').headers.authorization,
    ]
    expect(new Set(values).size).toBe(4)
    for (const value of values) expect(value).toMatch(/^[\w-]{43}$/)
    expect(key(['authorization', 's3cret'])).toEqual(key(['authorization', 's3cret']))
  })

  test('credentials that are neither Authorization nor Cookie stand together under a name of their own', () => {
    const others = (fields: string[]) => key(fields).headers['steadfetch-credentials']
    expect(others(['accept', '*/*'])).toBeUndefined()
    expect(others(['authorization', 'a', 'cookie', 'b'])).toBeUndefined()
    expect(others(['x-api-key', 'a'])).toMatch(/^[\w-]{43}$/)
    expect(others(['x-api-key', 'a', 'x-auth-token', 'b'])).toBe(others(['x-auth-token', 'b', 'x-api-key', 'a']))
    expect(others(['x-api-key', 'a'])).not.toBe(others(['x-api-key', 'b']))
  })

  test('a source of credentials that are put on below the cache is part of it: the same source is the same', () => {
    const others = (sources: Partial<typeof none>) => key([], { ...none, ...sources }).headers['steadfetch-credentials']
    const source = async () => undefined
    const jar = { getCookieString: () => '', setCookie() {} }
    const own = others({ on: { 401: refresh(source), 404: 'accept', 503: { kind: 'retry' } } })
    expect(own).toMatch(/^[\w-]{43}$/)
    expect(others({ on: { 401: refresh(source) } })).toBe(own)
    expect(others({ on: { 401: refresh(async () => undefined) } })).not.toBe(own)
    expect(others({ cookies: jar })).toBe(others({ cookies: jar }))
    expect(new Set([own, others({ cookies: jar }), others({ cookies: jar, on: { 401: refresh(source) } })]).size).toBe(3)
    expect(others({ on: { 404: 'accept', 503: { kind: 'retry' } } })).toBeUndefined()
  })
})

function received(fields: [string, string][], status = 200): Received {
  const headers = new Headers(fields)
  return { status, statusText: 'OK', headers, field: (name: string) => headers.get(name) } as unknown as Received
}

describe('what is stored of a response', () => {
  const value = (fields: [string, string][], config = privately, of = key([])): CacheValue =>
    valueToStore(received(fields), undefined, times, of, config)

  test('are its fields, but not those of the connection, nor those that Connection names, nor any of our names', () => {
    const dropped = ['keep-alive', 'te', 'transfer-encoding', 'upgrade', 'proxy-connection', 'x-hop']
    const secrets = ['proxy-authenticate', 'proxy-authentication-info', 'proxy-authorization', 'steadfetch-x']
    const fields = [...dropped, ...secrets].map((name): [string, string] => [name, 'v'])
    const { headers } = value([...fields, ['connection', 'close, X-Hop'], ['x-steadfetch-', 'kept'], ['x-kept', 'v']])
    expect(headers).toEqual({ 'x-kept': 'v', 'x-steadfetch-': 'kept' })
  })

  test('each Set-Cookie by itself, and what tells of coded content under names of ours', () => {
    const { headers } = value([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['content-encoding', 'gzip'],
      ['content-length', '5'],
    ])
    expect(headers).toEqual({
      'set-cookie': ['a=1', 'b=2'],
      'steadfetch-content-encoding': 'gzip',
      'steadfetch-content-length': '5',
    })
    expect(shownFields(headers, 5_999)).toEqual({
      'set-cookie': ['a=1', 'b=2'],
      'content-encoding': 'gzip',
      'content-length': '5',
      age: '5',
    })
    expect(shownFields({ x: 'y' }, undefined)).toEqual({ x: 'y' })
  })

  test('when it was made, becomes stale, and is of no use any more', () => {
    const days = 86_400_000
    const fresh = value([
      ['cache-control', 'max-age=60'],
      ['age', '10'],
      ['etag', '"a"'],
    ])
    expect(fresh).toMatchObject({
      cachedAt: nowMs - 10_000,
      staleAt: nowMs + 50_000,
      deleteAt: nowMs + 50_000 + days,
      etag: '"a"',
    })
    const stale = value([
      ['cache-control', 'max-age=5, stale-if-error="9", public'],
      ['age', '10'],
    ])
    expect(stale).toMatchObject({ staleAt: nowMs - 5_000, deleteAt: nowMs + days })
    expect('etag' in stale).toBe(false)
    expect(stale.cacheControlDirectives).toEqual({ 'max-age': '5', 'stale-if-error': '9', public: true })
  })

  test('by what it was selected: the fields of Vary, and credentials unless it is public', () => {
    const of = key(['accept', 'a', 'authorization', 'b', 'cookie', 'c', 'x-api-key', 'd'])
    const selected = (control: string, config = privately) =>
      Object.keys(
        value(
          [
            ['cache-control', control],
            ['vary', 'Accept, x-none'],
          ],
          config,
          of,
        ).vary ?? {},
      )
    const always = ['accept', 'x-none']
    expect(selected('max-age=5')).toEqual([...always, 'authorization', 'cookie', 'steadfetch-credentials'])
    expect(selected('public')).toEqual(always)
    expect(selected('max-age=5', shared)).toEqual([...always, 'cookie', 'steadfetch-credentials'])
    expect(selected('public', shared)).toEqual(always)
    expect(selected('s-maxage=5', shared)).toEqual(always)
    expect(selected('s-maxage=5')).toEqual([...always, 'authorization', 'cookie', 'steadfetch-credentials'])
    const withoutCookie = value([['cache-control', 'max-age=5']], shared, key(['authorization', 'b']))
    expect(Object.keys(withoutCookie.vary ?? {})).toEqual(['steadfetch-credentials'])
    expect(value([['vary', 'accept']], privately, of).vary).toMatchObject({ accept: 'a' })
    expect(value([['vary', 'x-none']], privately, of).vary).toMatchObject({ 'x-none': null })
  })

  test('of one that was validated: its own content and age go, what is new counts', () => {
    const known = {
      statusCode: 203,
      statusMessage: 'x',
      headers: { age: '9', a: 'old', b: 'old', 'steadfetch-content-length': '5' },
    }
    const news = received(
      [
        ['a', 'new'],
        ['content-length', '0'],
      ],
      304,
    )
    expect(valueToStore(news, known as unknown as StoredResponse, times, key([]), privately)).toMatchObject({
      statusCode: 203,
      statusMessage: 'x',
      headers: { a: 'new', b: 'old', 'steadfetch-content-length': '5' },
    })
  })
})

describe('a response is worth storing', () => {
  const value = (more: Partial<CacheValue>): CacheValue => ({ headers: {}, cachedAt: 5, staleAt: 5, ...more }) as CacheValue

  test.each<[string, Partial<CacheValue>, boolean]>([
    ['while it is fresh for some time', { staleAt: 6 }, true],
    ['not if it never is', {}, false],
    ['if it can be validated by its tag', { etag: '"a"' }, true],
    ['if it can be by its date', { headers: { 'last-modified': 'x' } }, true],
    ['if it may be used while it is validated', { headers: { 'cache-control': 'stale-while-revalidate=5' } }, true],
    ['if it may stand in for an error', { headers: { 'cache-control': 'stale-if-error=5' } }, true],
    ['not for anything else that it says', { headers: { 'cache-control': 'public', date: 'x' } }, false],
  ])('%s', (_case, more, worth) => {
    expect(isOfUse(value(more))).toBe(worth)
  })
})

test.each<[string, unknown, boolean]>([
  ['with fields and times', { headers: {}, cachedAt: 1, staleAt: 2 }, true],
  ['that is none', undefined, false],
  ['without fields', { cachedAt: 1, staleAt: 2 }, false],
  ['with null for fields', { headers: null, cachedAt: 1, staleAt: 2 }, false],
  ['with content that is coded', { headers: { 'content-encoding': 'gzip' }, cachedAt: 1, staleAt: 2 }, false],
  ['made at no time', { headers: {}, cachedAt: Number.NaN, staleAt: 2 }, false],
  ['stale at no time', { headers: {}, cachedAt: 1, staleAt: '2' }, false],
])('what a store gives %s is used: %s', (_case, given, used) => {
  expect(isUsable(given as StoredResponse)).toBe(used)
})

describe('a store in memory', () => {
  const limits = { maxEntryBytes: 10_000, maxBytes: 20_000, maxEntries: 3 }
  const at = (path: string, headers = {}, method = 'GET'): CacheKey => ({ origin, path, method, headers }) as CacheKey
  const keep = async (store: MemoryStore, of: CacheKey, content: string, more: Partial<CacheValue> = {}): Promise<boolean> => {
    const out = store.createWriteStream(of, {
      headers: {},
      vary: {},
      cachedAt: 0,
      staleAt: 0,
      deleteAt: 0,
      ...more,
    } as CacheValue)
    return new Promise((resolve) => {
      out.on('error', (error) => {
        expect(error.message).toContain('maxEntryBytes')
        resolve(false)
      })
      out.end(content, (error?: Error | null) => resolve(!error))
    })
  }
  const textOf = (store: MemoryStore, of: CacheKey): string | undefined => {
    const body = store.get(of)?.body as readonly Buffer[] | undefined
    return body === undefined ? undefined : Buffer.concat(body).toString()
  }

  test('gives the latest of those that match the fields and the method', async () => {
    const store = new MemoryStore(limits)
    await keep(store, at('/a', { accept: 'x' }), 'varying', { vary: { accept: 'x' }, cachedAt: 2 })
    await keep(store, at('/a'), 'for all', { cachedAt: 1 })
    expect(textOf(store, at('/a', { accept: 'x' }))).toBe('varying')
    expect(textOf(store, at('/a', { accept: 'y' }))).toBe('for all')
    expect(textOf(store, { origin, path: '/a', method: 'GET' } as CacheKey)).toBe('for all')
    expect(textOf(store, at('/a', {}, 'HEAD'))).toBeUndefined()
    expect(textOf(store, at('/b'))).toBeUndefined()
    await keep(store, at('/a', { accept: 'y' }), 'later', { vary: { accept: 'y' }, cachedAt: 1 })
    expect(textOf(store, at('/a', { accept: 'y' }))).toBe('later')
  })

  test('replaces what a request would have been answered with, and forgets a target whole', async () => {
    const store = new MemoryStore(limits)
    await keep(store, at('/a'), 'one')
    await keep(store, at('/a'), 'two')
    expect([store.size, textOf(store, at('/a'))]).toEqual([1, 'two'])
    await keep(store, at('/a', { accept: 'x' }), 'three', { vary: { accept: 'x' }, cachedAt: 1 })
    store.delete(at('/a'))
    store.delete(at('/b'))
    expect([store.size, store.bytes, textOf(store, at('/a'))]).toEqual([0, 0, undefined])
  })

  test('keeps so many, and lets go what was unused for longest', async () => {
    const store = new MemoryStore(limits)
    for (const path of ['/a', '/b', '/c']) await keep(store, at(path), path)
    store.get(at('/a'))
    await keep(store, at('/d'), '/d')
    expect(['/a', '/b', '/c', '/d'].map((path) => textOf(store, at(path)))).toEqual(['/a', undefined, '/c', '/d'])
  })

  test('counts fields and content, and refuses an entry beyond its limit, not one at it', async () => {
    const store = new MemoryStore(limits)
    await keep(store, at('/a'), '')
    const empty = store.bytes
    expect(empty).toBeGreaterThan(1_024)
    expect(await keep(store, at('/b'), 'x'.repeat(10_000 - empty))).toBe(true)
    expect(store.bytes).toBe(10_000 + empty)
    expect(await keep(store, at('/c'), 'x'.repeat(10_001 - empty))).toBe(false)
    expect(await keep(store, at('/d'), 'x'.repeat(10_000 - empty), { headers: { a: 'b' } })).toBe(false)
    expect(await keep(store, at('/e'), 'x'.repeat(10_000 - empty))).toBe(true)
    expect([store.size, textOf(store, at('/a'))]).toEqual([2, undefined])
    expect(store.bytes).toBe(20_000)
  })
})

describe('a store that is no good', () => {
  const storage = (store: object, more = {}) => new Storage({ ...privately, store, ...more } as CacheConfig)
  const throwing = () => {
    throw new Error('broken')
  }
  const usable = { headers: {}, cachedAt: 1, staleAt: 2 }

  test('is as if it had nothing', async () => {
    expect(storage({ get: throwing }).find(key([]))).toBeUndefined()
    expect(await storage({ get: async () => throwing() }).find(key([]))).toBeUndefined()
    expect(storage({ get: () => null }).find(key([]))).toBeUndefined()
    expect(await storage({ get: async () => undefined }).find(key([]))).toBeUndefined()
    expect(storage({ get: () => usable }).find(key([]))).toBe(usable)
    expect(await storage({ get: async () => usable }).find(key([]))).toBe(usable)
  })

  test('takes nothing where it gives no stream', () => {
    const recording = (out: unknown) => storage({ createWriteStream: () => out }).recording(key([]), {} as CacheValue, () => true)
    expect([recording(undefined), recording(null)]).toEqual([undefined, undefined])
    expect(recording(new Writable())).toBeDefined()
    expect(storage({ createWriteStream: throwing }).recording(key([]), {} as CacheValue, () => true)).toBeUndefined()
  })

  test('forgets as well as it can', async () => {
    await expect(storage({ delete: throwing }).forget(key([]))).resolves.toBeUndefined()
    await expect(storage({ delete: async () => throwing() }).forget(key([]))).resolves.toBeUndefined()
  })

  test('what is private in it is for private caches alone', () => {
    const own = { ...usable, headers: { 'cache-control': 'private' } }
    expect(storage({ get: () => own }).find(key([]))).toBe(own)
    expect(storage({ get: () => own }, { shared: true }).find(key([]))).toBeUndefined()
    expect(storage({ get: () => usable }, { shared: true }).find(key([]))).toBe(usable)
  })
})

test('a cache is to be remembered while it validates', () => {
  const activity = new CacheActivity()
  expect(activity.busy).toBe(false)
  activity.validating.add('/a')
  expect(activity.busy).toBe(true)
})

test('the invalidation that is forgotten is the one that was longest ago', () => {
  const activity = new CacheActivity()
  activity.invalidated('/a')
  activity.invalidated('/b')
  const between = activity.changes
  activity.invalidated('/a')
  for (let count = 0; count < 63; count += 1) activity.invalidated(`/${count}`)
  expect(activity.isCurrent('/other', between)).toBe(true)
  expect(activity.isCurrent('/a', between)).toBe(false)
})
