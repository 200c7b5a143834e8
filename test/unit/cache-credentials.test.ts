import { expect, test } from 'vitest'
import type { CacheKey, CacheValue } from '../../src/index.ts'
import { MemoryStore } from '../../src/policy/memory-store.ts'
import { caching, controlled, target } from '../support/cache.ts'

const text = async (response: Promise<Response>): Promise<string> => (await response).text()
const echo =
  (control: string, fields: Record<string, string> = {}) =>
  (_: string, { headers }: { headers: Record<string, string> }) =>
    controlled(control, JSON.stringify([headers.authorization, headers.cookie, headers['x-api-key']]), fields)

test.each(['authorization', 'cookie', 'x-api-key'])(
  'a private cache keeps the responses to different values of %s apart',
  async (name) => {
    const { fetch, sent } = caching([echo('max-age=60')])
    const ask = (value?: string) => text(fetch(target, value === undefined ? {} : { headers: { [name]: value } }))
    const [alice, bob] = [await ask('alice'), await ask('bob')]
    expect(alice).toContain('alice')
    expect(bob).toContain('bob')
    expect(await ask()).not.toMatch(/alice|bob/)
    expect(sent.length).toBe(3)
    expect(await ask('alice')).toBe(alice)
    expect(await ask('bob')).toBe(bob)
    expect(sent.length).toBe(3)
  },
)

test.each(['authorization', 'cookie', 'x-api-key'])('a response without %s does not answer a request with it', async (name) => {
  const { fetch, sent } = caching([echo('max-age=60')])
  await text(fetch(target))
  expect(await text(fetch(target, { headers: { [name]: 'alice' } }))).toContain('alice')
  expect(sent.length).toBe(2)
})

test('public says that it is the same for all', async () => {
  const { fetch, sent } = caching([echo('max-age=60, public')])
  await text(fetch(target, { headers: { authorization: 'alice' } }))
  await text(fetch(target, { headers: { authorization: 'bob' } }))
  expect(sent.length).toBe(1)
})

test('a Vary that names the credentials counts although the response is public', async () => {
  const { fetch, sent } = caching([echo('max-age=60, public', { vary: 'authorization' })])
  await text(fetch(target, { headers: { authorization: 'alice' } }))
  expect(await text(fetch(target, { headers: { authorization: 'bob' } }))).toContain('bob')
  expect(sent.length).toBe(2)
})

test.each([
  ['max-age=60', 2],
  ['max-age=60, public', 1],
  ['max-age=60, must-revalidate', 1],
  ['s-maxage=60', 1],
  ['max-age=60, private', 2],
  ['max-age=60, private="x"', 2],
])('of an authenticated response with %s a shared cache is asked twice, and asks %d times', async (control, requests) => {
  const { fetch, sent } = caching([echo(control)], { shared: true })
  await text(fetch(target, { headers: { authorization: 'alice' } }))
  await text(fetch(target, { headers: { authorization: 'alice' } }))
  expect(sent.length).toBe(requests)
})

test.each([
  ['max-age=60', 2],
  ['max-age=60, public', 1],
  ['s-maxage=60', 1],
])('a Set-Cookie with %s is stored in a shared cache only if it is for all', async (control, requests) => {
  const { fetch, sent } = caching([echo(control, { 'set-cookie': 'a=b' })], { shared: true })
  await text(fetch(target))
  await text(fetch(target))
  expect(sent.length).toBe(requests)
})

test('a shared cache keeps other credentials apart as well', async () => {
  const { fetch, sent } = caching([echo('max-age=60')], { shared: true })
  await text(fetch(target, { headers: { 'x-api-key': 'alice' } }))
  expect(await text(fetch(target, { headers: { 'x-api-key': 'bob' } }))).toContain('bob')
  expect(sent.length).toBe(2)
})

test('no credential reaches the store in clear', async () => {
  const seen: (CacheKey | CacheValue)[] = []
  const inner = new MemoryStore({ maxEntryBytes: 1e6, maxBytes: 1e6, maxEntries: 10 })
  const store = {
    get(key: CacheKey) {
      seen.push(key)
      return inner.get(key)
    },
    createWriteStream(key: CacheKey, value: CacheValue) {
      seen.push(key, value)
      return inner.createWriteStream(key, value)
    },
    delete(key: CacheKey) {
      seen.push(key)
      inner.delete(key)
    },
  }
  const { fetch, sent } = caching([controlled('max-age=60', 'content', { vary: 'x-token' })], { store })
  const headers = { authorization: 'Bearer hush', cookie: 'sid=hush', 'x-api-key': 'hush', 'x-token': 'hush' }
  await text(fetch(target, { headers }))
  await text(fetch(target, { headers }))
  await fetch(target, { headers, method: 'POST' })
  expect(sent.length).toBe(2)
  expect(seen.length).toBe(5)
  expect(JSON.stringify(seen)).not.toContain('hush')
  expect(JSON.stringify(seen)).toContain('"authorization":"')
})
