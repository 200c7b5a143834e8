import { AsyncLocalStorage } from 'node:async_hooks'
import { inspect } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import {
  type ClientOptions,
  createFetch,
  explain,
  fallback,
  HttpError,
  isHttpError,
  isTimeoutError,
  type RefreshInput,
  type RefreshOptions,
  refresh,
  type SteadFetch,
  type TransportInit,
  traceOf,
  UnauthorizedError,
  withDeadline,
} from '../../src/index.ts'
import { clientOf, gaps, rejection } from '../support/client.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { reply } from '../support/scripted-transport.ts'

const a = 'https://a.test'
const b = 'https://b.test'
const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })

interface Request {
  readonly target: string
  readonly authorization: string | undefined
  readonly method: string
  readonly atMs: number
}

/** Servers that take one token at a time, and a source that takes `sourceMs` to tell the one that is good. */
class World {
  readonly clock = new FakeClock()
  readonly sent: Request[] = []
  readonly asked: (RefreshInput & { readonly atMs: number })[] = []
  /** What the servers take. */
  good = 1
  latencyMs = 10
  sourceMs = 50
  /** What the source does instead of giving the good token. */
  source: ((input: RefreshInput) => unknown) | undefined
  readonly policy

  constructor(options: RefreshOptions = {}) {
    this.policy = refresh(async (input) => {
      this.asked.push({ ...input, atMs: this.clock.now() })
      await this.sleep(this.sourceMs)
      if (this.source !== undefined) return (await this.source(input)) as undefined
      return bearer(String(this.good))
    }, options)
  }

  client(options: ClientOptions = {}): SteadFetch {
    const { clock, transport } = this
    return createFetch({ transport, clock, random: () => 0.5, ...options, on: { 401: this.policy, ...options.on } })
  }

  sleep(ms: number): Promise<void> {
    return ms === 0 ? Promise.resolve() : new Promise((resolve) => this.clock.after(ms, resolve))
  }

  readonly transport = async (target: string, { headers, method }: TransportInit): Promise<Response> => {
    const { authorization } = headers
    this.sent.push({ target, authorization, method, atMs: this.clock.now() })
    await this.sleep(this.latencyMs)
    return authorization === `Bearer ${this.good}`
      ? new Response('ok')
      : new Response('no', { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } })
  }

  /** What was sent in the Authorization field, in order. */
  get tokens(): (string | undefined)[] {
    return this.sent.map(({ authorization }) => authorization?.replace('Bearer ', ''))
  }
}

describe('a 401 whose policy is refresh', () => {
  test('is answered with what the source gives, and the request is sent once more', async () => {
    const world = new World()
    const response = await world.clock.drive(world.client()(`${a}/x`, { method: 'POST', body: 'content' }))
    expect([response.status, await response.text()]).toEqual([200, 'ok'])
    expect(world.tokens).toEqual([undefined, '1'])
    expect(gaps(world.sent as never)).toEqual([60])
    expect(traceOf(response)?.attempts.map(({ status, waitMs, waitReason }) => [status, waitMs, waitReason])).toEqual([
      [401, 0, undefined],
      [200, 50, 'refresh'],
    ])
    expect(world.clock.armed).toBe(0)
  })

  test('tells the source the challenges, the request and the answer', async () => {
    const world = new World()
    let content: string | undefined
    world.source = async ({ response }) => {
      content = await response?.text()
      return bearer('1')
    }
    await world.clock.drive(world.client()(`${a}/x?token=secret`))
    expect(world.asked).toHaveLength(1)
    const [{ challenges, request, response, previous }] = world.asked as unknown as [RefreshInput]
    expect(challenges).toMatchObject([{ scheme: 'bearer', params: { error: 'invalid_token' } }])
    expect(request).toEqual({ method: 'GET', url: `${a}/x?token=***` })
    expect([response?.status, content, previous]).toEqual([401, 'no', undefined])
  })

  test('puts the credentials on all later requests to the origin, until they are refused', async () => {
    const world = new World()
    const api = world.client()
    await world.clock.drive(api(`${a}/x`))
    await world.clock.drive(api(`${a}/y`, { headers: { authorization: 'Bearer old' } }))
    expect([world.tokens, world.asked.length]).toEqual([[undefined, '1', '1'], 1])
    world.good = 2
    await world.clock.drive(api(`${a}/z`))
    expect([world.tokens.slice(3), world.asked.length]).toEqual([['1', '2'], 2])
    expect(world.asked[1]?.previous).toEqual(bearer('1'))
  })

  test('that comes again after the refresh is thrown', async () => {
    const world = new World()
    world.source = () => bearer('wrong')
    const error = await world.clock.drive(rejection(world.client()(`${a}/x`)))
    expect(error).toBeInstanceOf(UnauthorizedError)
    expect(error).toMatchObject({ attempts: 2, elapsedMs: 70, body: 'no' })
    expect([world.tokens, world.asked.length]).toEqual([[undefined, 'wrong'], 1])
  })

  test('is thrown when there are no credentials to be had, which are no longer sent then', async () => {
    const world = new World()
    const api = world.client()
    await world.clock.drive(api(a))
    world.good = 2
    world.source = () => null
    const error = await world.clock.drive(rejection(api(a)))
    expect(error).toBeInstanceOf(UnauthorizedError)
    expect((error as HttpError).body).toBe('no')
    await world.clock.drive(rejection(api(a)))
    expect(world.tokens).toEqual([undefined, '1', '1', undefined])
    expect(world.asked).toHaveLength(3)
  })

  test("is returned where errors is 'return', content and all", async () => {
    const world = new World()
    world.source = () => undefined
    const response = await world.clock.drive(world.client({ errors: 'return' })(a))
    expect([response.status, await response.text(), world.sent.length]).toEqual([401, 'no', 1])
  })

  test('is not repeated when the content cannot be, but the next call has the credentials', async () => {
    const world = new World()
    const api = world.client()
    const body = new Blob(['x']).stream()
    const error = await world.clock.drive(rejection(api(a, { method: 'PUT', body, duplex: 'half' })))
    expect(error).toBeInstanceOf(UnauthorizedError)
    expect((error as Error).message).toContain('not repeated: content cannot be replayed')
    expect(world.tokens).toEqual([undefined])
    await world.clock.drive(api(a, { method: 'PUT', body: new Blob(['x']).stream(), duplex: 'half' }))
    expect([world.tokens, world.asked.length]).toEqual([[undefined, '1'], 1])
  })

  test('may stand in the policies of one call', async () => {
    const world = new World()
    const { clock, transport } = world
    const api = createFetch({ clock, transport })
    await clock.drive(api(a, { on: { 401: world.policy } }))
    await clock.drive(api(a, { on: { 401: world.policy } }))
    await clock.drive(rejection(api(a)))
    expect([world.tokens, world.asked.length]).toEqual([[undefined, '1', '1', undefined], 1])
  })

  test('may be what a function decides on, and is remembered', async () => {
    const world = new World()
    const api = world.client({
      on: { 401: ({ response }) => (response.headers.has('www-authenticate') ? world.policy : 'fail') },
    })
    await world.clock.drive(api(a))
    await world.clock.drive(api(a))
    expect([world.tokens, world.asked.length]).toEqual([[undefined, '1', '1'], 1])
  })

  test('may be what a function sees in any answer', async () => {
    const { clock } = new World()
    const policy = refresh(() => bearer('1'))
    const sent: unknown[] = []
    const transport = async (_target: string, { headers }: TransportInit): Promise<Response> => {
      sent.push(headers.authorization)
      return Response.json(headers.authorization === undefined ? { errors: ['unauthenticated'] } : { data: 1 })
    }
    const on = {
      200: async (outcome: { response: Response }) =>
        'errors' in ((await outcome.response.clone().json()) as object) ? policy : undefined,
    }
    const api = createFetch({ clock, transport, on })
    expect(await (await clock.drive(api(a, { method: 'POST', json: {} }))).json()).toEqual({ data: 1 })
    expect(sent).toEqual([undefined, 'Bearer 1'])
  })

  test('keeps the credentials on a call that handles the refusal in its own way', async () => {
    const world = new World()
    const api = world.client()
    await world.clock.drive(api(a))
    world.good = 2
    const response = await world.clock.drive(api(a, { on: { 401: 'accept' } }))
    expect([response.status, world.tokens, world.asked.length]).toEqual([401, [undefined, '1', '1'], 1])
  })

  test('may be got by a login that only sets cookies: no fields are credentials, too', async () => {
    const { fetch, clock, sent } = clientOf([reply(401), reply(200)], { on: { 401: refresh(() => ({})) } })
    expect((await clock.drive(fetch(a))).status).toBe(200)
    expect(sent).toHaveLength(2)
  })

  test('is no retry: it waits for no back-off, takes no attempt and no token, and may come after some', async () => {
    const policy = refresh(() => bearer('1'))
    const options: ClientOptions = { on: { 401: policy }, maxAttempts: 2, retryBudget: { capacity: 5 } }
    const { fetch, clock, sent } = clientOf([reply(503), reply(401), reply(200)], options)
    const response = await clock.drive(fetch(a))
    expect([response.status, sent.length]).toEqual([200, 3])
    expect(gaps(sent)).toEqual([50, 0])
    const once = clientOf([reply(401), reply(200)], { on: { 401: policy }, maxAttempts: 1 })
    expect((await once.clock.drive(once.fetch(a, { method: 'POST' }))).status).toBe(200)
  })

  test('is replayed with the retries that are left', async () => {
    const { fetch, clock, sent } = clientOf([reply(401), reply(503), reply(200)], { on: { 401: refresh(() => bearer('1')) } })
    expect((await clock.drive(fetch(a))).status).toBe(200)
    expect(gaps(sent)).toEqual([0, 50])
  })
})

describe('calls that are refused together', () => {
  test('wait for one refresh, and are each sent once more', async () => {
    const world = new World()
    const api = world.client()
    const calls = Promise.all(Array.from({ length: 50 }, (_, index) => api(`${a}/${index}`)))
    expect((await world.clock.drive(calls)).every(({ ok }) => ok)).toBe(true)
    expect([world.sent.length, world.asked.length]).toEqual([100, 1])
    expect(new Set(world.sent.slice(50).map(({ atMs }) => atMs))).toEqual(new Set([1_060]))
    expect(world.clock.armed).toBe(0)
  })

  test('do not refresh what somebody else has got meanwhile', async () => {
    const world = new World()
    const api = world.client()
    world.latencyMs = 500
    const slow = api(`${a}/slow`)
    await world.clock.advance(0)
    world.latencyMs = 10
    const fast = api(`${a}/fast`)
    await world.clock.advance(100)
    expect((await fast).status).toBe(200)
    const response = await world.clock.drive(slow)
    expect([response.status, world.asked.length]).toEqual([200, 1])
    expect(world.tokens).toEqual([undefined, undefined, '1', '1'])
    expect(traceOf(response)?.attempts.at(-1)).toMatchObject({ waitMs: 0, waitReason: 'refresh' })
  })

  test('hold back those that come while the credentials are asked for', async () => {
    const world = new World()
    const api = world.client()
    const first = api(`${a}/1`)
    await world.clock.advance(30)
    const second = api(`${a}/2`)
    const [, response] = await world.clock.drive(Promise.all([first, second]))
    expect(world.sent.map(({ target, atMs }) => `${target} ${atMs}`).sort()).toEqual([
      `${a}/1 1000`,
      `${a}/1 1060`,
      `${a}/2 1060`,
    ])
    expect(traceOf(response)?.attempts).toMatchObject([{ status: 200, waitMs: 30, waitReason: 'refresh' }])
  })

  test('share what a source throws, as it is; the next call asks again', async () => {
    const world = new World()
    const api = world.client()
    const bug = new Error('no key')
    world.source = () => Promise.reject(bug)
    const calls = Array.from({ length: 20 }, () => rejection(api(a)))
    expect(await world.clock.drive(Promise.all(calls))).toEqual(calls.map(() => bug))
    expect([world.sent.length, world.asked.length]).toEqual([20, 1])
    world.source = undefined
    await world.clock.advance(1)
    expect((await world.clock.drive(api(a))).status).toBe(200)
    expect(world.asked).toHaveLength(2)
    expect(world.clock.armed).toBe(0)
  })

  test('share it even if their answers come one after the other', async () => {
    const world = new World()
    world.sourceMs = 0
    world.source = () => Promise.reject(new Error('no key'))
    const api = world.client()
    const calls: Promise<unknown>[] = []
    for (let index = 0; index < 20; index += 1) {
      world.latencyMs = 10 + index
      calls.push(rejection(api(a)))
      await settle()
    }
    await world.clock.drive(Promise.all(calls))
    expect([world.sent.length, world.asked.length]).toEqual([20, 1])
  })

  test('leave by their own limits and signals, and the refresh goes on for the others', async () => {
    const world = new World()
    world.sourceMs = 500
    const api = world.client()
    const controller = new AbortController()
    const leader = rejection(api(`${a}/leader`, { signal: controller.signal }))
    const hurried = rejection(api(`${a}/hurried`, { timeoutMs: 100 }))
    const patient = api(`${a}/patient`)
    await world.clock.advance(50)
    controller.abort('enough')
    expect(await leader).toBe('enough')
    await world.clock.advance(50)
    expect(await hurried).toSatisfy((error) => isTimeoutError(error) && error.kind === 'call' && error.elapsedMs === 100)
    expect((await world.clock.drive(patient)).status).toBe(200)
    expect([world.sent.length, world.asked.length, world.clock.armed]).toEqual([4, 1, 0])
  })

  test('that have all left are no reason for an unhandled rejection', async () => {
    const world = new World()
    world.source = () => Promise.reject(new Error('late'))
    const error = await world.clock.drive(rejection(world.client()(a, { timeoutMs: 20 })))
    expect(isTimeoutError(error)).toBe(true)
    await world.clock.advance(1_000)
    expect(world.asked).toHaveLength(1)
  })

  test('are not held up for ever by a source that hangs', async () => {
    const world = new World()
    let hangs = true
    world.source = () => (hangs ? new Promise(() => {}) : bearer('1'))
    const api = world.client({ timeoutMs: 1_000 })
    for (let index = 0; index < 3; index += 1) await world.clock.drive(rejection(api(a)))
    expect(world.asked).toHaveLength(1)
    await world.clock.advance(30_000)
    hangs = false
    expect((await world.clock.drive(api(a))).status).toBe(200)
    expect(world.asked).toHaveLength(2)
  })
})

describe('the source', () => {
  test('may call the same origin with the same client, whose policies do not wait for itself', async () => {
    const world = new World()
    const api = world.client()
    world.source = async () => {
      expect((await api(`${a}/public`, { headers: bearer('1') })).status).toBe(200)
      return bearer('1')
    }
    expect((await world.clock.drive(api(`${a}/x`))).status).toBe(200)
    expect(world.sent.map(({ target }) => new URL(target).pathname)).toEqual(['/x', '/public', '/x'])
    expect(world.asked).toHaveLength(1)
  })

  test('that is refused itself fails, and waits for nothing', async () => {
    const world = new World()
    const api = world.client()
    world.source = async () => {
      await api(`${a}/token`, { method: 'POST', headers: bearer('wrong') })
      return bearer('1')
    }
    const error = await world.clock.drive(rejection(Promise.all([api(`${a}/x`), api(`${a}/y`)])))
    expect(isHttpError(error, 401) && error.request.url).toBe(`${a}/token`)
    expect([world.sent.length, world.asked.length]).toEqual([3, 1])
    expect(world.sent.at(-1)?.authorization).toBe('Bearer wrong')
  })

  test('runs in the context of the call that asked, but is not bound by its deadline', async () => {
    const store = new AsyncLocalStorage<string>()
    const world = new World()
    const seen: unknown[] = []
    const transport = async (): Promise<Response> => {
      await world.sleep(200)
      return new Response('1')
    }
    const tokens = createFetch({ clock: world.clock, transport })
    world.source = async () => {
      seen.push(store.getStore())
      return bearer(await (await tokens(`${b}/token`)).text())
    }
    const api = world.client()
    const hurried = store.run('first', () => withDeadline(100, () => rejection(api(a)), { clock: world.clock }))
    const patient = store.run('second', () => api(a))
    const [error, response] = await world.clock.drive(Promise.all([hurried, patient]))
    expect(isTimeoutError(error) && error.kind).toBe('deadline')
    expect([response.status, seen]).toEqual([200, ['first']])
  })

  test.each([
    ['a string', 'Bearer s3cret'],
    ['an invalid value', { authorization: 'Bearer\ns3cret' }],
    ['a symbol', { authorization: Symbol('s3cret') }],
    ['a field of the connection', { te: 's3cret' }],
  ])('that gives %s fails the call with a TypeError that does not show it', async (_what, fields) => {
    const { fetch, clock, sent } = clientOf([reply(401)], { on: { 401: refresh(() => fields as never) } })
    const error = await clock.drive(rejection(fetch(a)))
    expect(error).toBeInstanceOf(TypeError)
    expect(inspect(error)).not.toContain('s3cret')
    expect(sent).toHaveLength(1)
  })

  test.each([
    [() => refresh('secret' as never), /source must be a function, got string/],
    [() => refresh(() => null, { eager: 1 as never }), /eager/],
    [() => refresh(() => null, { maxAgeMs: 0 }), /maxAgeMs/],
    [() => refresh(() => null, { often: true } as never), /unknown option "often"/],
    [() => createFetch({ on: { network: refresh(() => null) as never } }), /on\["network"\] cannot be refresh/],
  ])('and its options are checked', (make, message) => {
    expect(make).toThrow(message)
    expect(make).not.toThrow(/secret/)
  })

  test('is in no error, trace or JSON, and neither is what it gives', async () => {
    const world = new World()
    world.source = () => bearer('s3cret')
    const error = await world.clock.drive(rejection(world.client()(a)))
    expect(error).toBeInstanceOf(HttpError)
    const shown = [inspect(error, { depth: 9, showHidden: true }), JSON.stringify(error), inspect(traceOf(error), { depth: 9 })]
    expect(shown.join()).not.toContain('s3cret')
    expect(world.tokens).toContain('s3cret')
  })

  test('is told of by explain', () => {
    expect(explain(401, { on: { 401: refresh(() => null) } })).toMatchObject({
      policy: { kind: 'refresh' },
      repeat: 'never',
      error: 'UnauthorizedError',
    })
  })
})

describe('asked ahead', () => {
  test('gives credentials before the first request with eager, once for all that wait', async () => {
    const world = new World({ eager: true })
    const api = world.client()
    await world.clock.drive(Promise.all([api(`${a}/1`), api(`${a}/2`)]))
    expect(world.sent.map(({ authorization, atMs }) => [authorization, atMs])).toEqual([
      ['Bearer 1', 1_050],
      ['Bearer 1', 1_050],
    ])
    expect(world.asked).toMatchObject([{ challenges: [] }])
    expect(world.asked[0]).not.toHaveProperty('response')
  })

  test('renews what is older than maxAgeMs before the next request', async () => {
    const world = new World({ maxAgeMs: 1_000 })
    const api = world.client()
    await world.clock.drive(api(a))
    await world.clock.advance(900)
    await world.clock.drive(api(a))
    expect(world.asked).toHaveLength(1)
    world.good = 2
    await world.clock.advance(100)
    await world.clock.drive(api(a))
    expect([world.tokens, world.asked.length]).toEqual([[undefined, '1', '1', '2'], 2])
  })

  test('fails the call unsent when the source fails', async () => {
    const world = new World({ eager: true })
    const bug = new Error('no key')
    world.source = () => Promise.reject(bug)
    expect(await world.clock.drive(rejection(world.client()(a)))).toBe(bug)
    expect([world.sent.length, world.clock.armed]).toEqual([0, 0])
  })

  test('sends the request without any when there are none to be had', async () => {
    const world = new World({ eager: true })
    world.source = () => undefined
    expect(await world.clock.drive(rejection(world.client()(a)))).toBeInstanceOf(UnauthorizedError)
    expect([world.tokens, world.asked.length]).toEqual([[undefined], 2])
  })

  test('is bound by the limit of the call', async () => {
    const world = new World({ eager: true })
    world.source = () => new Promise(() => {})
    const error = await world.clock.drive(rejection(world.client()(a, { timeoutMs: 200 })))
    expect(isTimeoutError(error) && [error.kind, error.elapsedMs, error.attempts]).toEqual(['call', 200, 0])
    expect([world.sent.length, world.clock.armed]).toEqual([0, 0])
  })

  test('asks nothing for a call that is aborted already', async () => {
    const world = new World({ eager: true })
    const signal = AbortSignal.abort('gone')
    expect(await world.clock.drive(rejection(world.client()(a, { signal })))).toBe('gone')
    expect([world.asked.length, world.sent.length]).toEqual([0, 0])
  })

  test('asks for no data: URL and no blob:', async () => {
    const world = new World({ eager: true })
    expect(await (await world.client()('data:,x')).text()).toBe('x')
    expect(world.asked).toHaveLength(0)
  })
})

describe('credentials go to the origin of the call alone', () => {
  const moving = (world: World, moves: Record<string, string>, status = 307): ClientOptions => ({
    transport: async (target, init) => {
      const location = moves[target]
      const answer = await world.transport(target, init)
      return location !== undefined && answer.ok ? new Response(null, { status, headers: { location } }) : answer
    },
  })

  test('not to where it is redirected, and what that answers refreshes nothing', async () => {
    const world = new World()
    const api = world.client(moving(world, { [`${a}/x`]: `${b}/x` }))
    expect(await world.clock.drive(rejection(api(`${a}/x`)))).toBeInstanceOf(UnauthorizedError)
    expect(world.sent.map(({ target }) => target)).toEqual([`${a}/x`, `${a}/x`, `${b}/x`])
    expect([world.tokens, world.asked.length]).toEqual([[undefined, '1', undefined], 1])
  })

  test.each([
    ['without a baseUrl', {}, `${a}/x`],
    ['with one', { baseUrl: a }, 'x'],
    ['with hedges', { hedge: true }, `${a}/x`],
    ['with hedges and a baseUrl', { hedge: true, baseUrl: a }, 'x'],
  ])('not back from there, %s', async (_what, options, target) => {
    const world = new World()
    const { transport } = moving(world, { [`${a}/x`]: `${b}/x`, [`${b}/x`]: `${a}/y` })
    const open = async (to: string, init: TransportInit): Promise<Response> =>
      to.startsWith(b)
        ? new Response(null, { status: 307, headers: { location: `${a}/y` } })
        : (transport as typeof world.transport)(to, init)
    const api = world.client({ ...options, transport: open })
    expect(await world.clock.drive(rejection(api(target)))).toBeInstanceOf(UnauthorizedError)
    expect(world.sent.map(({ target: to, authorization }) => [to, authorization])).toEqual([
      [`${a}/x`, undefined],
      [`${a}/x`, 'Bearer 1'],
      [`${a}/y`, undefined],
    ])
  })

  test('whatever their name', async () => {
    const sent: [string, unknown][] = []
    const transport = async (target: string, { headers }: TransportInit): Promise<Response> => {
      sent.push([target, headers['x-plain']])
      if (target.startsWith(b)) return new Response('there')
      return headers['x-plain'] === undefined ? reply(401) : new Response(null, { status: 307, headers: { location: `${b}/` } })
    }
    const api = createFetch({ transport, on: { 401: refresh(() => ({ 'x-plain': 'token' })) } })
    expect(await (await api(`${a}/`)).text()).toBe('there')
    expect(sent).toEqual([
      [`${a}/`, undefined],
      [`${a}/`, 'token'],
      [`${b}/`, undefined],
    ])
  })

  test('but to where it is redirected within it', async () => {
    const world = new World()
    const api = world.client(moving(world, { [`${a}/x`]: '/y' }))
    expect((await world.clock.drive(api(`${a}/x`))).status).toBe(200)
    expect(world.tokens).toEqual([undefined, '1', '1'])
  })

  test('where a second refusal, after a redirect, is not replayed any more', async () => {
    const world = new World()
    const { transport } = moving(world, { [`${a}/x`]: '/y' })
    const api = world.client({
      transport: async (to, init) => {
        const answer = await (transport as typeof world.transport)(to, init)
        if (answer.status === 307) world.good = 2
        return answer
      },
    })
    expect(await world.clock.drive(rejection(api(`${a}/x`)))).toBeInstanceOf(UnauthorizedError)
    expect([world.tokens, world.asked.length]).toEqual([[undefined, '1', '1'], 1])
  })

  test('not to a target that is not at baseUrl, whose 401 is thrown', async () => {
    const world = new World()
    const api = world.client({ baseUrl: a })
    await world.clock.drive(api('x'))
    expect(await world.clock.drive(rejection(api(`${b}/x`)))).toBeInstanceOf(UnauthorizedError)
    expect([world.tokens, world.asked.length]).toEqual([[undefined, '1', undefined], 1])
  })

  test('each of its own, where there is no baseUrl', async () => {
    const world = new World()
    const api = world.client()
    await world.clock.drive(api(a))
    await world.clock.drive(api(b))
    await world.clock.drive(api(a))
    expect([world.tokens, world.asked.length]).toEqual([[undefined, '1', undefined, '1', '1'], 2])
  })

  test('and to all endpoints that are the service', async () => {
    const world = new World()
    const api = world.client({ endpoints: [a, b] })
    for (let index = 0; index < 8; index += 1) await world.clock.drive(api('x'))
    expect(new Set(world.sent.map(({ target }) => new URL(target).origin))).toEqual(new Set([a, b]))
    expect([world.tokens, world.asked.length]).toEqual([[undefined, ...Array(8).fill('1')], 1])
  })
})

describe('a refresh goes together with', () => {
  test('a hedge: both are sent with the same credentials, and the call is replayed once', async () => {
    const world = new World()
    const api = world.client({ hedge: { afterMs: 5 } })
    const response = await world.clock.drive(api(a))
    expect([response.status, world.asked.length]).toEqual([200, 1])
    expect(world.tokens).toEqual([undefined, undefined, '1', '1'])
    // The transport goes on with the one that came too late.
    await world.clock.advance(world.latencyMs)
    expect(world.clock.armed).toBe(0)
  })

  test('a fallback for what is refused for good', async () => {
    const world = new World()
    const on = { 401: () => world.policy, 403: fallback(new Response('guest')) }
    const api = world.client({
      on,
      transport: async (target, init) => (init.headers.authorization === undefined ? world.transport(target, init) : reply(403)),
    })
    expect(await (await world.clock.drive(api(a))).text()).toBe('guest')
  })

  test('the content of a Request, which is read ahead', async () => {
    const world = new World({ eager: true })
    const response = await world.clock.drive(world.client()(new Request(a, { method: 'POST', body: 'content' })))
    expect([response.status, world.tokens]).toEqual([200, ['1']])
  })

  test('a limit of requests: the source gets the place that the refused request gives back', async () => {
    const world = new World()
    const api = world.client({ concurrency: 1 })
    world.source = async () => ((await api(`${a}/public`, { headers: bearer('1') })).ok ? bearer('1') : null)
    const calls = Promise.all([api(`${a}/1`), api(`${a}/2`)])
    expect((await world.clock.drive(calls)).map(({ status }) => status)).toEqual([200, 200])
    expect(world.asked).toHaveLength(1)
  })

  test('close, extend and the state of the family: a child has the credentials of its parent', async () => {
    const world = new World()
    const api = world.client()
    await world.clock.drive(api(a))
    await world.clock.drive(api.extend({ timeoutMs: 1_000 })(a))
    expect([world.tokens, world.asked.length]).toEqual([[undefined, '1', '1'], 1])
  })
})

describe('a 407', () => {
  test('from a proxy of plain HTTP is refreshed by its own challenge', async () => {
    const source = vi.fn((_input: RefreshInput) => ({ 'proxy-authorization': 'Basic x' }))
    const fields = { 'proxy-authenticate': 'Basic realm="proxy"', 'www-authenticate': 'Bearer' }
    const { fetch, clock, sent } = clientOf([reply(407, fields), reply(200)], { on: { 407: refresh(source) } })
    expect((await clock.drive(fetch('http://a.test/'))).status).toBe(200)
    expect(source.mock.calls[0]?.[0].challenges).toMatchObject([{ scheme: 'basic', params: { realm: 'proxy' } }])
    expect(sent.map(({ init }) => init.headers['proxy-authorization'])).toEqual([undefined, 'Basic x'])
  })

  test('that came through a tunnel is not from the proxy, and fails', async () => {
    const source = vi.fn(() => ({ 'proxy-authorization': 'Basic x' }))
    const { fetch, clock, sent } = clientOf([reply(407), reply(200)], { on: { '4xx': refresh(source) } })
    expect(isHttpError(await clock.drive(rejection(fetch(a))), 407)).toBe(true)
    expect([sent.length, source.mock.calls.length]).toEqual([1, 0])
  })
})
