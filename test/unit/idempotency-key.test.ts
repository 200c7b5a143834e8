import { expect, test } from 'vitest'
import { createFetch } from '../../src/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { reply, scripted } from '../support/scripted-transport.ts'

const target = 'https://api.example.com/orders'

function client(options: object, ...replies: Response[]) {
  const clock = new FakeClock()
  const { transport, sent } = scripted(clock.now, ...replies)
  const api = createFetch({ transport, clock, random: () => 0.5, ...options })
  return { api, clock, sent, keys: () => sent.map(({ init }) => init.headers['idempotency-key']) }
}

test('a POST gets one key for all its attempts, so that it is repeated; the next call gets another', async () => {
  const { api, clock, keys, sent } = client({ idempotencyKey: true }, reply(503), reply(503), reply(201))
  await clock.drive(api(target, { method: 'POST', body: 'x' }))
  await clock.drive(api(target, { method: 'PATCH', body: 'x' }))
  const [first, second, third, other] = keys()
  expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/)
  expect([second, third]).toEqual([first, first])
  expect(other).not.toBe(first)
  expect(sent.map(({ atMs }) => atMs - 1_000).slice(0, 3)).toEqual([0, 50, 150])
})

test('requests that are idempotent, or have a key, are left as they are', async () => {
  const { api, keys } = client({ idempotencyKey: () => 'made' }, reply(200))
  await api(target)
  await api(target, { method: 'PUT', body: 'x' })
  await api(target, { method: 'POST', headers: { 'Idempotency-Key': 'own' } })
  await api(target, { method: 'POST' })
  await api(target, { method: 'POST', idempotencyKey: false })
  expect(keys()).toEqual([undefined, undefined, 'own', 'made', undefined])
})

test('a redirect that turns it into a GET drops the key, one that keeps the method keeps it', async () => {
  for (const [status, kept] of [
    [303, undefined],
    [307, 'made'],
  ] as const) {
    const { api, keys } = client({ idempotencyKey: () => 'made' }, reply(status, { location: '/next' }), reply(200))
    await api(target, { method: 'POST', body: 'x' })
    expect(keys()).toEqual(['made', kept])
  }
})

test('a key that cannot be sent, and an option that is none, are refused before anything is sent', async () => {
  const { api, sent } = client({ idempotencyKey: () => 'a\nb' }, reply(200))
  await expect(api(target, { method: 'POST' })).rejects.toThrow(
    'headers: the value of idempotency-key holds forbidden characters',
  )
  expect(() => createFetch({ idempotencyKey: 'x' as never })).toThrow('idempotencyKey must be true, false or a function, got "x"')
  expect(sent).toHaveLength(0)
})
