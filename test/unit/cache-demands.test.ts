import { expect, test } from 'vitest'
import { caching, controlled, dateAt, target, unchanged } from '../support/cache.ts'
import { rejection } from '../support/client.ts'

const text = async (response: Promise<Response>): Promise<string> => (await response).text()
const numbered = (control: string, fields: Record<string, string> = {}) => {
  let count = 0
  return () => controlled(control, String(++count), fields)
}
const directive = (value: string): RequestInit => ({ headers: { 'cache-control': value } })

test('the mode no-store neither reads nor writes, and says so to the caches on the way', async () => {
  const { fetch, sent, status } = caching([numbered('max-age=60')])
  expect(await text(fetch(target, { cache: 'no-store' }))).toBe('1')
  expect(await text(fetch(target))).toBe('2')
  const response = await fetch(target, { cache: 'no-store' })
  expect(await response.text()).toBe('3')
  expect(status(response)).toBe('steadfetch; fwd=bypass; fwd-status=200')
  expect(await text(fetch(target))).toBe('2')
  expect(sent[0]?.init.headers).toMatchObject({ pragma: 'no-cache', 'cache-control': 'no-cache' })
})

test('the mode reload does not read, and writes', async () => {
  const { fetch, sent, status } = caching([numbered('max-age=60', { etag: '"1"' })])
  await text(fetch(target))
  const response = await fetch(target, { cache: 'reload' })
  expect(await response.text()).toBe('2')
  expect(status(response)).toBe('steadfetch; fwd=request; fwd-status=200; stored')
  expect(sent[1]?.init.headers['if-none-match']).toBeUndefined()
  expect(await text(fetch(target))).toBe('2')
  expect(sent.length).toBe(2)
})

test('the mode no-cache validates what is fresh', async () => {
  const { fetch, sent, status } = caching([controlled('max-age=60', '1', { etag: '"1"' }), unchanged()])
  await text(fetch(target))
  const response = await fetch(target, { cache: 'no-cache' })
  expect(await response.text()).toBe('1')
  expect(status(response)).toBe('steadfetch; fwd=request; fwd-status=304; stored')
  expect(sent[1]?.init.headers).toMatchObject({ 'if-none-match': '"1"', 'cache-control': 'max-age=0' })
})

test('what is immutable is not validated in that mode while it is fresh', async () => {
  const { fetch, clock, sent } = caching([controlled('max-age=60, immutable', '1', { etag: '"1"' }), unchanged()])
  await text(fetch(target))
  expect(await text(fetch(target, { cache: 'no-cache' }))).toBe('1')
  expect(sent.length).toBe(1)
  await clock.advance(60_000)
  expect(await text(fetch(target, { cache: 'no-cache' }))).toBe('1')
  expect(sent.length).toBe(2)
})

test('the mode force-cache takes any stored response, and stores what it has to ask for', async () => {
  const { fetch, clock, sent, status } = caching([numbered('max-age=1, must-revalidate')])
  expect(await text(fetch(target, { cache: 'force-cache' }))).toBe('1')
  await clock.advance(3_600_000)
  const response = await fetch(target, { cache: 'force-cache' })
  expect(await response.text()).toBe('1')
  expect(status(response)).toBe('steadfetch; hit; ttl=-3599')
  expect(sent.length).toBe(1)
})

test('the mode only-if-cached sends nothing; fetch allows it for the same origin alone', async () => {
  const { fetch, clock, sent, status } = caching([numbered('max-age=1')], true, { errors: 'return' })
  const init = { cache: 'only-if-cached', mode: 'same-origin' } as const
  const none = await fetch(target, init)
  expect([none.status, status(none)]).toEqual([504, 'steadfetch; detail=only-if-cached'])
  await text(fetch(target))
  await clock.advance(3_600_000)
  expect(await text(fetch(target, init))).toBe('1')
  expect(sent.length).toBe(1)
  expect(await rejection(fetch(target, { cache: 'only-if-cached' }))).toBeInstanceOf(TypeError)
})

test('a Request carries its mode', async () => {
  const { fetch, sent } = caching([numbered('max-age=60')])
  await text(fetch(target))
  expect(await text(fetch(new Request(target, { cache: 'reload' })))).toBe('2')
  expect(sent.length).toBe(2)
})

test.each([
  ['no-cache', 10],
  ['max-age=0', 0],
  ['max-age=9', 10],
  ['max-age=x', 10],
  ['min-fresh=51', 10],
])('a request with %s is not answered by a response that is fresh, %d s old', async (value, seconds) => {
  const { fetch, clock, sent } = caching([numbered('max-age=60')])
  await text(fetch(target))
  await clock.advance(seconds * 1_000)
  expect(await text(fetch(target, directive(value)))).toBe('2')
  expect(sent.length).toBe(2)
})

test.each(['max-age=10', 'min-fresh=50', 'max-stale', 'x=1'])(
  'a request with %s is answered by one that is 10 s old',
  async (value) => {
    const { fetch, clock, sent } = caching([numbered('max-age=60')])
    await text(fetch(target))
    await clock.advance(10_000)
    expect(await text(fetch(target, directive(value)))).toBe('1')
    expect(sent.length).toBe(1)
  },
)

test('Pragma: no-cache counts where there is no Cache-Control', async () => {
  const { fetch, sent } = caching([numbered('max-age=60')])
  await text(fetch(target))
  expect(await text(fetch(target, { headers: { pragma: 'no-cache' } }))).toBe('2')
  expect(await text(fetch(target, { headers: { pragma: 'no-cache', 'cache-control': 'max-age=5' } }))).toBe('2')
  expect(sent.length).toBe(2)
})

test('a request with no-store is not answered from the store, nor its answer stored', async () => {
  const { fetch, sent } = caching([numbered('max-age=60')])
  expect(await text(fetch(target, directive('no-store')))).toBe('1')
  expect(await text(fetch(target))).toBe('2')
  expect(await text(fetch(target, directive('no-store')))).toBe('3')
  expect(sent.length).toBe(3)
})

test.each([
  ['max-stale', 'max-age=10', '1'],
  ['max-stale=50', 'max-age=10', '1'],
  ['max-stale=49', 'max-age=10', '2'],
  ['max-stale=x', 'max-age=10', '2'],
  ['max-stale', 'max-age=10, must-revalidate', '2'],
  ['max-stale', 'max-age=10, no-cache', '2'],
])('a request with %s, a minute after a response with %s, is given number %s', async (value, control, expected) => {
  const { fetch, clock } = caching([numbered(control)])
  await text(fetch(target))
  await clock.advance(60_000)
  expect(await text(fetch(target, directive(value)))).toBe(expected)
})

test.each(['proxy-revalidate', 's-maxage=10'])('%s forbids to use it stale in a shared cache alone', async (control) => {
  for (const [shared, expected] of [
    [true, '2'],
    [false, '1'],
  ] as const) {
    const { fetch, clock } = caching([numbered(`max-age=10, ${control}`)], { shared })
    await text(fetch(target))
    await clock.advance(60_000)
    expect(await text(fetch(target, directive('max-stale')))).toBe(expected)
  }
})

test('a shared cache answers the conditions of its caller while what it has is fresh', async () => {
  const fields = { etag: 'W/"1"', 'last-modified': dateAt(-60_000), 'content-type': 'text/plain' }
  const { fetch, clock, sent, status } = caching([controlled('max-age=60', 'content', fields)], { shared: true })
  await text(fetch(target))
  const ask = (headers: Record<string, string>) => fetch(target, { headers })
  const matched = await ask({ 'if-none-match': '"0", "1"', 'if-modified-since': dateAt(-90_000) })
  expect([matched.status, matched.headers.get('etag'), matched.headers.has('content-type')]).toEqual([304, 'W/"1"', false])
  expect(status(matched)).toBe('steadfetch; hit')
  expect((await ask({ 'if-modified-since': dateAt(-60_000) })).status).toBe(304)
  expect((await ask({ 'if-modified-since': dateAt(-61_000) })).status).toBe(200)
  expect((await ask({ 'if-none-match': '"2"' })).status).toBe(200)
  expect(sent.length).toBe(1)
  await ask({ 'if-match': '"1"' })
  await ask({ 'if-none-match': '"1"', range: 'bytes=0-1' })
  await clock.advance(60_000)
  await ask({ 'if-none-match': '"1"' })
  expect(sent.length).toBe(4)
})
