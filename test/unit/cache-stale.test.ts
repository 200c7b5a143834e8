import { expect, test } from 'vitest'
import { isNetworkError, isRefusedError, retry, traceOf } from '../../src/index.ts'
import { caching, controlled, target, unchanged } from '../support/cache.ts'
import { rejection } from '../support/client.ts'
import { settle } from '../support/fake-clock.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

const text = async (response: Promise<Response>): Promise<string> => (await response).text()
const failing = () => Promise.reject(fetchFailed('ECONNRESET'))
const once = { maxAttempts: 1 }

test('stale-while-revalidate answers at once and validates once, behind the back of the calls', async () => {
  let answer = (_: Response): void => {}
  const pending = () => new Promise<Response>((resolve) => (answer = resolve))
  const { fetch, clock, sent, status } = caching([
    controlled('max-age=10, stale-while-revalidate=60', 'old', { etag: '"1"' }),
    pending,
    unchanged({ 'cache-control': 'max-age=10, stale-while-revalidate=60' }),
  ])
  await text(fetch(target))
  await clock.advance(20_000)
  const stale = await fetch(target)
  expect(await stale.text()).toBe('old')
  expect(status(stale)).toBe('steadfetch; hit; ttl=-10')
  expect(traceOf(stale)?.attempts).toEqual([])
  expect(await text(fetch(target))).toBe('old')
  expect(sent.length).toBe(2)
  expect(sent[1]?.init.headers['if-none-match']).toBe('"1"')
  answer(controlled('max-age=10, stale-while-revalidate=60', 'new', { etag: '"2"' }))
  await settle()
  expect(await text(fetch(target))).toBe('new')
  expect(sent.length).toBe(2)
  await clock.advance(20_000)
  expect(await text(fetch(target))).toBe('new')
  await settle()
  expect((await fetch(target)).headers.get('age')).toBe('0')
  expect(sent.length).toBe(3)
  expect(clock.armed).toBe(0)
})

test('beyond its window, and where it is forbidden, the answer is waited for', async () => {
  for (const control of ['max-age=10, stale-while-revalidate=9', 'max-age=10, stale-while-revalidate=60, must-revalidate']) {
    const { fetch, clock, sent } = caching([controlled(control, 'old'), controlled('max-age=10', 'new')])
    await text(fetch(target))
    await clock.advance(20_000)
    expect(await text(fetch(target))).toBe('new')
    expect(sent.length).toBe(2)
  }
})

test("what goes wrong in the background is nobody's error, and is tried again by the next call", async () => {
  const { fetch, clock, sent } = caching(
    [controlled('max-age=10, stale-while-revalidate=600', 'old'), failing, reply(500), controlled('max-age=10', 'new')],
    true,
    once,
  )
  await text(fetch(target))
  await clock.advance(20_000)
  for (const expected of ['old', 'old', 'old', 'new']) {
    expect(await text(fetch(target))).toBe(expected)
    await settle()
  }
  expect(sent.length).toBe(4)
  expect(clock.armed).toBe(0)
})

test('the signal of the call that was answered does not end the validation; close does', async () => {
  const aborted: unknown[] = []
  const hanging = (_: string, { signal }: { signal: AbortSignal }) =>
    new Promise<Response>((_resolve, reject) => signal.addEventListener('abort', () => reject(aborted.push(signal.reason))))
  const { fetch, clock, sent } = caching([controlled('max-age=10, stale-while-revalidate=60', 'old'), hanging])
  await text(fetch(target))
  await clock.advance(20_000)
  const controller = new AbortController()
  expect(await text(fetch(target, { signal: controller.signal }))).toBe('old')
  controller.abort()
  await settle()
  expect(sent.length).toBe(2)
  expect(aborted.length).toBe(0)
  await fetch.close()
  await settle()
  expect(aborted).toEqual([new Error('the client is closed')])
  expect(clock.armed).toBe(0)
})

test('what the functions of the caller throw in the background is swallowed', async () => {
  let isBroken = false
  const on = {
    200: () => {
      if (isBroken) throw new Error('broken')
      return undefined
    },
  }
  const old = () => controlled('max-age=10, stale-while-revalidate=60', 'old')
  let answer = (_: Response): void => {}
  const pending = () => new Promise<Response>((resolve) => (answer = resolve))
  const { fetch, clock, sent } = caching([old, pending, old], true, { on })
  await text(fetch(target))
  await clock.advance(20_000)
  expect(await text(fetch(target))).toBe('old')
  isBroken = true
  answer(controlled('max-age=10', 'new'))
  await settle()
  isBroken = false
  expect(await text(fetch(target))).toBe('old')
  await settle()
  expect(sent.length).toBe(3)
  expect(clock.armed).toBe(0)
})

test('only-if-cached is answered within that window, and nothing is sent', async () => {
  const { fetch, clock, sent } = caching([controlled('max-age=10, stale-while-revalidate=60', 'old')])
  await text(fetch(target))
  await clock.advance(20_000)
  expect(await text(fetch(target, { headers: { 'cache-control': 'only-if-cached' } }))).toBe('old')
  await settle()
  expect(sent.length).toBe(1)
})

test('a validation in the background is retried as a call is', async () => {
  const { fetch, clock, sent } = caching([
    controlled('max-age=10, stale-while-revalidate=600', 'old'),
    failing,
    controlled('max-age=10', 'new'),
  ])
  await text(fetch(target))
  await clock.advance(20_000)
  await text(fetch(target))
  await clock.advance(50)
  expect(sent.length).toBe(3)
  expect((sent[2]?.atMs ?? 0) - (sent[1]?.atMs ?? 0)).toBe(50)
  expect(await text(fetch(target))).toBe('new')
})

test.each([
  ['500', reply(500)],
  ['502', reply(502)],
  ['503', reply(503)],
  ['504', reply(504)],
  ['a lost connection', failing],
])('stale-if-error answers in the place of %s', async (_, outcome) => {
  const { fetch, clock, sent, status } = caching([controlled('max-age=10, stale-if-error=60', 'old'), outcome], true, once)
  await text(fetch(target))
  await clock.advance(20_000)
  const response = await fetch(target)
  expect(await response.text()).toBe('old')
  expect(response.headers.get('age')).toBe('20')
  expect(status(response)).toMatch(/^steadfetch; fwd=stale;.* ttl=-10; detail=stale-if-error$/)
  expect(sent.length).toBe(2)
})

test.each([
  ['of a status that is the fault of the request', 'stale-if-error=60', reply(501), 501],
  ['beyond its window', 'stale-if-error=9', reply(503), 503],
  ['where must-revalidate forbids it', 'stale-if-error=60, must-revalidate', reply(503), 503],
  ['where no-cache forbids it', 'stale-if-error=60, no-cache', reply(503), 503],
  ['without it', 'x=1', reply(503), 503],
])('it does not in the place %s', async (_, control, outcome, status) => {
  const { fetch, clock } = caching([controlled(`max-age=10, ${control}`, 'old'), outcome], true, { ...once, errors: 'return' })
  await text(fetch(target))
  await clock.advance(20_000)
  expect((await fetch(target)).status).toBe(status)
})

test('a request may ask for it as well, and one that insists on validation has to', async () => {
  const { fetch, clock } = caching([controlled('max-age=10, stale-if-error=60', 'old'), reply(503)], true, {
    ...once,
    errors: 'return',
  })
  await text(fetch(target))
  const ask = (value: string) => fetch(target, { headers: { 'cache-control': value } })
  expect((await ask('no-cache')).status).toBe(503)
  expect((await ask('no-cache, stale-if-error=5')).status).toBe(200)
  await clock.advance(3_600_000)
  expect((await ask('stale-if-error=9')).status).toBe(503)
  expect((await ask('stale-if-error=3600')).status).toBe(200)
})

test('it answers once the attempts of the call are spent, not before', async () => {
  const { fetch, clock, sent } = caching([controlled('max-age=10, stale-if-error=60', 'old'), reply(503)])
  await text(fetch(target))
  await clock.advance(20_000)
  expect(await (await clock.drive(fetch(target))).text()).toBe('old')
  expect(sent.length).toBe(4)
  expect((sent[3]?.atMs ?? 0) - (sent[1]?.atMs ?? 0)).toBe(50 + 100)
})

test('it answers within the time limit of the call, and where that has passed', async () => {
  const { fetch, clock } = caching([controlled('max-age=10, stale-if-error=60', 'old'), () => new Promise(() => {})])
  await text(fetch(target))
  await clock.advance(20_000)
  const response = await clock.drive(fetch(target, { timeoutMs: 1_000 }))
  expect(await response.text()).toBe('old')
  expect(response.headers.get('age')).toBe('21')
  expect(clock.armed).toBe(0)
})

test('the caller who aborts gets his own reason', async () => {
  const { fetch, clock } = caching([controlled('max-age=10, stale-if-error=60', 'old'), () => new Promise(() => {})])
  await text(fetch(target))
  await clock.advance(20_000)
  const controller = new AbortController()
  const call = rejection(fetch(target, { signal: controller.signal }))
  await settle()
  controller.abort('enough')
  expect(await call).toBe('enough')
})

test('it answers where a breaker is open, without a request', async () => {
  const breaker = { minVolume: 1, openMs: 60_000, maxOpenMs: 60_000 }
  const { fetch, clock, sent } = caching([controlled('max-age=10, stale-if-error=60', 'old'), reply(503)], true, {
    ...once,
    breaker,
  })
  await text(fetch(target))
  await clock.advance(20_000)
  for (let call = 0; call < 5; call += 1) expect(await text(fetch(target))).toBe('old')
  expect(fetch.breaker('https://example.test').state).toBe('open')
  expect(sent.length).toBe(2)
  expect(isRefusedError(await rejection(fetch('https://example.test/other')))).toBe(true)
})

test('a hit asks nothing of what guards the origin', async () => {
  const rateLimit = { limit: 1, windowMs: 60_000, maxQueued: 0 }
  const { fetch, sent } = caching([controlled('max-age=10')], true, { rateLimit, breaker: true })
  await text(fetch(target))
  fetch.breaker('https://example.test').isolate()
  for (let call = 0; call < 5; call += 1) await text(fetch(target))
  expect(sent.length).toBe(1)
})

test('a private cache fails as fetch does where it must not use what it has; a shared one answers 504', async () => {
  const control = 'max-age=10, stale-if-error=60, must-revalidate'
  const ways = [false, true].map((shared) => caching([controlled(control), failing], { shared }, { ...once, errors: 'return' }))
  for (const { fetch, clock } of ways) {
    await text(fetch(target))
    await clock.advance(20_000)
  }
  expect(isNetworkError(await rejection((ways[0] as (typeof ways)[0]).fetch(target)))).toBe(true)
  expect((await (ways[1] as (typeof ways)[0]).fetch(target)).status).toBe(504)
})

test('what only the start is left of, because a retry was refused, is not stored', async () => {
  const long = 'x'.repeat(200_000)
  const { fetch, clock, sent } = caching([controlled('max-age=60', long, {}, 503), reply(503)], true, {
    errors: 'return',
    on: { 503: retry({ maxAttempts: 2 }) },
    breaker: { minVolume: 1, openMs: 60_000, maxOpenMs: 60_000 },
  })
  expect((await (await clock.drive(fetch(target))).text()).length).toBe(65_536)
  fetch.breaker('https://example.test').close()
  await (await clock.drive(fetch(target))).text()
  expect(sent.length).toBe(2)
})
