import { expect, test } from 'vitest'
import { createFetch, refresh, UnauthorizedError } from '../../src/index.ts'
import { tokenServer } from '../support/token-server.ts'

test('100 concurrent callers against one expired token cause exactly one refresh (RFC 6749 §4.4)', async () => {
  const tokens = await tokenServer(50)
  await using server = tokens.server
  const api = createFetch({
    baseUrl: server.origin,
    on: {
      401: refresh(async ({ challenges }) => {
        expect(challenges[0]?.parameters.error).toBe('invalid_token')
        const answer = await api('token', {
          method: 'POST',
          headers: { authorization: `Basic ${btoa('orders:hunter2')}` },
          body: new URLSearchParams({ grant_type: 'client_credentials' }),
        })
        const { access_token } = (await answer.json()) as { access_token: string }
        return { authorization: `Bearer ${access_token}` }
      }),
    },
  })
  const all = async (): Promise<unknown[]> =>
    Promise.all(Array.from({ length: 100 }, async (_, index) => (await api(`orders/${index}`)).json()))
  expect(await all()).toEqual(Array(100).fill({ ok: true }))
  expect(tokens.issued()).toBe(1)
  tokens.expire()
  expect(await all()).toEqual(Array(100).fill({ ok: true }))
  expect([tokens.issued(), tokens.answered(200)]).toEqual([2, 200])
  expect(tokens.answered(401)).toBeLessThanOrEqual(200)
  await all()
  expect([tokens.issued(), tokens.answered(200)]).toEqual([2, 300])
  await api.close()
})

test('a token endpoint that refuses is the error of the call; no secret is in it', async () => {
  const tokens = await tokenServer(0)
  await using server = tokens.server
  const api = createFetch({
    baseUrl: server.origin,
    on: { 401: refresh(() => ({ authorization: 'Bearer hunter3' })) },
  })
  const error = (await api('orders/1').catch((reason: unknown) => reason)) as UnauthorizedError
  expect(error).toBeInstanceOf(UnauthorizedError)
  expect(error.attempts).toBe(2)
  expect(JSON.stringify(error) + String(error) + String(error.stack)).not.toMatch(/hunter/)
  await api.close()
})
