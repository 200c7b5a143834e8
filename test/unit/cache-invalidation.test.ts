import { expect, test } from 'vitest'
import { caching, controlled, target } from '../support/cache.ts'
import { settle } from '../support/fake-clock.ts'
import { reply } from '../support/scripted-transport.ts'

const text = async (response: Promise<Response>): Promise<string> => (await response).text()
const fresh = () => controlled('max-age=60')

test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'M-SEARCH'])(
  'a successful %s removes what is stored of its target',
  async (method) => {
    const { fetch, sent, status } = caching([fresh, reply(201), fresh])
    await text(fetch(target))
    const changed = await fetch(target, { method })
    expect(status(changed)).toBe('steadfetch; fwd=method; fwd-status=201')
    await text(fetch(target))
    expect(sent.length).toBe(3)
  },
)

test('all variants of it are removed', async () => {
  const variant = () => controlled('max-age=60', 'content', { vary: 'x-a' })
  const { fetch, sent } = caching([variant, variant, reply(204), variant])
  const ask = (value: string) => text(fetch(target, { headers: { 'x-a': value } }))
  await ask('1')
  await ask('2')
  await fetch(target, { method: 'DELETE' })
  await ask('1')
  await ask('2')
  expect(sent.length).toBe(5)
})

test('one that fails removes nothing, nor does a safe method', async () => {
  const { fetch, sent } = caching([fresh, reply(500), reply(200)], true, { errors: 'return', maxAttempts: 1 })
  await text(fetch(target))
  await fetch(target, { method: 'POST' })
  await fetch(target, { method: 'OPTIONS' })
  await text(fetch(target))
  expect(sent.length).toBe(3)
})

test.each(['location', 'content-location'])('%s is removed as well, at the same origin alone', async (name) => {
  const [here, there] = ['https://example.test/b', 'https://other.test/b']
  const { fetch, sent } = caching([fresh, fresh, reply(200, { [name]: '/b' }), reply(200, { [name]: there }), fresh])
  await text(fetch(here))
  await text(fetch(there))
  await fetch(target, { method: 'POST' })
  await fetch(target, { method: 'POST' })
  await text(fetch(there))
  expect(sent.length).toBe(4)
  await text(fetch(here))
  expect(sent.length).toBe(5)
})

test('a response that was on its way when its target was changed is delivered, and not stored', async () => {
  let answer = (_: Response): void => {}
  const pending = () => new Promise<Response>((resolve) => (answer = resolve))
  const { fetch, sent } = caching([pending, reply(204), fresh])
  const early = text(fetch(target))
  await settle()
  await fetch(target, { method: 'PUT', body: 'x' })
  answer(fresh())
  expect(await early).toBe('content')
  await text(fetch(target))
  expect(sent.length).toBe(3)
})

test('nor is one whose content was still being read', async () => {
  const { fetch, sent } = caching([fresh, reply(204), fresh])
  const early = await fetch(target)
  await fetch(target, { method: 'DELETE' })
  expect(await early.text()).toBe('content')
  await text(fetch(target))
  expect(sent.length).toBe(3)
})
