import { describe, expect, test } from 'vitest'
import {
  createFetch,
  isTimeoutError,
  parseChallenges,
  RefusedError,
  refresh,
  traceOf,
  UnauthorizedError,
} from '../../src/index.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { reply, scripted } from '../support/scripted-transport.ts'

const origin = 'https://api.example.com'
const challenge = { 'www-authenticate': 'Bearer realm="api", error="invalid_token"' }

/** An origin that takes one token at a time; the next one is issued by `issue`. */
function guarded() {
  const clock = new FakeClock()
  let valid = 0
  let issued = 0
  const { transport, sent } = scripted(clock.now, (_target, { headers }) =>
    headers.authorization === `Bearer ${valid}` ? reply(200, {}, 'in') : reply(401, challenge, 'out'),
  )
  const issue = async (waitMs = 0): Promise<{ authorization: string }> => {
    issued += 1
    if (waitMs > 0) await new Promise<void>((resolve) => clock.after(waitMs, resolve))
    valid = issued
    return { authorization: `Bearer ${valid}` }
  }
  return {
    clock,
    transport,
    sent,
    issue,
    issued: () => issued,
    expire: () => (valid = -1),
    tokens: () => sent.map(({ init }) => init.headers.authorization),
  }
}

describe('refresh', () => {
  test('a refused call is sent once more with new credentials, which go with later calls until they are refused', async () => {
    const { clock, transport, tokens, issue, expire } = guarded()
    const asked: unknown[] = []
    const source = refresh((input) => {
      asked.push(input)
      return issue()
    })
    const api = createFetch({ baseUrl: origin, transport, clock, on: { 401: source } })
    const first = await api('a')
    expect(await first.text()).toBe('in')
    await api('b')
    expire()
    await api('c', { method: 'POST', body: 'x' })
    expect(tokens()).toEqual([undefined, 'Bearer 1', 'Bearer 1', 'Bearer 1', 'Bearer 2'])
    expect(asked[0]).toEqual({
      challenges: [{ scheme: 'bearer', parameters: { realm: 'api', error: 'invalid_token' } }],
      request: { method: 'GET', url: `${origin}/a` },
    })
    expect(traceOf(first)?.attempts.map(({ status }) => status)).toEqual([401, 200])
    expect(clock.armed).toBe(0)
  })

  test('a hundred callers that are refused together cause one refresh, and each is sent twice', async () => {
    const { clock, transport, sent, issue, issued } = guarded()
    const api = createFetch({ baseUrl: origin, transport, clock, on: { 401: refresh(() => issue(50)) } })
    const calls = Promise.all(Array.from({ length: 100 }, (_, index) => api(`${index}`)))
    const responses = await clock.drive(calls)
    expect([issued(), sent.length]).toEqual([1, 200])
    const [trace] = responses.map(traceOf)
    expect(trace?.attempts[1]).toMatchObject({ waitMs: 50, waitReason: 'refresh' })
  })

  test('who was refused with older credentials is sent with those known now, without asking again', async () => {
    const { clock, transport, sent, issue, issued } = guarded()
    const late: (() => void)[] = []
    const slow = (target: string, init: never): Promise<Response> =>
      target.endsWith('slow') && late.length === 0
        ? new Promise((resolve) => late.push(() => resolve(transport(target, init))))
        : transport(target, init)
    const api = createFetch({ baseUrl: origin, transport: slow as typeof transport, clock, on: { 401: refresh(() => issue()) } })
    const old = api('slow')
    await settle()
    await api('quick')
    late[0]?.()
    expect((await old).status).toBe(200)
    expect([issued(), sent.length]).toEqual([1, 4])
  })

  test('a call is sent once more only: credentials that are refused at once end it', async () => {
    const { clock, transport, sent } = guarded()
    let asked = 0
    const source = refresh(() => {
      asked += 1
      return { authorization: `Bearer wrong${asked}` }
    })
    const api = createFetch({ baseUrl: origin, transport, clock, on: { 401: source } })
    await expect(api('a')).rejects.toBeInstanceOf(UnauthorizedError)
    expect([asked, sent.length]).toEqual([1, 2])
  })

  test.each([undefined, null, {}])('a source that gives %o leaves the call refused', async (given) => {
    const { clock, transport, sent } = guarded()
    const api = createFetch({ baseUrl: origin, transport, clock, on: { 401: refresh(() => given) } })
    const error = (await api('a').catch((reason: unknown) => reason)) as UnauthorizedError
    expect([error.status, error.body, sent.length]).toEqual([401, 'out', 1])
  })

  test('a source that fails ends the calls that wait for it with its own error; the next call asks again', async () => {
    const { clock, transport, issue } = guarded()
    let asked = 0
    const down = new Error('the token server is down')
    const source = refresh(() => {
      asked += 1
      if (asked === 1) throw down
      return issue()
    })
    const api = createFetch({ baseUrl: origin, transport, clock, on: { 401: source } })
    expect(await Promise.allSettled([api('a'), api('b')])).toEqual([
      { status: 'rejected', reason: down },
      { status: 'rejected', reason: down },
    ])
    expect((await api('c')).status).toBe(200)
    expect(asked).toBe(2)
  })

  test('fields that cannot be sent are a TypeError that does not show them', async () => {
    const { clock, transport } = guarded()
    const api = createFetch({ baseUrl: origin, transport, clock, on: { 401: refresh(() => ({ authorization: 'hunter2\n!' })) } })
    const error = (await api('a').catch((reason: unknown) => reason)) as Error
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error.message)).not.toContain('hunter2')
  })

  test('eager asks before the first request, maxAgeMs before the credentials get old', async () => {
    const { clock, transport, tokens, issue } = guarded()
    const source = refresh(() => issue(), { eager: true, maxAgeMs: 60_000 })
    const api = createFetch({ baseUrl: origin, transport, clock, on: { 401: source } })
    await api('a')
    await clock.advance(59_999)
    await api('b')
    await clock.advance(1)
    await api('c')
    expect(tokens()).toEqual(['Bearer 1', 'Bearer 1', 'Bearer 2'])
  })

  test('content that can be sent only once is not sent again', async () => {
    const { clock, transport, sent, issue, issued } = guarded()
    const api = createFetch({ baseUrl: origin, transport, clock, on: { 401: refresh(() => issue()) } })
    const body = new Blob(['x']).stream()
    const error: unknown = await api('a', { method: 'POST', body, duplex: 'half' }).catch((reason: unknown) => reason)
    expect(traceOf(error)?.notRepeated).toBe('content cannot be replayed')
    expect([sent.length, issued()]).toEqual([1, 0])
  })

  test('a caller whose time is over leaves; the refresh goes on for the others', async () => {
    const { clock, transport, issue, issued } = guarded()
    const api = createFetch({ baseUrl: origin, transport, clock, on: { 401: refresh(() => issue(500)) } })
    const hasty = api('a', { timeoutMs: 100 }).catch((error: unknown) => error)
    const aborted = new AbortController()
    const gone = api('b', { signal: aborted.signal }).catch((error: unknown) => error)
    const patient = api('c')
    await clock.advance(100)
    expect(isTimeoutError(await hasty)).toBe(true)
    aborted.abort('enough')
    expect(await gone).toBe('enough')
    await clock.advance(400)
    expect((await patient).status).toBe(200)
    expect([issued(), clock.armed]).toEqual([1, 0])
  })

  test('a source that calls the same client does not wait for itself', async () => {
    const { clock, transport, sent } = guarded()
    const api = createFetch({
      baseUrl: origin,
      transport,
      clock,
      on: {
        401: refresh(async () => {
          await api('token', { method: 'POST' })
          return {}
        }),
      },
    })
    await expect(api('a')).rejects.toThrow('/token failed: 401')
    expect(sent).toHaveLength(2)
  })

  test('each client that is made with the same policy shares its credentials, one with another has its own', async () => {
    const { clock, transport, issue, issued } = guarded()
    const shared = refresh(() => issue())
    const api = createFetch({ baseUrl: origin, transport, clock, on: { 401: shared } })
    await api('a')
    await api.extend({ on: { 401: shared } })('b')
    expect(issued()).toBe(1)
    await api.extend({ on: { 401: refresh(() => issue(), { eager: true }) } })('c')
    expect(issued()).toBe(2)
  })

  test('what is refused here, such as by a breaker, does not ask for credentials', async () => {
    const { clock, transport, issue, issued } = guarded()
    const api = createFetch({ baseUrl: origin, transport, clock, breaker: true, on: { 401: refresh(() => issue()) } })
    api.breaker(origin).isolate()
    await expect(api('a')).rejects.toBeInstanceOf(RefusedError)
    expect(issued()).toBe(0)
  })

  test('a function may decide for it', async () => {
    const { clock, transport, tokens, issue } = guarded()
    const source = refresh(() => issue())
    const api = createFetch({ baseUrl: origin, transport, clock, on: { 401: () => source } })
    await api('a')
    expect(tokens()).toEqual([undefined, 'Bearer 1'])
  })

  test('a retry after it keeps the credentials', async () => {
    const clock = new FakeClock()
    const { transport, sent } = scripted(clock.now, reply(401), reply(503), reply(200))
    const api = createFetch({
      baseUrl: origin,
      transport,
      clock,
      random: () => 0.5,
      on: { 401: refresh(() => ({ 'x-token': 't' })) },
    })
    await clock.drive(api('a'))
    expect(sent.map(({ init }) => init.headers['x-token'])).toEqual([undefined, 't', 't'])
    expect(sent[2]?.atMs).toBe(1_050)
  })
})

describe('whom credentials are sent to', () => {
  const other = 'https://evil.example.com/'

  test.each([
    ['with a baseUrl', { baseUrl: origin }],
    ['without one', {}],
  ])('a redirect to another origin gets none, and cannot ask for any: %s', async (_name, options) => {
    const clock = new FakeClock()
    let asked = 0
    const { transport, sent } = scripted(clock.now, (target, { headers }) => {
      if (target === other) return reply(401, challenge)
      return headers['x-token'] === 't' ? reply(302, { location: other }) : reply(401, challenge)
    })
    const source = refresh(() => {
      asked += 1
      return { 'x-token': 't' }
    })
    const api = createFetch({ ...options, transport, clock, on: { 401: source } })
    await expect(api(`${origin}/a`)).rejects.toBeInstanceOf(UnauthorizedError)
    expect(sent.map(({ target, init }) => [target, init.headers['x-token']])).toEqual([
      [`${origin}/a`, undefined],
      [`${origin}/a`, 't'],
      [other, undefined],
    ])
    expect(asked).toBe(1)
  })

  test('a target beside the baseUrl gets none', async () => {
    const { clock, transport, sent, issue, issued } = guarded()
    const api = createFetch({ baseUrl: origin, transport, clock, on: { 401: refresh(() => issue(), { eager: true }) } })
    await expect(api(other)).rejects.toBeInstanceOf(UnauthorizedError)
    expect([sent.length, issued()]).toEqual([1, 0])
  })

  test('what one source has obtained is not answered from the cache to another', async () => {
    const clock = new FakeClock(Date.UTC(2100, 0, 1))
    const { transport, sent } = scripted(clock.now, (_target, { headers }) =>
      reply(200, { 'cache-control': 'max-age=60' }, String(headers.authorization)),
    )
    const api = createFetch({ baseUrl: origin, transport, clock, cache: true })
    const as = (user: string): typeof api =>
      api.extend({ on: { 401: refresh(() => ({ authorization: user }), { eager: true }) } })
    const [ada, bob] = [as('ada'), as('bob')]
    for (const _ of [1, 2])
      expect(await Promise.all([ada, bob].map(async (user) => (await user('me')).text()))).toEqual(['ada', 'bob'])
    expect(sent).toHaveLength(2)
  })
})

describe('challenges', () => {
  test.each<[string, unknown[]]>([
    ['Basic realm="a, b"', [{ scheme: 'basic', parameters: { realm: 'a, b' } }]],
    ['Negotiate', [{ scheme: 'negotiate', parameters: {} }]],
    [
      'Negotiate YII=, Basic realm=x',
      [
        { scheme: 'negotiate', token: 'YII=', parameters: {} },
        { scheme: 'basic', parameters: { realm: 'x' } },
      ],
    ],
    [
      'Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"',
      [
        { scheme: 'newauth', parameters: { realm: 'apps', type: '1', title: 'Login to "apps"' } },
        { scheme: 'basic', parameters: { realm: 'simple' } },
      ],
    ],
    [
      ', Bearer , ,Digest Qop = "auth"',
      [
        { scheme: 'bearer', parameters: {} },
        { scheme: 'digest', parameters: { qop: 'auth' } },
      ],
    ],
    ['Bearer scope="a", "broken', [{ scheme: 'bearer', parameters: { scope: 'a' } }]],
    ['', []],
  ])('%s', (field, expected) => {
    expect(parseChallenges(field)).toEqual(expected.map((one) => ({ ...(one as object) })))
  })
})

test.each<[() => unknown, string]>([
  [() => refresh('token' as never), 'refresh: source must be a function, got "token"'],
  [() => refresh(() => null, { maxAgeMs: 0 }), 'refresh: maxAgeMs must be a number of at least 1, got 0'],
  [() => refresh(() => null, { soon: true } as never), 'refresh: unknown option "soon"'],
  [() => createFetch({ on: { 401: 'refresh' as never } }), 'on["401"] must be a policy'],
])('an option that is none is refused', (make, message) => {
  expect(make).toThrow(message)
})
