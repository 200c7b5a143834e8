import { expect, test } from 'vitest'
import { createFetch, type PolicyTable, refresh, type SteadFetch } from '../../src/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { reply, scripted } from '../support/scripted-transport.ts'

const target = 'https://api.example.com/me'

/** A client whose every part may ask for the very same target that it was asked for. */
function recursive(on: (again: () => Promise<string>) => PolicyTable): { api: SteadFetch; clock: FakeClock; sent: unknown[] } {
  const clock = new FakeClock()
  const { transport, sent } = scripted(clock.now, reply(401, {}, 'first'), reply(200, {}, 'second'))
  const again = async (): Promise<string> => (await api(target, { on: { 401: 'accept' } })).text()
  const api: SteadFetch = createFetch({ coalesce: true, transport, clock, on: on(again) })
  return { api, clock, sent }
}

test('a policy function that asks for the very same does not wait for itself', async () => {
  const seen: string[] = []
  const { api, clock, sent } = recursive((again) => ({
    401: async () => {
      seen.push(await again())
      return 'accept' as const
    },
  }))
  expect(await (await clock.drive(api(target))).text()).toBe('first')
  expect([seen, sent.length, clock.armed]).toEqual([['second'], 2, 0])
})

test('a source of credentials that asks for the very same does not wait for itself', async () => {
  const { api, clock, sent } = recursive((again) => ({ 401: refresh(async () => ({ 'x-token': await again() })) }))
  expect(await (await clock.drive(api(target))).text()).toBe('second')
  expect([sent.length, clock.armed]).toEqual([3, 0])
})

test('a transport that asks for the very same does not wait for itself', async () => {
  const clock = new FakeClock()
  let isInner = false
  const api: SteadFetch = createFetch({
    coalesce: true,
    maxAttempts: 1,
    clock,
    async transport() {
      if (isInner) return new Response('from within')
      isInner = true
      return new Response(await (await api(target)).text())
    },
  })
  const texts = await clock.drive(Promise.all([api(target), api(target)].map(async (call) => (await call).text())))
  expect(texts).toEqual(['from within', 'from within'])
  expect(clock.armed).toBe(0)
})
