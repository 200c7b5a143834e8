import { describe, expect, test } from 'vitest'
import { type ClientOptions, type PolicyTable, poll, refresh, type SteadFetch, traceOf } from '../../src/index.ts'
import { controlled } from '../support/cache.ts'
import { clientOf } from '../support/client.ts'
import { settle } from '../support/fake-clock.ts'
import { reply } from '../support/scripted-transport.ts'

const target = 'https://a.test/me'
const policyOf = (name: string) => refresh(() => ({ authorization: name }))
const text = async (response: Promise<Response>): Promise<string> => (await response).text()

/** An origin that answers each user with what is theirs. */
const personal = (_target: string, { headers }: { headers: Record<string, string> }): Response =>
  headers.authorization === undefined ? reply(401) : controlled('max-age=60', `for ${headers.authorization}`)

/** Two children of one client, each with credentials of its own. */
function users(options: ClientOptions, on: (name: string) => PolicyTable = (name) => ({ 401: policyOf(name) })) {
  const { fetch, sent, clock } = clientOf([personal], options)
  return { alice: fetch.extend({ on: on('alice') }), bob: fetch.extend({ on: on('bob') }), sent, clock }
}

describe.each<[string, ClientOptions]>([
  ['a cache', { cache: true }],
  ['coalescing', { coalesce: true }],
])('with %s, what is answered to one user is never for another', (_what, options) => {
  const at = (fetch: SteadFetch, init = {}) => text(fetch(target, init))

  test('although both handle the refusal of their credentials in their own way', async () => {
    const { alice, bob, clock } = users(options)
    await Promise.all([text(alice(`${target}/1`)), text(bob(`${target}/2`))])
    const fails = { on: { 401: 'fail' } } as const
    expect(await Promise.all([at(alice, fails), at(bob, fails)])).toEqual(['for alice', 'for bob'])
    expect(await Promise.all([at(alice, fails), at(bob, fails)])).toEqual(['for alice', 'for bob'])
    expect(await Promise.all([at(bob), at(alice)])).toEqual(['for bob', 'for alice'])
    expect(clock.armed).toBe(0)
  })

  test('although it is functions that name the credentials', async () => {
    const { alice, bob, clock } = users(options, (name) => {
      const policy = policyOf(name)
      return { 401: () => policy }
    })
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await at(alice)).toBe('for alice')
      expect(await at(bob)).toBe('for bob')
      expect(await Promise.all([at(alice), at(bob)])).toEqual(['for alice', 'for bob'])
    }
    expect(clock.armed).toBe(0)
  })
})

test.each<[string, ClientOptions]>([
  ['a cache', { cache: true }],
  ['coalescing', { coalesce: true }],
])('with %s, what is answered to credentials is not for a call that another origin sent there', async (_what, options) => {
  const origin = (at: string, init: { headers: Record<string, string> }): Response =>
    at === 'https://b.test/' ? reply(307, { location: target }) : personal(at, init)
  const { fetch, clock } = clientOf([origin], { ...options, on: { 401: policyOf('alice') } })
  expect(await text(fetch(target))).toBe('for alice')
  const both = [fetch('https://b.test/').catch((error: { status: number }) => error), fetch(target)]
  const [sent, own] = await Promise.all(both)
  expect([sent?.status, await (own as Response).text()]).toEqual([401, 'for alice'])
  expect(clock.armed).toBe(0)
})

test('what a call gets with credentials that a function named is stored for the next one', async () => {
  const { alice, sent } = users({ cache: true }, (name) => {
    const policy = policyOf(name)
    return { 401: () => policy }
  })
  for (let turn = 0; turn < 3; turn += 1) expect(await text(alice(target))).toBe('for alice')
  // Refused, answered, and once more, since until then it was not known that they are needed.
  expect(sent.length).toBe(3)
})

test('a 401 to a validation has the credentials replaced, and the condition is asked again', async () => {
  const etag = '"1"'
  const replies = [
    reply(401),
    controlled('max-age=1', 'me', { etag }),
    reply(401),
    reply(304, { etag, 'cache-control': 'max-age=60' }),
  ]
  const { fetch, clock, sent } = clientOf(replies, {
    cache: true,
    on: { 401: refresh(({ previous }) => ({ authorization: previous === undefined ? 'a' : 'b' })) },
  })
  expect(await text(fetch(target))).toBe('me')
  await clock.advance(5_000)
  const response = await fetch(target)
  expect(await response.text()).toBe('me')
  expect(sent.map(({ init: { headers } }) => [headers.authorization, headers['if-none-match']])).toEqual([
    [undefined, undefined],
    ['a', undefined],
    ['a', etag],
    ['b', etag],
  ])
  expect(traceOf(response)?.cache).toContain('fwd=stale; fwd-status=304')
  expect(await text(fetch(target))).toBe('me')
  expect([sent.length, clock.armed]).toEqual([4, 0])
})

test('a response whose Vary names Cookie is not stored where a jar adds cookies that the cache does not see', async () => {
  let cookie = 'user=1'
  const answer = (_target: string, { headers }: { headers: Record<string, string> }): Response =>
    controlled('max-age=60', `for ${headers.cookie}`, { vary: 'Accept, Cookie' })
  const { fetch, sent } = clientOf([answer], { cache: true, cookies: { getCookieString: () => cookie, setCookie: () => {} } })
  expect(await text(fetch(target))).toBe('for user=1')
  cookie = 'user=2'
  expect(await text(fetch(target))).toBe('for user=2')
  expect(sent.length).toBe(2)
})

test.each([
  ['max-age=60', 3],
  ['max-age=60, public', 2],
])('of a response with %s to credentials from a source a shared cache asks %d times', async (control, requests) => {
  const answer = (_target: string, { headers }: { headers: Record<string, string> }): Response =>
    headers.authorization === undefined ? reply(401) : controlled(control)
  const { fetch, sent } = clientOf([answer], { cache: { shared: true }, on: { 401: policyOf('alice') } })
  await text(fetch(target))
  await text(fetch(target))
  expect(sent.length).toBe(requests)
})

test('a validation behind an answer has no more credentials than the call that was redirected to it', async () => {
  const asked: string[] = []
  const origin = (at: string, { headers }: { headers: Record<string, string> }): Response => {
    if (at === target) return reply(307, { location: 'https://b.test/x' })
    const content = controlled('max-age=1, stale-while-revalidate=100', 'x', { etag: '"1"' })
    return headers['if-none-match'] === undefined ? content : reply(401)
  }
  const { fetch, clock, sent } = clientOf([origin], {
    cache: true,
    on: {
      401: refresh(({ request }) => {
        asked.push(request.url)
        return { authorization: 'token' }
      }),
    },
  })
  expect(await text(fetch(target))).toBe('x')
  await clock.advance(5_000)
  expect(await text(fetch(target))).toBe('x')
  await settle()
  expect(sent.map((request) => [request.target, request.init.headers.authorization])).toEqual([
    [target, undefined],
    ['https://b.test/x', undefined],
    [target, undefined],
    ['https://b.test/x', undefined],
  ])
  expect([asked, clock.armed]).toEqual([[], 0])
})

describe('credentials of a service with several endpoints', () => {
  const endpoints = ['https://one.test', 'https://two.test']
  const options = {
    baseUrl: 'https://a.test',
    endpoints,
    headers: { 'x-api-key': 'key' },
    on: { 202: poll(), 401: policyOf('token') },
  }

  test.each([
    ['a redirect', () => reply(307, { location: 'https://a.test/job' }), { method: 'GET' }],
    ['a status monitor', () => reply(202, { location: 'https://a.test/job' }), { method: 'POST' }],
  ])('stay with the call when %s names the service', async (_what, first, init) => {
    const { fetch, clock, sent } = clientOf([reply(401), first, reply(200, {}, 'done')], options)
    expect(await clock.drive(text(fetch('start', init)))).toBe('done')
    expect(sent.map(({ init: { headers } }) => [headers.authorization, headers['x-api-key']])).toEqual([
      [undefined, 'key'],
      ['token', 'key'],
      ['token', 'key'],
    ])
    expect(sent.every(({ target: asked }) => endpoints.includes(new URL(asked).origin))).toBe(true)
    expect(clock.armed).toBe(0)
  })

  test('do not when it leads to another origin', async () => {
    const { fetch, clock, sent } = clientOf([reply(401), reply(307, { location: 'https://b.test/job' }), reply(200)], options)
    await clock.drive(fetch('start'))
    expect(sent.map(({ init: { headers } }) => [headers.authorization, headers['x-api-key']]).at(-1)).toEqual([
      undefined,
      undefined,
    ])
  })
})

test('a request with a key has the same one when it is refreshed, repeated and hedged', async () => {
  const never = (_target: string, { signal }: { signal: AbortSignal }): Promise<Response> =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  const { fetch, clock, sent } = clientOf([reply(401), reply(503), never, reply(200, {}, 'done')], {
    idempotencyKey: true,
    hedge: { afterMs: 50 },
    on: { 401: policyOf('token') },
  })
  const done = text(fetch(target, { method: 'POST', body: 'x' }))
  await settle()
  expect(await clock.drive(done)).toBe('done')
  expect(sent.map(({ body, init }) => [body, init.headers.authorization])).toEqual([
    ['x', undefined],
    ['x', 'token'],
    ['x', 'token'],
    ['x', 'token'],
  ])
  expect(new Set(sent.map(({ init }) => init.headers['idempotency-key'])).size).toBe(1)
  expect(clock.armed).toBe(0)
})
