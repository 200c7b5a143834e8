import { cacheStores } from 'undici'
import { describe, expect, test } from 'vitest'
import { type CacheOptions, createFetch, GatewayTimeoutError, isHttpError, traceOf } from '../../src/index.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { fetchFailed, reply, scripted } from '../support/scripted-transport.ts'

const target = 'https://api.example.com/thing'

/** A client with a cache, on a clock that is ahead of that of the machine: the stores of undici look at that one. */
function client(cache: CacheOptions | true, ...replies: Parameters<typeof scripted>[1][]) {
  const clock = new FakeClock(Date.UTC(2100, 0, 1))
  const { transport, sent } = scripted(clock.now, ...replies)
  return { api: createFetch({ cache, transport, clock, maxAttempts: 1 }), sent, clock }
}

const fresh = (text: string, control = 'max-age=60', more: Record<string, string> = {}): Response =>
  reply(200, { 'cache-control': control, ...more }, text)

const field = (init: { readonly headers: Record<string, string> } | undefined, name: string): string | undefined =>
  init?.headers[name]

describe('freshness', () => {
  test('a fresh response answers the next call, with its age and its state in the trace', async () => {
    const { api, sent, clock } = client(true, fresh('one'), fresh('two'))
    await (await api(target)).text()
    await clock.advance(10_000)
    const second = await api(target)
    expect([await second.text(), second.headers.get('age'), sent.length]).toEqual(['one', '10', 1])
    expect(traceOf(second)).toMatchObject({ attempts: [], cache: 'steadfetch; hit; ttl=50' })
    await clock.advance(50_000)
    expect(await (await api(target)).text()).toBe('two')
    expect(sent).toHaveLength(2)
  })

  test.each<[string, Record<string, string>, CacheOptions | true, number]>([
    ['max-age', { 'cache-control': 'max-age=60' }, true, 60],
    ['s-maxage, in a shared cache only', { 'cache-control': 's-maxage=90, max-age=60' }, true, 60],
    ['s-maxage in a shared cache', { 'cache-control': 's-maxage=90, max-age=60' }, { shared: true }, 90],
    ['Expires less Date', { expires: 'Fri, 01 Jan 2100 00:01:10 GMT', date: 'Fri, 01 Jan 2100 00:00:00 GMT' }, true, 70],
    ['the shorter of two', { 'cache-control': 'max-age=60, max-age=20' }, true, 20],
    ['less the age it came with', { 'cache-control': 'max-age=60', age: '15' }, true, 45],
    ['a tenth of the time since it was modified', { 'last-modified': 'Thu, 31 Dec 2099 23:50:00 GMT' }, true, 60],
    ['a share of the caller', { 'last-modified': 'Thu, 31 Dec 2099 23:50:00 GMT' }, { heuristicRatio: 0.5 }, 300],
  ])('a response is fresh for as long as it says: %s', async (_name, headers, cache, seconds) => {
    const { api, sent, clock } = client(cache, reply(200, headers, 'x'))
    await (await api(target)).text()
    await clock.advance(seconds * 1_000 - 1)
    await (await api(target)).text()
    expect(sent).toHaveLength(1)
    await clock.advance(1)
    await (await api(target)).text()
    expect(sent).toHaveLength(2)
  })

  test.each([
    ['no-store', { 'cache-control': 'max-age=60, no-store' }],
    ['a malformed field', { 'cache-control': 'max-age=60, private="x' }],
    ['max-age that is no number', { 'cache-control': 'max-age=1h' }],
    ['Expires that is no date', { expires: '0' }],
    ['Vary: *', { 'cache-control': 'max-age=60', vary: 'accept, *' }],
    ['no lifetime at all', {}],
    ['heuristics, switched off', { 'last-modified': 'Thu, 31 Dec 2099 00:00:00 GMT' }, { heuristicRatio: false as const }],
    ['private, in a shared cache', { 'cache-control': 'private, max-age=60' }, { shared: true }],
  ])('nothing is answered from the cache with %s', async (_name, headers, cache: CacheOptions | true = true) => {
    const { api, sent } = client(cache, reply(200, headers, 'x'))
    await (await api(target)).text()
    await (await api(target)).text()
    expect(sent).toHaveLength(2)
  })

  test('must-understand overrides no-store for a status that is understood, and forbids others', async () => {
    const control = { 'cache-control': 'max-age=60, no-store, must-understand' }
    for (const [status, requests] of [
      [200, 1],
      [299, 2],
    ] as const) {
      const { api, sent } = client(true, reply(status, control, 'x'))
      await (await api(target)).text()
      await (await api(target)).text()
      expect(sent).toHaveLength(requests)
    }
  })

  test('an error that is stored is thrown again', async () => {
    const { api, sent } = client(true, reply(404, { 'cache-control': 'max-age=60' }, 'gone'))
    for (const attempts of [1, 0]) {
      const error: unknown = await api(target).catch((reason: unknown) => reason)
      expect(isHttpError(error, 404) && [error.body, error.attempts]).toEqual(['gone', attempts])
    }
    expect(sent).toHaveLength(1)
  })

  test('a redirect is stored as such, and followed again', async () => {
    const moved = reply(308, { 'cache-control': 'max-age=60', location: '/other' })
    const { api, sent } = client(true, moved, fresh('other', 'no-store'))
    for (const _ of [1, 2]) expect(await (await api(target)).text()).toBe('other')
    expect(sent.map((request) => request.target)).toEqual([
      target,
      'https://api.example.com/other',
      'https://api.example.com/other',
    ])
  })
})

describe('validation', () => {
  test('a stale response is asked about; a 304 renews it and its fields, and its content is used', async () => {
    const first = fresh('one', 'max-age=10', { etag: '"a"', 'last-modified': 'Thu, 31 Dec 2099 00:00:00 GMT', 'x-kept': '1' })
    const renewed = reply(304, { etag: '"a"', 'cache-control': 'max-age=30', 'x-new': '2', 'content-length': '99' })
    const { api, sent, clock } = client(true, first, renewed)
    await (await api(target)).text()
    await clock.advance(11_000)
    const second = await api(target)
    expect([second.status, await second.text()]).toEqual([200, 'one'])
    expect([second.headers.get('x-kept'), second.headers.get('x-new'), second.headers.get('content-length')]).toEqual([
      '1',
      '2',
      null,
    ])
    expect(field(sent[1]?.init, 'if-none-match')).toBe('"a"')
    expect(field(sent[1]?.init, 'if-modified-since')).toBe('Thu, 31 Dec 2099 00:00:00 GMT')
    expect(traceOf(second)?.cache).toBe('steadfetch; fwd=stale; fwd-status=304; stored')
    await clock.advance(29_000)
    expect(await (await api(target)).text()).toBe('one')
    expect(sent).toHaveLength(2)
  })

  test('a changed representation takes the place of the stored one', async () => {
    const { api, sent, clock } = client(
      true,
      fresh('one', 'max-age=10', { etag: '"a"' }),
      fresh('two', 'max-age=10', { etag: '"b"' }),
    )
    await (await api(target)).text()
    await clock.advance(11_000)
    expect(await (await api(target)).text()).toBe('two')
    expect(await (await api(target)).text()).toBe('two')
    expect(sent).toHaveLength(2)
  })

  test("the caller's own condition is not answered here, and its 304 is delivered", async () => {
    const { api, sent } = client(true, fresh('one', 'max-age=60', { etag: '"a"' }), reply(304))
    await (await api(target)).text()
    const own = await api(target, { headers: { 'if-none-match': '"a"' } })
    expect([own.status, sent.length, traceOf(own)?.cache]).toEqual([304, 2, 'steadfetch; fwd=bypass'])
  })

  test('a response to HEAD renews the stored one to GET, or throws it away when it differs', async () => {
    const { api, sent, clock } = client(
      true,
      fresh('one', 'max-age=10', { etag: '"a"' }),
      reply(200, { etag: '"a"', 'cache-control': 'max-age=60' }),
      reply(200, { etag: '"b"', 'cache-control': 'max-age=0' }),
      fresh('two'),
    )
    await (await api(target)).text()
    await clock.advance(11_000)
    await api(target, { method: 'HEAD' })
    expect(await (await api(target)).text()).toBe('one')
    await clock.advance(61_000)
    await api(target, { method: 'HEAD' })
    expect(await (await api(target)).text()).toBe('two')
    expect(sent.map(({ init }) => init.method)).toEqual(['GET', 'HEAD', 'HEAD', 'GET'])
  })

  test('HEAD is answered by a fresh response to GET, without content', async () => {
    const { api, sent } = client(true, fresh('one'))
    await (await api(target)).text()
    const head = await api(target, { method: 'HEAD' })
    expect([head.status, await head.text(), sent.length]).toEqual([200, '', 1])
  })
})

describe('what a request asks for', () => {
  test.each<[string, RequestInit, number]>([
    ['no-cache', { headers: { 'cache-control': 'no-cache' } }, 2],
    ['Pragma', { headers: { pragma: 'no-cache' } }, 2],
    ['a lower age', { headers: { 'cache-control': 'max-age=5' } }, 2],
    ['a higher age', { headers: { 'cache-control': 'max-age=30' } }, 1],
    ['more freshness than is left', { headers: { 'cache-control': 'min-fresh=55' } }, 2],
    ['as much freshness as is left', { headers: { 'cache-control': 'min-fresh=40' } }, 1],
    ['the mode no-store', { cache: 'no-store' }, 2],
    ['the mode reload', { cache: 'reload' }, 2],
    ['the mode no-cache', { cache: 'no-cache' }, 2],
    ['the mode force-cache', { cache: 'force-cache' }, 1],
  ])('%s', async (_name, init, requests) => {
    const { api, sent, clock } = client(true, fresh('one'))
    await (await api(target)).text()
    await clock.advance(10_000)
    await (await api(target, init)).text()
    expect(sent).toHaveLength(requests)
  })

  test('max-stale and the mode force-cache take a stale response, must-revalidate forbids the first', async () => {
    for (const [control, init, requests] of [
      ['max-age=10', { headers: { 'cache-control': 'max-stale=60' } }, 1],
      ['max-age=10', { headers: { 'cache-control': 'max-stale=5' } }, 2],
      ['max-age=10', { headers: { 'cache-control': 'max-stale' } }, 1],
      ['max-age=10, must-revalidate', { headers: { 'cache-control': 'max-stale' } }, 2],
      ['max-age=10', { cache: 'force-cache' as const }, 1],
    ] as const) {
      const { api, sent, clock } = client(true, fresh('one', control))
      await (await api(target)).text()
      await clock.advance(20_000)
      await (await api(target, init)).text()
      expect(sent).toHaveLength(requests)
    }
  })

  test('only-if-cached is answered from the cache, or with a 504 without a request', async () => {
    const { api, sent } = client(true, fresh('one'))
    const init = { headers: { 'cache-control': 'only-if-cached' } }
    await expect(api(target, init)).rejects.toBeInstanceOf(GatewayTimeoutError)
    expect(sent).toHaveLength(0)
    await (await api(target)).text()
    expect(await (await api(target, init)).text()).toBe('one')
    expect(sent).toHaveLength(1)
  })

  test('an immutable response is not asked about for a lower age', async () => {
    const { api, sent } = client(true, fresh('one', 'max-age=60, immutable'))
    await (await api(target)).text()
    await (await api(target, { headers: { 'cache-control': 'max-age=0' } })).text()
    expect(sent).toHaveLength(1)
  })

  test('no-store in the request keeps its response out', async () => {
    const { api, sent } = client(true, fresh('one'))
    await (await api(target, { headers: { 'cache-control': 'no-store' } })).text()
    await (await api(target)).text()
    expect(sent).toHaveLength(2)
  })
})

describe('stale responses', () => {
  test('stale-while-revalidate answers at once and asks behind the back of the caller, once at a time', async () => {
    const { api, sent, clock } = client(true, fresh('one', 'max-age=10, stale-while-revalidate=60'), fresh('two'))
    await (await api(target)).text()
    await clock.advance(20_000)
    expect(await Promise.all([api(target), api(target)].map(async (call) => (await call).text()))).toEqual(['one', 'one'])
    await settle()
    expect(sent).toHaveLength(2)
    expect(await (await api(target)).text()).toBe('two')
    expect([sent.length, clock.armed]).toEqual([2, 0])
  })

  test('what fails behind the back of the caller is tried again by the next one', async () => {
    const { api, sent, clock } = client(
      true,
      fresh('one', 'max-age=10, stale-while-revalidate=60'),
      fetchFailed('ECONNRESET'),
      fresh('two'),
    )
    await (await api(target)).text()
    await clock.advance(20_000)
    await (await api(target)).text()
    await settle()
    expect(await (await api(target)).text()).toBe('one')
    await settle()
    expect(await (await api(target)).text()).toBe('two')
    expect(sent).toHaveLength(3)
  })

  test.each<[string, Response | Error]>([
    ['a 503', reply(503)],
    ['a lost connection', fetchFailed('ECONNRESET')],
  ])('stale-if-error answers with the stored response after %s', async (_name, failure) => {
    const { api, sent, clock } = client(true, fresh('one', 'max-age=10, stale-if-error=60'), failure)
    await (await api(target)).text()
    await clock.advance(20_000)
    const stale = await api(target)
    expect([await stale.text(), sent.length, traceOf(stale)?.attempts.length]).toEqual(['one', 2, 1])
    await clock.advance(60_000)
    await expect(api(target)).rejects.toThrow()
  })

  test('stale-if-error answers while the breaker is open, without a request', async () => {
    const clock = new FakeClock(Date.UTC(2100, 0, 1))
    const { transport, sent } = scripted(clock.now, fresh('one', 'max-age=10, stale-if-error=600'))
    const api = createFetch({ cache: true, breaker: true, transport, clock })
    await (await api(target)).text()
    api.breaker(target).isolate()
    await clock.advance(20_000)
    const stale = await api(target)
    expect([await stale.text(), sent.length]).toEqual(['one', 1])
    expect(traceOf(stale)?.cache).toBe('steadfetch; hit; fwd=stale; ttl=-10')
  })

  test('the caller may allow stale responses, the response may forbid them', async () => {
    for (const [control, staleIfErrorMs, works] of [
      ['max-age=10', 60_000, true],
      ['max-age=10', 0, false],
      ['max-age=10, must-revalidate', 60_000, false],
      ['max-age=10, no-cache', 60_000, false],
    ] as const) {
      const { api, clock } = client({ staleIfErrorMs }, fresh('one', control), reply(503))
      await (await api(target)).text()
      await clock.advance(20_000)
      const text = api(target).then((response) => response.text())
      if (works) await expect(text).resolves.toBe('one')
      else await expect(text).rejects.toThrow('503')
    }
  })
})

describe('whose response it is', () => {
  test('variants are kept apart by the fields that Vary names', async () => {
    const { api, sent } = client(true, (_target, init) =>
      fresh(String(init.headers['accept-language']), 'max-age=60', { vary: 'Accept-Language' }),
    )
    const inLanguage = async (language: string): Promise<string> =>
      (await api(target, { headers: { 'accept-language': language } })).text()
    expect([await inLanguage('de'), await inLanguage('fr'), await inLanguage('de'), await inLanguage('fr')]).toEqual([
      'de',
      'fr',
      'de',
      'fr',
    ])
    expect(sent).toHaveLength(2)
  })

  test.each(['authorization', 'cookie', 'x-api-key'])(
    'a response to one %s is not given to another, unless it is public',
    async (name) => {
      for (const [control, requests] of [
        ['max-age=60', 2],
        ['max-age=60, public', 1],
      ] as const) {
        const { api, sent } = client(true, fresh('secret', control))
        for (const value of ['one', 'two', 'one', 'two']) await (await api(target, { headers: { [name]: value } })).text()
        expect(sent).toHaveLength(requests)
      }
    },
  )

  test('a store never sees a credential', async () => {
    const seen: unknown[] = []
    const inner = new cacheStores.MemoryCacheStore()
    const store = {
      get(key: never) {
        seen.push(key)
        return inner.get(key)
      },
      createWriteStream(key: never, value: never) {
        seen.push(key, value)
        return inner.createWriteStream(key, value)
      },
      delete: (key: never) => inner.delete(key),
    }
    const { api } = client({ store }, fresh('one', 'max-age=60', { vary: 'authorization' }))
    for (const _ of [1, 2])
      await (await api(target, { headers: { authorization: 'Bearer hunter2', 'x-api-key': 'hunter3' } })).text()
    expect(seen).toHaveLength(4)
    expect(JSON.stringify(seen)).not.toMatch(/hunter/)
  })

  test.each([
    ['max-age=60', 2],
    ['max-age=60, public', 1],
    ['max-age=60, must-revalidate', 2],
    ['s-maxage=60', 2],
  ])('a shared cache stores a response to Authorization only if it says so: %s', async (control, requests) => {
    const { api, sent } = client({ shared: true }, fresh('one', control))
    for (const user of ['one', 'two']) await (await api(target, { headers: { authorization: user } })).text()
    expect(sent).toHaveLength(requests)
  })
})

describe('invalidation', () => {
  test('an unsafe request makes what is stored of its target, Location and Content-Location void', async () => {
    const { api, sent } = client(true, (_target, init) =>
      init.method === 'POST' ? reply(201, { location: '/other', 'content-location': 'https://else.example.com/x' }) : fresh('x'),
    )
    const targets = [target, 'https://api.example.com/other', 'https://else.example.com/x', 'https://api.example.com/third']
    for (const each of targets) await (await api(each)).text()
    await api(target, { method: 'POST' })
    for (const each of targets) await (await api(each)).text()
    expect(sent.slice(5).map((request) => request.target)).toEqual(targets.slice(0, 2))
  })

  test('a failed unsafe request and a safe one leave it as it is', async () => {
    const { api, sent } = client(true, (_target, init) => (init.method === 'DELETE' ? reply(403) : fresh('x')))
    await (await api(target)).text()
    await api(target, { method: 'DELETE' }).catch(() => {})
    await api(target, { method: 'OPTIONS' })
    await (await api(target)).text()
    expect(sent.map(({ init }) => init.method)).toEqual(['GET', 'DELETE', 'OPTIONS'])
  })
})

describe('content', () => {
  const body = (...parts: (string | Error)[]): ReadableStream<Uint8Array> =>
    new ReadableStream({
      pull(controller) {
        const part = parts.shift()
        if (part === undefined) controller.close()
        else if (part instanceof Error) controller.error(part)
        else controller.enqueue(new TextEncoder().encode(part))
      },
    })
  const of = (stream: ReadableStream<Uint8Array>) => () => new Response(stream, { headers: { 'cache-control': 'max-age=60' } })

  test('content that was cut short or abandoned is not kept', async () => {
    const { api, sent } = client(
      true,
      of(body('on', fetchFailed('ECONNRESET'))),
      of(body('a'.repeat(200_000), 'b'.repeat(200_000))),
      of(body('three')),
    )
    await expect((await api(target)).text()).rejects.toThrow()
    await (await api(target)).body?.cancel()
    expect(await (await api(target)).text()).toBe('three')
    expect(await (await api(target)).text()).toBe('three')
    expect(sent).toHaveLength(3)
  })

  test('what a caller does to the bytes it got does not change what is stored', async () => {
    const { api } = client(true, of(body('safe')))
    for (const _ of [1, 2, 3]) {
      const bytes = await (await api(target)).bytes()
      expect(new TextDecoder().decode(bytes)).toBe('safe')
      bytes.fill(0)
    }
    const stream = (await api(target)).body?.getReader()
    ;(await stream?.read())?.value?.fill(0)
    expect(await (await api(target)).text()).toBe('safe')
  })

  test('a response beyond the bound of the default store is delivered and not kept', async () => {
    const { api, sent } = client({ maxEntryBytes: 3 }, fresh('four'))
    for (const _ of [1, 2]) expect(await (await api(target)).text()).toBe('four')
    expect(sent).toHaveLength(2)
  })
})

describe('stores', () => {
  test.each([
    ['MemoryCacheStore', () => new cacheStores.MemoryCacheStore()],
    ['SqliteCacheStore', () => new cacheStores.SqliteCacheStore()],
  ])("undici's %s keeps, renews and forgets responses", async (_name, make) => {
    const { api, sent, clock } = client(
      { store: make() as CacheOptions['store'] & {} },
      fresh('one', 'max-age=10', { etag: '"a"', 'set-cookie': 'a=1' }),
      reply(304, { etag: '"a"', 'cache-control': 'max-age=10' }),
      reply(204),
      fresh('two'),
    )
    expect(await (await api(target)).text()).toBe('one')
    expect((await api(target)).headers.getSetCookie()).toEqual(['a=1'])
    await clock.advance(11_000)
    expect(await (await api(target)).text()).toBe('one')
    expect(await (await api(target)).text()).toBe('one')
    await api(target, { method: 'DELETE' })
    expect(await (await api(target)).text()).toBe('two')
    expect(sent).toHaveLength(4)
  })

  test('a store that gives content bit by bit, late', async () => {
    const inner = new cacheStores.MemoryCacheStore()
    const store = {
      async get(key: never) {
        await settle()
        const hit = inner.get(key) as { body: Buffer[] } | undefined
        if (hit === undefined) return undefined
        return {
          ...hit,
          body: (async function* () {
            for (const part of hit.body) for (const byte of part) yield Buffer.from([byte])
          })(),
        } as never
      },
      createWriteStream: (key: never, value: never) => inner.createWriteStream(key, value),
      delete: (key: never) => inner.delete(key),
    }
    const { api, sent } = client({ store }, fresh('abc'))
    for (const _ of [1, 2, 3]) expect(await (await api(target)).text()).toBe('abc')
    expect(sent).toHaveLength(1)
  })

  test('a store that fails is one that holds nothing', async () => {
    const broken = (): never => {
      throw new Error('disk full')
    }
    const { api, sent } = client(
      { store: { get: async () => broken(), createWriteStream: broken, delete: async () => broken() } },
      fresh('x'),
    )
    for (const _ of [1, 2]) expect(await (await api(target)).text()).toBe('x')
    await api(target, { method: 'DELETE' })
    expect(sent).toHaveLength(3)
  })

  test('a child shares the cache of its parent, and can have none or its own', async () => {
    const { api, sent } = client(true, fresh('x'))
    await (await api(target)).text()
    await (await api.extend({ maxAttempts: 2 })(target)).text()
    expect(sent).toHaveLength(1)
    await (await api.extend({ cache: false })(target)).text()
    await (await api.extend({ cache: true })(target)).text()
    expect(sent).toHaveLength(3)
  })

  test.each<[unknown, string]>([
    [1, 'createFetch: cache must be true, false or an object, got 1'],
    [{ shared: 1 }, 'createFetch: cache: shared must be true or false, got 1'],
    [{ store: {} }, 'createFetch: cache: store.get must be a function, got undefined'],
    [{ heuristicRatio: 2 }, 'createFetch: cache: heuristicRatio must be a number from 0 to 1, got 2'],
    [{ maxByte: 2 }, 'createFetch: cache: unknown option "maxByte"'],
    [{ store: new cacheStores.MemoryCacheStore(), maxBytes: 1 }, 'cache: maxBytes cannot be set beside a store of your own'],
  ])('an option that is none is refused: %o', (cache, message) => {
    expect(() => createFetch({ cache: cache as CacheOptions })).toThrow(message)
  })
})
