import { describe, expect, test } from 'vitest'
import {
  type ClientOptions,
  isHttpError,
  type RefreshInput,
  type RefreshOptions,
  refresh,
  type SteadFetch,
  traceOf,
  UnauthorizedError,
} from '../../src/index.ts'
import { httpServer } from '../support/server.ts'
import { type TokenServer, tokenServer } from '../support/token-server.ts'
import { caught, client, keepingServer } from '../support/wire.ts'

const grant = { method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials' }) }

/** A client of the API, which gets its tokens with one of its own; and what its source was asked. */
function apiOf(
  server: TokenServer,
  options: ClientOptions = {},
  how: RefreshOptions = {},
): { api: SteadFetch; asked: RefreshInput[] } {
  const asked: RefreshInput[] = []
  const tokens = client({ baseUrl: server.origin, headers: { authorization: `Basic ${btoa('client:secret')}` } })
  const policy = refresh(async (input) => {
    asked.push(input)
    const { access_token } = (await (await tokens('token', grant)).json()) as { access_token: string }
    return { authorization: `Bearer ${access_token}` }
  }, how)
  return { api: client({ baseUrl: server.origin, ...options, on: { 401: policy } }), asked }
}

describe('an API behind OAuth 2.0 client credentials', () => {
  test('issues one token to a hundred callers whose token has expired', async () => {
    await using server = await tokenServer(30)
    const { api, asked } = apiOf(server)
    expect(await (await api('first')).text()).toBe('for token-1')
    server.good = undefined
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => api(`items/${index}`, { method: 'POST', json: { index } })),
    )
    expect(new Set(await Promise.all(answers.map((answer) => answer.text())))).toEqual(new Set(['for token-2']))
    expect([server.issued, asked.length, server.served]).toEqual([2, 2, 101])
    expect(Math.max(...answers.map((answer) => traceOf(answer)?.attempts.length ?? 0))).toBe(2)
    expect(asked[1]).toMatchObject({
      challenges: [{ scheme: 'bearer', params: { realm: 'api', error: 'invalid_token' } }, { scheme: 'basic' }],
      previous: { authorization: 'Bearer token-1' },
    })
  })

  test('is asked for a token first with eager, and is sent no request without one', async () => {
    await using server = await tokenServer(10)
    const { api } = apiOf(server, {}, { eager: true })
    await Promise.all(Array.from({ length: 20 }, async (_, index) => (await api(`items/${index}`)).text()))
    expect([server.issued, server.served, server.requests.length]).toEqual([1, 20, 21])
  })

  test('is sent one request more than needed at most by each call, while tokens expire all the time', async () => {
    await using server = await tokenServer(5)
    const { api } = apiOf(server)
    let expiries = 0
    const caller = async (index: number): Promise<string> => {
      for (let turn = 0; turn < 10; turn += 1) {
        if (index === 0 && turn % 3 === 0) {
          server.good = undefined
          expiries += 1
        }
        const result = await api(`items/${index}/${turn}`).catch((error: unknown) => error)
        // A token that expires between the refusal and the replay fails the call, which is replayed once only.
        if (!(result instanceof UnauthorizedError)) await (result as Response).text()
        expect(traceOf(result)?.attempts.length).toBeLessThanOrEqual(2)
      }
      return 'done'
    }
    await Promise.all(Array.from({ length: 10 }, (_, index) => caller(index)))
    expect(server.issued).toBeLessThanOrEqual(expiries + 1)
    expect(server.served).toBeGreaterThan(80)
  })

  test('whose token server is out fails all callers with its error, and is asked again by the next', async () => {
    await using server = await tokenServer(5)
    const { api, asked } = apiOf(server)
    server.outage = 403
    const errors = await Promise.all(Array.from({ length: 20 }, (_, index) => caught(api(`items/${index}`))))
    expect(errors.every((error) => isHttpError(error, 403) && error.request.url === `${server.origin}/token`)).toBe(true)
    const before = asked.length
    server.outage = undefined
    expect((await api('next')).status).toBe(200)
    expect([asked.length - before, server.issued]).toEqual([1, 1])
    expect(before).toBeLessThanOrEqual(2)
  })

  test('may issue its tokens to the very client that needs them', async () => {
    await using server = await tokenServer(5)
    const api: SteadFetch = client({
      baseUrl: server.origin,
      on: {
        401: refresh(async () => {
          const answer = await api('token', { ...grant, headers: { authorization: `Basic ${btoa('client:secret')}` } })
          return { authorization: `Bearer ${((await answer.json()) as { access_token: string }).access_token}` }
        }),
      },
    })
    expect(await (await api('first')).text()).toBe('for token-1')
    server.good = undefined
    expect(await (await api('second')).text()).toBe('for token-2')
    expect(server.requests.map((request) => request.split(' ')[1])).toEqual([
      '/first',
      '/token',
      '/first',
      '/second',
      '/token',
      '/second',
    ])
  })

  test('gets its token over the only connection, for the refusal does not hold it', async () => {
    await using server = await tokenServer(5)
    const { api } = apiOf(server, { concurrency: 1 })
    await Promise.all([api('a'), api('b')].map(async (call) => (await call).text()))
    expect([server.issued, server.served]).toEqual([1, 2])
  })

  test('does not give its token to another origin that it redirects to', async () => {
    await using server = await tokenServer(5)
    await using other = await keepingServer((response) => response.end('there'))
    await using front = await httpServer((request, response) => {
      if (request.headers.authorization === undefined) response.writeHead(401).end()
      else response.writeHead(302, { location: `${other.origin}/x` }).end()
    })
    const api = client({ on: { 401: refresh(() => ({ authorization: 'Bearer x', 'x-tenant': 'y' })) } })
    expect(await (await api(`${front.origin}/x`)).text()).toBe('there')
    expect(other.received.map(({ headers }) => [headers.authorization, headers['x-tenant']])).toEqual([[undefined, undefined]])
    expect([front.requests.length, server.requests.length]).toEqual([2, 0])
  })
})
