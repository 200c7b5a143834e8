import { describe, expect, test } from 'vitest'
import { type ClientOptions, createFetch, refresh, traceOf } from '../../src/index.ts'
import { arriving } from '../support/arriving.ts'
import { cut, etag, rest, whole } from '../support/breaking.ts'
import { controlled } from '../support/cache.ts'
import { clientOf, gaps, rejection } from '../support/client.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { HeldTransport } from '../support/held-transport.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

const target = 'https://a.test/file'
const fresh = { 'cache-control': 'max-age=60' }

describe.each<[string, ClientOptions]>([
  ['a cache', { cache: true, coalesce: false }],
  ['a cache and coalescing', { cache: true }],
  ['coalescing', { coalesce: true }],
  ['a limit of bytes', { maxResponseBytes: 1_000 }],
  ['somebody who is told of its progress', { onDownloadProgress: () => {} }],
])('a download that is resumed, beside %s,', (_what, options) => {
  test('goes on after a silence, and the call has no other limit of it', async () => {
    const silent = arriving()
    const first = (): Response => new Response(silent.body, { headers: { etag, 'content-length': '10', ...fresh } })
    const { fetch, clock, sent } = clientOf([first, rest(3)], { resume: true, idleTimeoutMs: 1_000, ...options })
    const text = fetch(target).then((response) => response.text())
    await settle()
    silent.part('012')
    expect(await clock.drive(text)).toBe(whole)
    expect(gaps(sent)).toEqual([1_050])
    expect([silent.cancelled, clock.armed]).toEqual([true, 0])
  })

  test('fails with the limit of silence where the rest is silent, too', async () => {
    const { fetch, clock, sent } = clientOf(
      [
        () => new Response(arriving().body, { headers: { etag, 'content-length': '10', ...fresh } }),
        () => new Response(arriving().body, { status: 206, headers: { etag, 'content-range': 'bytes 0-9/10' } }),
      ],
      { resume: { maxAttempts: 1 }, idleTimeoutMs: 1_000, ...options },
    )
    const error = await clock.drive(rejection(fetch(target).then((response) => response.text())))
    expect(error).toMatchObject({ name: 'TimeoutError', kind: 'idle', attempts: 2 })
    expect(traceOf(error)?.notRepeated).toBe('resumptions spent')
    expect([gaps(sent), clock.armed]).toEqual([[1_050], 0])
  })

  test('says why it was not, where it was not', async () => {
    const { fetch, clock, sent } = clientOf([cut('012', fresh), reply(200, { etag: '"v2"' }, 'abcdefghij')], {
      resume: true,
      ...options,
    })
    const error = await clock.drive(rejection(fetch(target).then((response) => response.text())))
    expect(error).toMatchObject({ name: 'NetworkError', attempts: 2 })
    expect(traceOf(error)?.notRepeated).toBe('representation changed')
    expect([sent.length, clock.armed]).toEqual([2, 0])
  })
})

test('what was put together is stored whole, as what it began as', async () => {
  const { fetch, clock, sent } = clientOf([cut('012', fresh), rest(3)], { cache: true, resume: true })
  expect(await clock.drive(fetch(target).then((response) => response.text()))).toBe(whole)
  const hit = await fetch(target)
  expect([hit.status, hit.headers.get('content-length'), hit.headers.get('content-range')]).toEqual([200, '10', null])
  expect(await hit.text()).toBe(whole)
  expect([sent.length, clock.armed]).toEqual([2, 0])
})

test('what could not be put together is not stored, nor is what came in its place', async () => {
  const changed = reply(200, { etag: '"v2"', ...fresh }, 'abcdefghij')
  const { fetch, clock, sent } = clientOf([cut('012', fresh), changed, controlled('max-age=60', 'third')], {
    cache: true,
    resume: true,
  })
  await clock.drive(rejection(fetch(target).then((response) => response.text())))
  expect(await (await fetch(target)).text()).toBe('third')
  expect(sent.length).toBe(3)
})

test('what takes the place of a stored response is resumed, without the conditions of the cache', async () => {
  const { fetch, clock, sent } = clientOf([controlled('max-age=1', 'old', { etag: '"old"' }), cut('012', fresh), rest(3)], {
    cache: true,
    resume: true,
  })
  await (await fetch(target)).text()
  await clock.advance(5_000)
  const response = await fetch(target)
  expect(await clock.drive(response.text())).toBe(whole)
  expect(sent.map(({ init: { headers } }) => [headers['if-none-match'], headers['if-range'], headers.range])).toEqual([
    [undefined, undefined, undefined],
    ['"old"', undefined, undefined],
    [undefined, etag, 'bytes=3-'],
  ])
  expect(await (await fetch(target)).text()).toBe(whole)
  expect(sent.length).toBe(3)
})

test('credentials that were replaced for the first part may have to be for the rest', async () => {
  const given: string[] = []
  const { fetch, clock, sent } = clientOf([reply(401), cut('012'), reply(401), rest(3)], {
    resume: true,
    on: {
      401: refresh(() => {
        given.push(`token-${given.length + 1}`)
        return { authorization: given.at(-1) as string }
      }),
    },
  })
  expect(await clock.drive(fetch(target).then((response) => response.text()))).toBe(whole)
  expect(sent.map(({ init }) => init.headers.authorization)).toEqual([undefined, 'token-1', 'token-1', 'token-2'])
  expect(clock.armed).toBe(0)
})

test('a hedge of a request for several calls may be what breaks off, and its rest is hedged, too', async () => {
  const clock = new FakeClock()
  const held = new HeldTransport(clock.now)
  const options = { transport: held.send, clock, random: () => 0.5, cache: true, resume: true, hedge: { afterMs: 10 } } as const
  const fetch = createFetch(options)
  const both = [fetch(target), fetch(target)].map(async (response) => (await response).text())
  await clock.advance(20)
  expect(held.sent.length).toBe(2)
  await held.sent[1]?.answer(cut('012', fresh)())
  await clock.advance(100)
  expect(held.sent.length).toBe(4)
  await held.sent[3]?.answer(rest(3)())
  expect(await Promise.all(both)).toEqual([whole, whole])
  expect(await (await fetch(target)).text()).toBe(whole)
  expect([held.sent.length, held.underWay, clock.armed]).toEqual([4, 0, 0])
})

test('a connection lost while one of two callers has enough for now is resumed once both read on', async () => {
  const content = arriving()
  const first = (): Response => new Response(content.body, { headers: { etag, 'content-length': '10' } })
  const { fetch, clock, sent } = clientOf([first, rest(3)], { coalesce: true, resume: true })
  const [one, other] = (await Promise.all([fetch(target), fetch(target)])) as [Response, Response]
  const read = one.text()
  content.part('012')
  await settle()
  content.fail(fetchFailed('ECONNRESET'))
  expect(await clock.drive(read)).toBe(whole)
  expect(await other.text()).toBe(whole)
  expect([gaps(sent), clock.armed]).toEqual([[50], 0])
})
