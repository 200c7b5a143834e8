import { expect, test } from 'vitest'
import { createFetch, refresh, UnauthorizedError } from '../../src/index.ts'
import { httpServer } from '../support/server.ts'
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

test('a 407 of a proxy that is spoken to in HTTP/1.1 is answered with Proxy-Authorization (RFC 9110 §15.5.8)', async () => {
  const seen: unknown[] = []
  await using server = await httpServer((request, response) => {
    seen.push(request.headers['proxy-authorization'])
    if (request.headers['proxy-authorization'] === 'Basic eDp5') response.end('passed on')
    else response.writeHead(407, { 'proxy-authenticate': 'Basic realm="proxy"' }).end()
  })
  const asked: unknown[] = []
  const source = refresh(({ challenges }) => {
    asked.push(challenges)
    return { 'proxy-authorization': 'Basic eDp5' }
  })
  const api = createFetch({ on: { 407: source } })
  expect(await (await api(server.origin)).text()).toBe('passed on')
  expect(await (await api(server.origin)).text()).toBe('passed on')
  expect(seen).toEqual([undefined, 'Basic eDp5', 'Basic eDp5'])
  expect(asked).toEqual([[{ scheme: 'basic', parameters: { realm: 'proxy' } }]])
  await api.close()
})
