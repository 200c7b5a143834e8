import { describe, expect, test } from 'vitest'
import {
  BadGatewayError,
  createFetch,
  explain,
  fallback,
  isHttpError,
  isTimeoutError,
  NotFoundError,
  OperationFailedError,
  type PollOptions,
  poll,
  RedirectError,
  retry,
  traceOf,
  withDeadline,
} from '../../src/index.ts'
import { pollWaitMs, progressOf } from '../../src/policy/polling.ts'
import { clientOf, gaps, rejection } from '../support/client.ts'
import { reply, type Sent } from '../support/scripted-transport.ts'

const target = 'https://api.test/jobs'
const accepted = (fields: Record<string, string> = { location: '/jobs/1' }): Response => reply(202, fields)
const json = (value: object, fields: Record<string, string> = {}): Response =>
  reply(200, { 'content-type': 'application/json', ...fields }, JSON.stringify(value))
const done = reply(200, {}, 'done')
const order = { method: 'POST', body: 'order' } as const

/** A client that polls, without jitter unless the test says otherwise. */
function polling(replies: Parameters<typeof clientOf>[0], options: PollOptions = {}, more: Parameters<typeof clientOf>[1] = {}) {
  return clientOf(replies, { random: () => 0, ...more, on: { 202: poll(options), ...more.on } })
}
const asked = (sent: readonly Sent[]): string[] => sent.map(({ target, init }) => `${init.method} ${target.slice(16)}`)

describe('poll()', () => {
  test('asks at the Location until the answer is no 202, and delivers that', async () => {
    const { fetch, clock, sent } = polling([accepted(), reply(202), reply(202), done])
    const response = await clock.drive(fetch(target, order))
    expect([response.status, await response.text(), response.url]).toEqual([200, 'done', 'https://api.test/jobs/1'])
    expect(asked(sent)).toEqual(['POST /jobs', 'GET /jobs/1', 'GET /jobs/1', 'GET /jobs/1'])
    expect(gaps(sent)).toEqual([1_000, 1_500, 2_250])
    expect(clock.armed).toBe(0)
    const { attempts, redirects } = traceOf(response) ?? {}
    expect(attempts?.map(({ status, waitMs, waitReason }) => [status, waitMs, waitReason])).toEqual([
      [202, 0, undefined],
      [202, 1_000, 'poll'],
      [202, 1_500, 'poll'],
      [200, 2_250, 'poll'],
    ])
    expect([redirects, response.redirected]).toEqual([[], false])
  })

  test('is not done unless asked for, and a 202 that names no monitor is delivered', async () => {
    const byDefault = clientOf([accepted()])
    expect((await byDefault.fetch(target, order)).status).toBe(202)
    const { fetch, sent, clock } = polling([reply(202, {}, 'queued')])
    const response = await fetch(target, order)
    expect([response.status, await response.text(), sent.length, clock.armed]).toEqual([202, 'queued', 1, 0])
  })

  test.each([
    [{ 'operation-location': '/o', 'azure-asyncoperation': '/a', location: '/l', 'content-location': '/c' }, '/o'],
    [{ 'azure-asyncoperation': '/a', location: '/l', 'content-location': '/c' }, '/a'],
    [{ location: '/l', 'content-location': '/c' }, '/l'],
    [{ 'content-location': '/c' }, '/c'],
    [{ location: 'state?of=1#part' }, '/state?of=1'],
  ])('of the fields %o it asks at %s', async (fields, path) => {
    const { fetch, clock, sent } = polling([accepted(fields as Record<string, string>), done])
    await clock.drive(fetch(target, order))
    expect(asked(sent)).toEqual(['POST /jobs', `GET ${path}`])
    expect(gaps(sent)).toEqual([1_000])
  })

  test('goes on where a later 202 says, and where a redirect led', async () => {
    const { fetch, clock, sent } = polling([
      accepted(),
      accepted({ location: '/jobs/2' }),
      reply(307, { location: '/jobs/3' }),
      reply(202),
      reply(303, { location: '/orders/1' }),
      json({ status: 'pending' }),
    ])
    const response = await clock.drive(fetch(target, order))
    expect(await response.json()).toEqual({ status: 'pending' })
    expect(asked(sent)).toEqual(['POST /jobs', 'GET /jobs/1', 'GET /jobs/2', 'GET /jobs/3', 'GET /jobs/3', 'GET /orders/1'])
    expect(gaps(sent)).toEqual([1_000, 1_500, 0, 2_250, 0])
    expect([traceOf(response)?.redirects.length, response.redirected]).toEqual([2, true])
  })

  test('GET is polled too, and HEAD stays HEAD', async () => {
    for (const method of ['GET', 'HEAD']) {
      const { fetch, clock, sent } = polling([accepted(), reply(202), done])
      expect((await clock.drive(fetch(target, { method }))).status).toBe(200)
      expect(asked(sent)).toEqual([`${method} /jobs`, `${method} /jobs/1`, `${method} /jobs/1`])
      expect(gaps(sent)).toEqual([1_000, 1_500])
    }
  })

  test('may be asked for of another status, by a bare word, a class or a function', async () => {
    for (const on of [{ 201: 'poll' }, { '2xx': poll() }, { 201: () => poll() }] as const) {
      const { fetch, clock, sent } = clientOf([reply(201, { location: '/jobs/1' }), reply(202), reply(201, {}, 'made')], { on })
      expect(await (await clock.drive(fetch(target, order))).text()).toBe('made')
      expect(sent).toHaveLength(3)
    }
    const told = { policy: { kind: 'poll' }, repeat: 'never', retryAfter: 'waits', error: 'TimeoutError' }
    expect(explain(202, { on: { 202: 'poll' } })).toMatchObject(told)
  })

  test('the description of a whole representation is no monitor', async () => {
    const { fetch, sent } = clientOf([json({}, { 'content-location': '/jobs.en' })], { on: { '2xx': 'poll' } })
    expect((await fetch(target)).status).toBe(200)
    expect(sent).toHaveLength(1)
  })
})

test("redirect: 'manual' delivers the redirect of a monitor, and 'error' refuses it", async () => {
  const replies = [accepted(), reply(303, { location: '/orders/1' })]
  const { fetch, clock, sent } = polling(replies)
  expect((await clock.drive(fetch(target, { ...order, redirect: 'manual' }))).status).toBe(303)
  const refusing = polling(replies)
  const error = await rejection(refusing.clock.drive(refusing.fetch(target, { ...order, redirect: 'error' })))
  expect(error).toMatchObject({ name: 'RedirectError', kind: 'forbidden', status: 303 })
  expect([sent.length, refusing.sent.length, clock.armed, refusing.clock.armed]).toEqual([2, 2, 0, 0])
})

describe('the requests of polling', () => {
  const headers = {
    authorization: 'Bearer secret',
    'x-api-key': 'secret',
    'accept-language': 'de',
    'idempotency-key': '1',
    'if-match': '"1"',
    'if-none-match': '"2"',
    range: 'bytes=0-1',
    'content-type': 'text/plain',
    'content-language': 'de',
  }

  test('carry the fields of the request, but for those of its content, its condition, its range and its key', async () => {
    const { fetch, clock, sent } = polling([accepted(), done])
    await clock.drive(fetch(target, { ...order, headers }))
    const { init } = sent[1] as Sent
    expect(init.body).toBe(null)
    expect(init.headers).toMatchObject({ authorization: 'Bearer secret', 'x-api-key': 'secret', 'accept-language': 'de' })
    for (const name of ['idempotency-key', 'if-match', 'if-none-match', 'range', 'content-type', 'content-language'])
      expect(init.headers).not.toHaveProperty(name)
  })

  test('carry no credentials to another origin', async () => {
    const { fetch, clock, sent } = polling([accepted({ location: 'https://jobs.test/1' }), reply(202), done])
    const response = await clock.drive(fetch(target, { ...order, headers }))
    for (const { init } of sent.slice(1)) {
      expect(init.headers).toMatchObject({ 'accept-language': 'de' })
      for (const name of ['authorization', 'x-api-key']) expect(init.headers).not.toHaveProperty(name)
    }
    expect([sent.length, response.type]).toEqual([3, 'cors'])
  })

  test.each([
    ['http://api.test/jobs/1', 'downgrade'],
    ['ftp://api.test/jobs/1', 'scheme'],
    ['https://user:secret@api.test/', 'credentials'],
    ['https://api.test:25/', 'port'],
    ['https://[', 'location'],
  ])('never go to %s', async (location, kind) => {
    const { fetch, clock, sent } = polling([accepted({ location })])
    const error = await rejection(clock.drive(fetch(target, order)))
    expect(error).toBeInstanceOf(RedirectError)
    expect(error).toMatchObject({ kind, status: 202, attempts: 1 })
    expect(String(error)).not.toContain('secret')
    expect([sent.length, clock.armed]).toEqual([1, 0])
  })

  test('have attempts of their own, and the error of one that is given up is thrown', async () => {
    const { fetch, clock, sent } = polling(
      [reply(503), accepted(), reply(503), reply(503), reply(202), reply(502)],
      {},
      {
        on: { '5xx': retry({ baseMs: 0 }) },
      },
    )
    const error = await rejection(clock.drive(fetch(target, { method: 'PUT', body: 'a' })))
    expect(error).toBeInstanceOf(BadGatewayError)
    expect(error).toMatchObject({ attempts: 8, request: { method: 'GET', url: 'https://api.test/jobs/1' } })
    expect(gaps(sent)).toEqual([0, 1_000, 0, 0, 1_500, 0, 0])
    const missing = polling([accepted(), reply(404)])
    expect(await rejection(missing.clock.drive(missing.fetch(target, order)))).toBeInstanceOf(NotFoundError)
    expect(missing.sent).toHaveLength(2)
  })

  test('choose anew among endpoints: the one that failed a poll is asked again in the next', async () => {
    const endpoints = ['https://a.test', 'https://b.test']
    const replies = [accepted(), reply(503), reply(202), reply(503), done]
    const { fetch, clock, sent } = polling(replies, {}, { endpoints })
    expect((await clock.drive(fetch('jobs', order))).status).toBe(200)
    expect(gaps(sent)).toEqual([1_000, 0, 1_500, 0])
    const origins = sent.map(({ target }) => new URL(target).origin)
    expect([origins[1], origins[3]]).not.toEqual([origins[2], origins[4]])
    expect(sent.slice(1).every(({ target }) => target.endsWith('.test/jobs/1'))).toBe(true)
  })

  test('an open breaker refuses one, and the refusal is thrown', async () => {
    const options = { breaker: { consecutiveFailures: 1 }, maxAttempts: 1 }
    const { fetch, clock, sent } = polling([accepted()], {}, options)
    const failed = rejection(fetch(target, order))
    await clock.advance(500)
    fetch.breaker(target).isolate()
    expect(await Promise.race([failed, clock.advance(600).then(() => failed)])).toMatchObject({ kind: 'isolated' })
    expect([sent.length, clock.armed]).toEqual([1, 0])
  })

  test('a 429 holds the origin, and the poll goes on after it', async () => {
    const { fetch, clock, sent } = polling([accepted(), reply(429, { 'retry-after': '5' }), done])
    expect((await clock.drive(fetch(target, order))).status).toBe(200)
    expect(gaps(sent)).toEqual([1_000, 5_000])
  })

  test('the outcome of a poll has the policy of its own status', async () => {
    const { fetch, clock } = polling([accepted(), reply(404)], {}, { on: { 404: fallback(() => new Response('none')) } })
    expect(await (await clock.drive(fetch(target, order))).text()).toBe('none')
  })
})

describe('the waits of polling', () => {
  test('grow by half to 10 s, and come closer again before the end', async () => {
    const { fetch, clock, sent } = polling([accepted()])
    const error = await rejection(clock.drive(fetch(target, order)))
    expect(isTimeoutError(error)).toBe(true)
    const waits = gaps(sent)
    expect(waits.slice(0, 6).map(Math.round)).toEqual([1_000, 1_500, 2_250, 3_375, 5_063, 7_594])
    expect(Math.max(...waits)).toBe(10_000)
    expect(waits.slice(6)).toEqual([
      10_000,
      10_000,
      expect.closeTo(9_609, 0),
      expect.closeTo(4_805, 0),
      expect.closeTo(2_402, 0),
      expect.closeTo(1_201, 0),
      1_000,
    ])
    expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(60_000)
  })

  test('are never shorter than Retry-After, nor than the interval, and up to a fifth longer', async () => {
    const { fetch, clock, sent } = polling(
      [accepted({ location: '/1', 'retry-after': '7' }), reply(202, { 'retry-after': '0' }), reply(202), done],
      { intervalMs: 2_000 },
      { random: () => 0.5 },
    )
    await clock.drive(fetch(target, order))
    expect(gaps(sent)).toEqual([7_700, 2_200, 4_950])
  })

  test('a Retry-After beyond the limit ends the polling at once', async () => {
    const { fetch, clock, sent } = polling([accepted({ location: '/1', 'retry-after': '61' })])
    const startMs = clock.now()
    const error = await rejection(clock.drive(fetch(target, order)))
    expect(error).toMatchObject({ kind: 'poll', attempts: 1 })
    expect(traceOf(error)?.notRepeated).toBe('wait does not fit into timeoutMs')
    expect([sent.length, clock.now() - startMs, clock.armed]).toEqual([1, 0, 0])
  })

  test.each([
    [{ polls: 0 }, 1_000],
    [{ polls: 500 }, 10_000],
    [{ polls: 0, intervalMs: 30_000 }, 30_000],
    [{ polls: 9, intervalMs: 30_000 }, 30_000],
    [{ polls: 9, maxIntervalMs: 2_000 }, 2_000],
    [{ polls: 9, remainingMs: 9_000 }, 4_500],
    [{ polls: 9, remainingMs: 900 }, 1_000],
    [{ polls: 9, askedMs: 20_000 }, 20_000],
    [{ polls: 9, askedMs: Infinity }, Infinity],
  ])('with %o it is %d ms', ({ polls, askedMs, remainingMs = Infinity, ...policy }: Record<string, number>, ms) => {
    expect(
      pollWaitMs({ policy: { kind: 'poll', ...policy }, polls: polls as number, askedMs, remainingMs, random: () => 0 }),
    ).toBe(ms)
  })
})

describe('the limits of polling', () => {
  test('timeoutMs is for the polling as a whole; the limit of the client does not count it', async () => {
    const { fetch, clock, sent } = polling([accepted()], { timeoutMs: 45_000, intervalMs: 10_000 })
    const startMs = clock.now()
    const error = await rejection(clock.drive(fetch(`${target}?token=secret`, order)))
    expect(isTimeoutError(error)).toBe(true)
    expect(error).toMatchObject({
      kind: 'poll',
      code: 'ERR_STEADFETCH_TIMEOUT_POLL',
      retryable: false,
      request: { method: 'GET', url: 'https://api.test/jobs/1' },
      message: 'GET https://api.test/jobs/1 failed: the work that was accepted takes more than 45000 ms (5 attempts, 40000 ms)',
    })
    expect([gaps(sent), clock.now() - startMs, clock.armed]).toEqual([[10_000, 10_000, 10_000, 10_000], 40_000, 0])
  })

  test('a poll that is not answered ends with the polling, and nothing is left of it', async () => {
    let signal: AbortSignal | undefined
    const { fetch, clock } = polling(
      [
        accepted(),
        (_target, init) => {
          signal = init.signal
          return new Promise(() => {})
        },
      ],
      { timeoutMs: 5_000 },
      { attemptTimeoutMs: false },
    )
    const error = await rejection(clock.drive(fetch(target, order)))
    expect(error).toMatchObject({ kind: 'poll', elapsedMs: 5_000, attempts: 2 })
    expect([signal?.aborted, clock.armed]).toEqual([true, 0])
  })

  test('a limit that the call itself sets, and a deadline, hold for the polling, too', async () => {
    for (const limit of ['call', 'deadline'] as const) {
      const { fetch, clock, sent } = polling([accepted()])
      const call =
        limit === 'call'
          ? fetch(target, { ...order, timeoutMs: 4_000 })
          : withDeadline(4_000, () => fetch(target, order), { clock })
      const error = await rejection(clock.drive(call))
      expect(error).toMatchObject({ kind: limit, retryable: true })
      expect(gaps(sent)).toEqual([1_000, 1_500, 1_000])
      expect(clock.armed).toBe(0)
    }
  })

  test('afterwards the call has left what it had before', async () => {
    const slow = (): Response => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))
    const { fetch, clock } = polling([accepted(), reply(202), slow], {}, { timeoutMs: 4_000, idleTimeoutMs: false })
    const response = await clock.drive(fetch(target, order))
    const body = response.text()
    expect(await rejection(clock.drive(body))).toMatchObject({ kind: 'call', elapsedMs: 6_500 })
    expect(clock.armed).toBe(0)
  })

  test('without a limit it goes on', async () => {
    const replies = [accepted(), ...Array.from({ length: 50 }, () => reply(202)), done]
    const { fetch, clock, sent } = polling(replies, { timeoutMs: false })
    expect((await clock.drive(fetch(target, order))).status).toBe(200)
    expect(sent).toHaveLength(52)
    expect(gaps(sent).at(-1)).toBe(10_000)
  })

  test('an abort ends it at once, with its own reason', async () => {
    const controller = new AbortController()
    const { fetch, clock, sent } = polling([accepted()])
    const call = fetch(target, { ...order, signal: controller.signal })
    const failed = rejection(call)
    await clock.advance(1_200)
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await failed).toBe(reason)
    expect([sent.length, clock.armed]).toEqual([2, 0])
  })
})

describe('what the status document says', () => {
  test.each(['NotStarted', 'Running', 'InProgress', 'in_progress', 'queued', 'PENDING', 'Creating'])(
    '%s: the work goes on',
    async (status) => {
      const { fetch, clock, sent } = polling([accepted(), json({ status }), json({ status: 'Succeeded' })])
      expect(await (await clock.drive(fetch(target, order))).json()).toEqual({ status: 'Succeeded' })
      expect(gaps(sent)).toEqual([1_000, 1_500])
    },
  )

  test.each(['Failed', 'Canceled', 'cancelled', 'TIMED_OUT'])('%s: throws an OperationFailedError', async (status) => {
    const document = { status, error: { code: 'Conflict', message: 'the name is taken' } }
    const { fetch, clock, sent } = polling([accepted(), json(document)])
    const error = await rejection(clock.drive(fetch(target, order)))
    expect(error).toBeInstanceOf(OperationFailedError)
    expect(isHttpError(error, 200)).toBe(true)
    expect(error).toMatchObject({ code: 'ERR_STEADFETCH_OPERATION_FAILED', status: 200, retryable: false, operation: document })
    expect((error as Error).message).toBe(
      'GET https://api.test/jobs/1 failed: the work that was accepted failed (2 attempts, 1000 ms)',
    )
    expect(JSON.stringify(error)).not.toContain('taken')
    expect([sent.length, clock.armed]).toEqual([2, 0])
  })

  test("a failure is delivered with errors: 'return'", async () => {
    const { fetch, clock } = polling([accepted(), json({ status: 'Failed' })], {}, { errors: 'return' })
    expect(await (await clock.drive(fetch(target, order))).json()).toEqual({ status: 'Failed' })
  })

  test.each([
    [{ done: false }, 'pending'],
    [{ done: true, response: {} }, 'done'],
    [{ done: true, error: { code: 5 } }, 'failed'],
    [{ status: 'Succeeded' }, 'done'],
    [{ status: 'a word of its own' }, 'done'],
    [{ status: 404 }, undefined],
    [{ id: 1 }, undefined],
    [[], undefined],
    [null, undefined],
    ['running', undefined],
  ])('%j says %s', (document, progress) => expect(progressOf(document)).toBe(progress))

  test.each([
    ['text', reply(200, { 'content-type': 'text/plain' }, '{"status":"running"}')],
    ['no JSON', reply(200, { 'content-type': 'application/json' }, '{"status":"running"')],
    ['more than 64 KiB', json({ status: 'running', filler: 'x'.repeat(70_000) })],
    [
      'more than 64 KiB by its Content-Length',
      json({ status: 'running', filler: 'x'.repeat(70_000) }, { 'content-length': '70034' }),
    ],
    ['no content', reply(204)],
  ])('%s is the result, and is delivered whole', async (_what, last) => {
    const { fetch, clock, sent } = polling([accepted(), last])
    const response = await clock.drive(fetch(target, order))
    expect(await response.text()).toBe(await last.clone().text())
    expect(sent).toHaveLength(2)
  })

  test('JSON of a media type of its own is read as well', async () => {
    const fields = { 'content-type': 'application/vnd.job+json; charset=utf-8' }
    const { fetch, clock, sent } = polling([
      accepted(),
      reply(200, fields, '{"done":false}'),
      reply(200, fields, '{"done":true}'),
    ])
    expect(await (await clock.drive(fetch(target, order))).text()).toBe('{"done":true}')
    expect(sent).toHaveLength(3)
  })

  test('a document that breaks off fails the call', async () => {
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"status":'))
        controller.error(new Error('lost'))
      },
    })
    const { fetch, clock, sent } = polling([
      accepted(),
      () => new Response(broken, { headers: { 'content-type': 'application/json' } }),
    ])
    expect(await rejection(clock.drive(fetch(target, order)))).toMatchObject({ message: expect.stringContaining('lost') })
    expect([sent.length, clock.armed]).toEqual([2, 0])
  })
})

describe('where the result is', () => {
  const operation = { 'operation-location': '/operations/1' }
  const succeeded = json({ status: 'Succeeded' })

  test.each([
    ['POST', operation, json({ status: 'Succeeded', resourceLocation: 'https://api.test/orders/ä' }), 'GET /orders/%C3%A4'],
    ['POST', { ...operation, location: '/orders/1' }, succeeded, 'GET /orders/1'],
    ['PUT', operation, succeeded, 'GET /jobs'],
    ['PATCH', { 'azure-asyncoperation': '/operations/1' }, succeeded, 'GET /jobs'],
    ['POST', { location: '/operations/1' }, json({ status: 'Succeeded', resourceLocation: '/orders/1' }), 'GET /orders/1'],
  ])('%s with %o: it is asked for when the work is done', async (method, fields, last, request) => {
    const { fetch, clock, sent } = polling([accepted(fields as Record<string, string>), last, done])
    const response = await clock.drive(fetch(target, { method, body: 'a', headers: { authorization: 'Bearer secret' } }))
    expect(await response.text()).toBe('done')
    expect(asked(sent)).toEqual([`${method} /jobs`, 'GET /operations/1', request])
    expect(gaps(sent)).toEqual([1_000, 0])
    expect(sent.map(({ init }) => init.headers.authorization)).toEqual(Array(3).fill('Bearer secret'))
  })

  test.each([
    ['POST', operation, succeeded],
    ['DELETE', operation, succeeded],
    ['PUT', operation, json({ id: 1 })],
    ['PUT', { location: '/operations/1' }, succeeded],
  ])('%s with %o: the answer of the monitor is the result', async (method, fields, last) => {
    const { fetch, clock, sent } = polling([accepted(fields as Record<string, string>), last])
    const response = await clock.drive(fetch(target, { method }))
    expect(await response.json()).toEqual(await last.clone().json())
    expect(sent).toHaveLength(2)
  })

  test('a monitor of another origin that names it gets no credentials sent for it', async () => {
    const { fetch, clock, sent } = polling([
      accepted({ 'operation-location': 'https://jobs.test/1' }),
      json({ status: 'Succeeded', resourceLocation: target }),
      done,
    ])
    await clock.drive(fetch(target, { ...order, headers: { authorization: 'Bearer secret' } }))
    expect(sent.map(({ init }) => init.headers.authorization)).toEqual(['Bearer secret', undefined, undefined])
  })
})

describe('until', () => {
  test('decides alone, and the response it saw is delivered whole', async () => {
    const seen: unknown[] = []
    const until = async (response: Response): Promise<boolean> => {
      seen.push(response.status === 202 ? 202 : await response.json())
      return seen.length === 3
    }
    const { fetch, clock, sent } = polling([accepted(), json({ step: 1 }), reply(202), json({ status: 'Failed' })], { until })
    const response = await clock.drive(fetch(target, order))
    expect(await response.json()).toEqual({ status: 'Failed' })
    expect(seen).toEqual([{ step: 1 }, 202, { status: 'Failed' }])
    expect(gaps(sent)).toEqual([1_000, 1_500, 2_250])
  })

  test('need not read what it is shown', async () => {
    const { fetch, clock } = polling([accepted(), json({ done: false })], { until: () => true })
    expect(await (await clock.drive(fetch(target, order))).text()).toBe('{"done":false}')
  })

  test('what it throws ends the call as it is', async () => {
    const own = new Error('own')
    const { fetch, clock, sent } = polling([accepted(), done], {
      until: () => {
        throw own
      },
    })
    expect(await rejection(clock.drive(fetch(target, order)))).toBe(own)
    expect([sent.length, clock.armed]).toEqual([2, 0])
  })

  test('one that never answers ends with the polling', async () => {
    const { fetch, clock } = polling([accepted(), done], { until: () => new Promise(() => {}), timeoutMs: 9_000 })
    expect(await rejection(clock.drive(fetch(target, order)))).toMatchObject({ kind: 'poll', elapsedMs: 9_000 })
    expect(clock.armed).toBe(0)
  })
})

test.each([
  [{ intervalMs: 0 }, 'poll: intervalMs must be a number of at least 1, got 0'],
  [{ maxIntervalMs: Number.NaN }, 'poll: maxIntervalMs must be a number of at least 1, got NaN'],
  [{ intervalMs: 20_000, maxIntervalMs: 10_000 }, 'poll: maxIntervalMs must be at least intervalMs, 20000, got 10000'],
  [{ timeoutMs: 0 }, 'poll: timeoutMs must be a number of milliseconds above 0, or false, got 0'],
  [{ until: true }, 'poll: until must be a function, got true'],
  [{ interval: 1 }, 'poll: unknown option "interval"; known are intervalMs, maxIntervalMs, timeoutMs, until'],
])('%o is refused', (options, message) => {
  expect(() => poll(options as never)).toThrow(new TypeError(message))
  expect(() => createFetch({ on: { 202: 'polls' as never } })).toThrow(TypeError)
})
