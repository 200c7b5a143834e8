import { expect, test } from 'vitest'
import { createFetch, GatewayTimeoutError, NotFoundError, traceOf } from '../../src/index.ts'
import { caching, controlled, dateAt, target, unchanged } from '../support/cache.ts'
import { clientOf, rejection } from '../support/client.ts'
import { reply } from '../support/scripted-transport.ts'

const text = async (response: Promise<Response>): Promise<string> => (await response).text()

test('a fresh response answers without a request, and looks as it did', async () => {
  const fields = { 'content-type': 'text/plain', 'x-a': '1', date: dateAt(0) }
  const { fetch, clock, sent, status } = caching([controlled('max-age=60', 'content', fields)])
  const first = await fetch(target)
  expect(await first.text()).toBe('content')
  await clock.advance(30_000)
  const second = await fetch(target)
  expect(sent.length).toBe(1)
  expect(await second.text()).toBe('content')
  expect(second).toMatchObject({ status: 200, ok: true, url: target, redirected: false, type: 'basic' })
  expect(Object.fromEntries(second.headers)).toEqual({ ...Object.fromEntries(first.headers), age: '30' })
  expect(first.headers.has('age')).toBe(false)
  expect(status(first)).toBe('steadfetch; fwd=miss; fwd-status=200; stored')
  expect(status(second)).toBe('steadfetch; hit; ttl=30')
  expect(traceOf(second)?.attempts).toEqual([])
  expect(clock.armed).toBe(0)
})

test('once it is stale it is validated, and a 304 brings new fields, but not those of the content', async () => {
  const { fetch, clock, sent, status } = caching([
    controlled('max-age=60', 'content', { etag: '"1"', 'last-modified': dateAt(-600_000), 'x-a': '1', 'x-b': '1', age: '10' }),
    unchanged({ etag: '"1"', 'x-a': '2', 'cache-control': 'max-age=100', date: dateAt(50_000), 'content-length': '3' }),
  ])
  expect(await text(fetch(target))).toBe('content')
  await clock.advance(50_000)
  const validated = await fetch(target)
  expect(sent[1]?.init.headers).toMatchObject({ 'if-none-match': '"1"', 'if-modified-since': dateAt(-600_000) })
  expect(await validated.text()).toBe('content')
  expect(Object.fromEntries(validated.headers)).toMatchObject({ 'x-a': '2', 'x-b': '1', 'cache-control': 'max-age=100' })
  expect(validated.status).toBe(200)
  expect(validated.headers.has('age')).toBe(false)
  expect(validated.headers.get('content-length')).not.toBe('3')
  expect(status(validated)).toBe('steadfetch; fwd=stale; fwd-status=304; stored')
  await clock.advance(99_000)
  expect((await fetch(target)).headers.get('age')).toBe('99')
  expect(sent.length).toBe(2)
})

test('a response that has changed takes the place of the stored one', async () => {
  const { fetch, clock, sent } = caching([
    controlled('max-age=1', 'old', { etag: '"1"' }),
    controlled('max-age=60', 'new', { etag: '"2"' }),
  ])
  expect(await text(fetch(target))).toBe('old')
  await clock.advance(1_000)
  expect(await text(fetch(target))).toBe('new')
  expect(await text(fetch(target))).toBe('new')
  expect(sent.length).toBe(2)
})

test('a 304 about another response is of no use, and what was asked for is sent without conditions', async () => {
  const { fetch, clock, sent } = caching([
    controlled('max-age=1', 'old', { etag: '"1"' }),
    unchanged({ etag: '"2"' }),
    controlled('max-age=60', 'new', { etag: '"2"' }),
  ])
  await text(fetch(target))
  await clock.advance(2_000)
  expect(await text(fetch(target))).toBe('new')
  expect(sent.map(({ init }) => init.headers['if-none-match'])).toEqual([undefined, '"1"', undefined])
})

test('a redirect does not take the conditions of a validation with it', async () => {
  const moved = () => reply(302, { location: '/b' })
  const { fetch, clock, sent } = caching([controlled('max-age=1', 'a', { etag: '"1"' }), moved(), controlled('no-store', 'b')])
  await text(fetch(target))
  await clock.advance(2_000)
  expect(await text(fetch(target))).toBe('b')
  expect(sent[1]?.init.headers['if-none-match']).toBe('"1"')
  expect(sent[2]).toMatchObject({ target: 'https://example.test/b' })
  expect(sent[2]?.init.headers['if-none-match']).toBeUndefined()
})

test('redirects are stored, too, and followed from there', async () => {
  const { fetch, sent } = caching([
    reply(301, { location: '/b', 'cache-control': 'max-age=60' }, 'moved'),
    controlled('max-age=60', 'b'),
  ])
  expect(await text(fetch(target))).toBe('b')
  const again = await fetch(target)
  expect(await again.text()).toBe('b')
  expect(again.redirected).toBe(true)
  expect(sent.length).toBe(2)
})

test.each([
  ['no-store', 'max-age=60, no-store', 200],
  ['a status that is not understood', 'max-age=60, no-store, must-understand', 599],
  ['nothing that tells how long it is fresh', 'x=1', 200],
  ['a part of the representation', 'max-age=60', 206],
])('a response with %s is not stored', async (_, control, status) => {
  const { fetch, sent } = caching([controlled(control, 'content', {}, status)], true, { errors: 'return', maxAttempts: 1 })
  await text(fetch(target))
  await text(fetch(target))
  expect(sent.length).toBe(2)
})

test('must-understand takes the place of no-store where the status is understood', async () => {
  const { fetch, sent } = caching([controlled('max-age=60, no-store, must-understand')])
  await text(fetch(target))
  await text(fetch(target))
  expect(sent.length).toBe(1)
})

test('with no-cache a stored response answers only once it is validated', async () => {
  const { fetch, sent } = caching([controlled('max-age=60, no-cache', 'content', { etag: '"1"' }), unchanged(), unchanged()])
  for (let call = 0; call < 3; call += 1) expect(await text(fetch(target))).toBe('content')
  expect(sent.map(({ init }) => init.headers['if-none-match'])).toEqual([undefined, '"1"', '"1"'])
})

test('an error that may be stored is thrown again without a request', async () => {
  const { fetch, sent, status } = caching([controlled('max-age=60', 'none', {}, 404)])
  await rejection(fetch(target))
  const error = await rejection(fetch(target))
  expect(error).toBeInstanceOf(NotFoundError)
  expect((error as NotFoundError).body).toBe('none')
  expect(status(error)).toBe('steadfetch; hit; ttl=60')
  expect(sent.length).toBe(1)
})

test('fields of the connection are not stored, nor those it names', async () => {
  const fields = { connection: 'x-hop', 'x-hop': '1', 'keep-alive': 'x', 'proxy-authenticate': 'x', 'x-end': '1' }
  const { fetch } = caching([controlled('max-age=60', 'content', fields)])
  await text(fetch(target))
  expect([...(await fetch(target)).headers.keys()]).toEqual(['age', 'cache-control', 'content-type', 'x-end'])
})

test('several Set-Cookie fields stay several', async () => {
  const response = controlled('max-age=60')
  response.headers.append('set-cookie', 'a=1')
  response.headers.append('set-cookie', 'b=2')
  const { fetch } = caching([() => response])
  await text(fetch(target))
  expect((await fetch(target)).headers.getSetCookie()).toEqual(['a=1', 'b=2'])
})

test('each combination of the fields that Vary names has a response of its own', async () => {
  const by = (value: string) => controlled('max-age=60', value, { vary: 'Accept-Language, X-A' })
  const { fetch, sent } = caching([by('en'), by('de'), by('none')])
  const ask = (language?: string) =>
    text(fetch(target, language === undefined ? {} : { headers: { 'accept-language': language } }))
  expect([await ask('en'), await ask('de'), await ask()]).toEqual(['en', 'de', 'none'])
  expect([await ask('EN'), await ask('de'), await ask()]).toEqual(['en', 'de', 'none'])
  expect(sent.length).toBe(3)
})

test.each(['*', 'Accept, *', ', *'])('Vary: %s answers nothing else', async (vary) => {
  const { fetch, sent } = caching([controlled('max-age=60', 'content', { vary })])
  await text(fetch(target))
  await text(fetch(target))
  expect(sent.length).toBe(2)
})

test('another query is another target', async () => {
  const { fetch, sent } = caching([controlled('max-age=60')])
  await text(fetch(`${target}1`))
  await text(fetch(`${target}2`))
  expect(sent.length).toBe(2)
})

test('HEAD is answered by the response to GET, without its content', async () => {
  const { fetch, sent } = caching([controlled('max-age=60', 'content', { 'content-length': '7' })])
  await text(fetch(target))
  const head = await fetch(target, { method: 'HEAD' })
  expect(head.headers.get('content-length')).toBe('7')
  expect(head.body).toBeNull()
  expect(sent.length).toBe(1)
})

test('the answer to HEAD renews a stored response that it describes, and removes another one', async () => {
  const head = (etag: string) => reply(200, { 'cache-control': 'max-age=60', etag, 'x-a': '2' })
  const { fetch, clock, sent } = caching([
    controlled('max-age=1', 'content', { etag: '"1"' }),
    head('"1"'),
    head('"2"'),
    controlled('max-age=60', 'new'),
  ])
  await text(fetch(target))
  await clock.advance(2_000)
  await fetch(target, { method: 'HEAD' })
  const renewed = await fetch(target)
  expect([await renewed.text(), renewed.headers.get('x-a')]).toEqual(['content', '2'])
  expect(sent.length).toBe(2)
  await clock.advance(61_000)
  await fetch(target, { method: 'HEAD' })
  expect(await text(fetch(target, { cache: 'force-cache' }))).toBe('new')
  expect(sent.length).toBe(4)
})

test('a 204 is stored, and needs no reading', async () => {
  const { fetch, sent } = caching([reply(204, { 'cache-control': 'max-age=60' })])
  await fetch(target)
  expect((await fetch(target)).status).toBe(204)
  expect(sent.length).toBe(1)
})

test.each([
  ['if-none-match', '"1"'],
  ['if-modified-since', dateAt(0)],
  ['if-match', '"1"'],
  ['if-range', '"1"'],
  ['range', 'bytes=0-1'],
])('a request with %s of its own passes untouched, and is answered by the origin', async (name, value) => {
  const { fetch, sent, status } = caching([controlled('max-age=60', 'content', { etag: '"1"' }), unchanged({ etag: '"1"' })])
  await text(fetch(target))
  const response = await fetch(target, { headers: { [name]: value } })
  expect(response.status).toBe(304)
  expect(sent[1]?.init.headers[name]).toBe(value)
  expect(status(response)).toBe('steadfetch; fwd=bypass; fwd-status=304')
  await text(fetch(target))
  expect(sent.length).toBe(2)
})

test('a clock that steps back does not make a response younger than it is', async () => {
  const { fetch, sent } = caching([controlled('max-age=60', 'content', { date: dateAt(5_000) })])
  await text(fetch(target))
  expect((await fetch(target)).headers.get('age')).toBe('0')
  expect(sent.length).toBe(1)
})

test('a policy function is asked about a stored response as about any other', async () => {
  const asked: number[] = []
  const on = {
    200: ({ response }: { response: Response }) => {
      asked.push(Number(response.headers.get('age')))
      return 'accept' as const
    },
  }
  const { fetch, clock, sent } = caching([controlled('max-age=60')], true, { on })
  await text(fetch(target))
  await clock.advance(5_000)
  expect(await text(fetch(target))).toBe('content')
  expect(asked).toEqual([0, 5])
  expect(sent.length).toBe(1)
})

test('a policy function that reads a clone leaves the content to the caller and to the store', async () => {
  const on = {
    200: async ({ response }: { response: Response }) =>
      (await response.clone().text()) === 'content' ? undefined : ('fail' as const),
  }
  const { fetch, sent } = caching([controlled('max-age=60')], true, { on })
  expect(await text(fetch(target))).toBe('content')
  expect(await text(fetch(target))).toBe('content')
  expect(sent.length).toBe(1)
})

test('integrity is checked for stored content as well', async () => {
  const { fetch } = caching([controlled('max-age=60')])
  await text(fetch(target))
  const error = await rejection(fetch(target, { integrity: 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' }))
  expect(error).toMatchObject({ code: 'ERR_STEADFETCH_BODY_INTEGRITY' })
})

test('a signal that is aborted already rejects although there is a stored response', async () => {
  const { fetch } = caching([controlled('max-age=60')])
  await text(fetch(target))
  expect(await rejection(fetch(target, { signal: AbortSignal.abort('enough') }))).toBe('enough')
})

test('a child shares the cache of its parent, unless it has one of its own or none', async () => {
  const { fetch, sent } = caching([controlled('max-age=60')])
  await text(fetch(target))
  await text(fetch.extend({ headers: { 'x-a': '1' } })(target))
  expect(sent.length).toBe(1)
  await text(fetch.extend({ cache: true })(target))
  await text(fetch.extend({ cache: false })(target))
  expect(sent.length).toBe(3)
})

test('without the option nothing is stored, and the trace tells of no cache', async () => {
  const { fetch, sent } = clientOf([controlled('max-age=60')])
  await text(fetch(target))
  const response = await fetch(target)
  expect(sent.length).toBe(2)
  expect(Object.keys(traceOf(response) as object)).toEqual(['attempts', 'redirects', 'totalMs'])
})

test('of several endpoints one is asked, and the response is stored for the service that the call names', async () => {
  const endpoints = ['https://a.test', 'https://b.test']
  const { fetch, clock, sent } = caching([controlled('max-age=60', 'content', { etag: '"1"' }), unchanged()], true, {
    endpoints,
    hedge: true,
  })
  expect(await text(fetch('/x'))).toBe('content')
  expect(await text(fetch('/x'))).toBe('content')
  expect(await text(fetch('https://a.test/x'))).toBe('content')
  expect(sent.length).toBe(1)
  await clock.advance(60_000)
  expect(await text(fetch('/x'))).toBe('content')
  expect(sent[1]?.init.headers['if-none-match']).toBe('"1"')
  expect(sent.length).toBe(2)
  await fetch('/x', { method: 'POST' })
  await rejection(fetch('/x', { headers: { 'cache-control': 'only-if-cached' } }))
  expect(sent.length).toBe(3)
  expect(clock.armed).toBe(0)
})

test('data: targets are none of the cache', async () => {
  const { fetch, sent } = caching([controlled('max-age=60')])
  expect(await text(fetch('data:,a'))).toBe('a')
  expect(sent.length).toBe(0)
})

test.each([
  [{ cache: 1 }, 'createFetch: cache must be true, false or an object, got 1'],
  [{ cache: { sharde: true } }, 'createFetch: cache: unknown option "sharde"'],
  [{ cache: { shared: 1 } }, 'createFetch: cache: shared must be true or false, got 1'],
  [{ cache: { heuristicRatio: 2 } }, 'createFetch: cache: heuristicRatio must be a number from 0 to 1, got 2'],
  [{ cache: { maxBytes: -1 } }, 'createFetch: cache: maxBytes must be a whole number of at least 0, got -1'],
  [{ cache: { store: {} } }, 'createFetch: cache: store.get must be a function, got undefined'],
])('%j is refused', (options, message) => {
  expect(() => createFetch(options as never)).toThrow(message)
})

test('limits of the default store have no meaning for another one', () => {
  const store = { get: () => undefined, createWriteStream: () => undefined, delete: () => {} }
  expect(() => createFetch({ cache: { store, maxBytes: 1 } })).toThrow('maxBytes is a limit of the default store')
})

test('only-if-cached answers 504 where nothing is stored, as an error by default', async () => {
  const { fetch, sent } = caching([controlled('max-age=60')])
  const init = { headers: { 'cache-control': 'only-if-cached' } }
  const error = await rejection(fetch(target, init))
  expect(error).toBeInstanceOf(GatewayTimeoutError)
  expect(sent.length).toBe(0)
  await text(fetch(target))
  expect(await text(fetch(target, init))).toBe('content')
  expect(sent.length).toBe(1)
})
