import { describe, expect, test } from 'vitest'
import {
  createFetch,
  fallback,
  isOperationError,
  isTimeoutError,
  NotFoundError,
  type PollOptions,
  poll,
  RedirectError,
  traceOf,
} from '../../src/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { reply, scripted } from '../support/scripted-transport.ts'

const origin = 'https://api.example.com'

function client(options: PollOptions, ...replies: Parameters<typeof scripted>[1][]) {
  const clock = new FakeClock()
  const { transport, sent } = scripted(clock.now, ...replies)
  const api = createFetch({ transport, clock, random: () => 0, on: { 202: poll(options) } })
  const asked = (): unknown[] => sent.map(({ target, init, atMs }) => [init.method, target.replace(origin, ''), atMs - 1_000])
  return { api, clock, sent, asked }
}

const accepted = (headers: Record<string, string>): Response => reply(202, headers, '{"status":"queued"}')
const told = (content: object, status = 200): Response => Response.json(content, { status })

describe('poll', () => {
  test('asks Location until it answers with another status, each time a little later', async () => {
    const { api, clock, sent, asked } = client(
      {},
      accepted({ location: '/jobs/1' }),
      reply(202),
      reply(202),
      reply(200, {}, 'result'),
    )
    const call = api(`${origin}/reports`, {
      method: 'POST',
      body: 'x',
      headers: { authorization: 'a', 'content-language': 'de' },
    })
    const response = await clock.drive(call)
    expect([response.status, await response.text()]).toEqual([200, 'result'])
    expect(asked()).toEqual([
      ['POST', '/reports', 0],
      ['GET', '/jobs/1', 1_000],
      ['GET', '/jobs/1', 2_500],
      ['GET', '/jobs/1', 4_750],
    ])
    const { body, headers } = sent[3]?.init ?? {}
    expect([body, headers?.authorization, headers?.['content-language']]).toEqual([null, 'a', undefined])
    expect(traceOf(response)?.attempts.map(({ waitMs, waitReason }) => [waitMs, waitReason])).toEqual([
      [0, undefined],
      [1_000, 'poll'],
      [1_500, 'poll'],
      [2_250, 'poll'],
    ])
    expect(clock.armed).toBe(0)
  })

  test('Retry-After says when, and a newer Location says where', async () => {
    const { api, clock, asked } = client(
      {},
      accepted({ location: '/jobs/1', 'retry-after': '7' }),
      reply(202, { location: '/jobs/2', 'retry-after': '3' }),
      reply(200),
    )
    await clock.drive(api(`${origin}/reports`))
    expect(asked()).toEqual([
      ['GET', '/reports', 0],
      ['GET', '/jobs/1', 7_000],
      ['GET', '/jobs/2', 10_000],
    ])
  })

  test('the interval grows up to its limit', async () => {
    const { api, clock, sent } = client(
      { intervalMs: 100, maxIntervalMs: 200, timeoutMs: 700 },
      accepted({ location: '/jobs/1' }),
    )
    await expect(clock.drive(api(origin))).rejects.toThrow('the work that was accepted took more than 700 ms')
    expect(sent.map(({ atMs }) => atMs - 1_000)).toEqual([0, 100, 250, 450, 650])
  })

  test.each(['operation-location', 'azure-asyncoperation'])(
    '%s names a monitor whose content says how far the work is',
    async (name) => {
      const { api, clock, asked } = client(
        {},
        accepted({ [name]: '/operations/1', location: '/things/1' }),
        told({ status: 'Running' }),
        told({ status: 'InProgress', percent: 60 }),
        told({ status: 'Succeeded' }),
        told({ id: 1 }),
      )
      const response = await clock.drive(api(`${origin}/things/1`, { method: 'PUT', body: 'x' }))
      expect(await response.json()).toEqual({ id: 1 })
      expect(asked()).toEqual([
        ['PUT', '/things/1', 0],
        ['GET', '/operations/1', 1_000],
        ['GET', '/operations/1', 2_500],
        ['GET', '/operations/1', 4_750],
        ['GET', '/things/1', 4_750],
      ])
    },
  )

  test('the result is where the monitor says, else at the target of a PUT, else it is what the monitor says', async () => {
    for (const [method, status, expected] of [
      ['POST', { done: true, resourceLocation: `${origin}/made/1` }, '/made/1'],
      ['PUT', { done: true }, '/things'],
      ['POST', { done: true }, '/operations/1'],
    ] as const) {
      const { api, clock, asked } = client(
        {},
        accepted({ 'operation-location': '/operations/1' }),
        told({ done: false }),
        told(status),
        told({}),
      )
      await (await clock.drive(api(`${origin}/things`, { method, body: 'x' }))).json()
      expect((asked().at(-1) as unknown[]).slice(0, 2)).toEqual(['GET', expected])
    }
  })

  test.each([{ status: 'Failed' }, { status: 'canceled' }, { done: true, error: { code: 3 } }])(
    'work that failed is an OperationError: %o',
    async (content) => {
      const { api, clock } = client(
        {},
        accepted({ 'operation-location': '/operations/1' }),
        told({ ...content, secret: 'hunter2' }),
      )
      const error: unknown = await clock.drive(api(origin)).catch((reason: unknown) => reason)
      expect(isOperationError(error) && [error.code, error.retryable, error.attempts]).toEqual([
        'ERR_STEADFETCH_OPERATION_FAILED',
        false,
        2,
      ])
      expect(JSON.parse((error as { body: string }).body)).toMatchObject(content)
      expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('hunter2')
    },
  )

  test('the content behind a plain Location is the result, whatever it says', async () => {
    const { api, clock, sent } = client({}, accepted({ location: '/orders/1' }), told({ status: 'pending' }))
    expect(await (await clock.drive(api(origin))).json()).toEqual({ status: 'pending' })
    expect(sent).toHaveLength(2)
  })

  test('until decides instead, and may read the response', async () => {
    const { api, clock, sent } = client(
      { until: async (response) => ((await response.json()) as { state: string }).state === 'ready' },
      accepted({ location: '/orders/1' }),
      told({ state: 'new' }),
      told({ state: 'new' }, 202),
      told({ state: 'ready' }),
    )
    expect(await (await clock.drive(api(origin))).json()).toEqual({ state: 'ready' })
    expect(sent).toHaveLength(4)
  })

  test('what until throws ends the call', async () => {
    const oops = new Error('oops')
    const until = (): never => {
      throw oops
    }
    const { api, clock } = client({ until }, accepted({ location: '/orders/1' }), told({}))
    await expect(clock.drive(api(origin))).rejects.toBe(oops)
    expect(clock.armed).toBe(0)
  })

  test('a redirect of the monitor to the result is followed', async () => {
    const { api, clock, asked } = client(
      {},
      accepted({ location: '/jobs/1' }),
      reply(303, { location: '/results/1' }),
      reply(200, {}, 'result'),
    )
    const response = await clock.drive(api(origin, { method: 'POST', body: 'x' }))
    expect([await response.text(), response.url]).toEqual(['result', `${origin}/results/1`])
    expect(asked().at(-1)).toEqual(['GET', '/results/1', 1_000])
  })

  test('a monitor that fails is asked again as any request, then its error is thrown', async () => {
    const { api, clock, asked } = client({}, accepted({ location: '/jobs/1' }), reply(503), reply(404))
    await expect(clock.drive(api(origin))).rejects.toBeInstanceOf(NotFoundError)
    expect(asked().map((each) => (each as unknown[])[2])).toEqual([0, 1_000, 1_000])
  })

  test('without a monitor the response is delivered as it is', async () => {
    const { api, clock, sent } = client({}, accepted({}))
    const response = await clock.drive(api(origin))
    expect([response.status, await response.json(), sent.length]).toEqual([202, { status: 'queued' }, 1])
  })

  test('without the policy a 202 is delivered', async () => {
    const clock = new FakeClock()
    const { transport, sent } = scripted(clock.now, accepted({ location: '/jobs/1' }))
    const response = await createFetch({ transport, clock })(origin)
    expect([response.status, sent.length]).toEqual([202, 1])
  })

  test('a monitor at another origin gets no credentials, and one that is no https is refused', async () => {
    const { api, clock, sent } = client({}, accepted({ location: 'https://jobs.example.org/1' }), reply(200))
    await clock.drive(api(origin, { headers: { authorization: 'a', 'x-api-key': 'b', accept: 'text/csv' } }))
    const { headers } = sent[1]?.init ?? {}
    expect([headers?.authorization, headers?.['x-api-key'], headers?.accept]).toEqual([undefined, undefined, 'text/csv'])
    const { api: other, clock: otherClock, sent: none } = client({}, accepted({ location: 'http://api.example.com/1' }))
    await expect(otherClock.drive(other(origin))).rejects.toBeInstanceOf(RedirectError)
    expect(none).toHaveLength(1)
  })
})

describe('how long it may take', () => {
  test('the time limit of the client makes room for the work', async () => {
    const { api, clock, sent } = client({ timeoutMs: 90_000 }, accepted({ location: '/jobs/1', 'retry-after': '80' }), reply(200))
    expect((await clock.drive(api(origin))).status).toBe(200)
    expect(sent[1]?.atMs).toBe(81_000)
  })

  test('that of a call does not', async () => {
    const { api, clock, sent } = client({ timeoutMs: 90_000 }, accepted({ location: '/jobs/1', 'retry-after': '80' }), reply(200))
    const error: unknown = await clock.drive(api(origin, { timeoutMs: 5_000 })).catch((reason: unknown) => reason)
    expect(isTimeoutError(error) && [error.kind, error.elapsedMs]).toEqual(['call', 5_000])
    expect([sent.length, clock.armed]).toEqual([1, 0])
  })

  test('a Retry-After beyond the limit ends it at once', async () => {
    const { api, clock } = client({ timeoutMs: 10_000 }, accepted({ location: '/jobs/1', 'retry-after': '11' }))
    const error: unknown = await clock.drive(api(origin)).catch((reason: unknown) => reason)
    expect(isTimeoutError(error) && [error.kind, error.elapsedMs, error.code]).toEqual(['poll', 0, 'ERR_STEADFETCH_TIMEOUT_POLL'])
  })

  test('an abort ends it, and nothing is left', async () => {
    const { api, clock, sent } = client({}, accepted({ location: '/jobs/1' }))
    const controller = new AbortController()
    const call = api(origin, { signal: controller.signal }).catch((error: unknown) => error)
    await clock.advance(500)
    controller.abort('enough')
    expect(await call).toBe('enough')
    expect([sent.length, clock.armed]).toEqual([1, 0])
  })
})

test('a fallback is not asked, a bare word is the policy with its defaults', async () => {
  const clock = new FakeClock()
  const { transport, sent } = scripted(clock.now, accepted({ location: '/jobs/1' }), reply(404), reply(200))
  const api = createFetch({ transport, clock, random: () => 0, on: { 202: 'poll', 404: fallback(new Response('none')) } })
  expect(await (await clock.drive(api(origin))).text()).toBe('none')
  expect(sent).toHaveLength(2)
})

test.each<[() => unknown, string]>([
  [() => poll({ intervalMs: -1 }), 'poll: intervalMs must be a number of at least 0, got -1'],
  [() => poll({ until: 1 as never }), 'poll: until must be a function, got 1'],
  [() => poll({ every: 1 } as never), 'poll: unknown option "every"'],
])('an option that is none is refused', (make, message) => {
  expect(make).toThrow(message)
})
