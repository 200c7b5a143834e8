import { describe, expect, test } from 'vitest'
import { BadGatewayError, fallback, isHttpError, retry, ServiceUnavailableError, TimeoutError, traceOf } from '../../src/index.ts'
import { clientOf, gaps, rejection } from '../support/client.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

const target = 'https://api.test/things'
const ok = reply(200, {}, 'fine')

describe('a GET that is answered with a 5xx', () => {
  test('is sent three times with full jitter between, then the typed error is thrown', async () => {
    const { fetch, clock, sent } = clientOf([reply(502)])
    const error = await clock.drive(rejection(fetch(target)))
    expect(error).toBeInstanceOf(BadGatewayError)
    expect(sent).toHaveLength(3)
    expect(gaps(sent)).toEqual([50, 100])
    expect(error).toMatchObject({ attempts: 3, elapsedMs: 150, retryable: true })
    expect(clock.armed).toBe(0)
  })

  test('is delivered as soon as it succeeds', async () => {
    const { fetch, clock, sent } = clientOf([reply(500), ok])
    const response = await clock.drive(fetch(target))
    expect(await response.text()).toBe('fine')
    expect(sent).toHaveLength(2)
    expect(traceOf(response)?.attempts.map(({ status, waitMs, waitReason }) => [status, waitMs, waitReason])).toEqual([
      [500, 0, undefined],
      [200, 50, 'backoff'],
    ])
  })

  test('doubles the back-off up to the cap', async () => {
    const { fetch, clock, sent } = clientOf([reply(500)], { on: { '5xx': retry({ maxAttempts: 7, baseMs: 100, capMs: 1_000 }) } })
    await clock.drive(rejection(fetch(target)))
    expect(gaps(sent)).toEqual([50, 100, 200, 400, 500, 500])
  })

  test('is sent once when maxAttempts is 1', async () => {
    const { fetch, clock, sent } = clientOf([reply(503)], { maxAttempts: 1 })
    expect(await clock.drive(rejection(fetch(target)))).toBeInstanceOf(ServiceUnavailableError)
    expect(sent).toHaveLength(1)
  })
})

describe('what may be repeated', () => {
  test.each(['POST', 'PATCH'])('%s is not, because it may have been applied', async (method) => {
    const { fetch, clock, sent } = clientOf([reply(503)])
    const error = await clock.drive(rejection(fetch(target, { method, body: 'x' })))
    expect(sent).toHaveLength(1)
    expect(traceOf(error)?.notRepeated).toBe('method is not idempotent')
    expect((error as Error).message).toContain('not repeated: method is not idempotent')
  })

  test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'QUERY'])('%s is', async (method) => {
    const { fetch, clock, sent } = clientOf([reply(503), ok])
    await clock.drive(fetch(target, { method }))
    expect(sent).toHaveLength(2)
  })

  test('POST with an Idempotency-Key is, with the same key', async () => {
    const { fetch, clock, sent } = clientOf([reply(503), ok])
    await clock.drive(fetch(target, { method: 'POST', body: 'x', headers: { 'Idempotency-Key': 'k1' } }))
    expect(sent.map(({ body, init }) => [body, init.headers['idempotency-key']])).toEqual([
      ['x', 'k1'],
      ['x', 'k1'],
    ])
  })

  test.each([421, 425])('POST is after %i, which says that it was not applied', async (status) => {
    const { fetch, clock, sent } = clientOf([reply(status), ok])
    await clock.drive(fetch(target, { method: 'POST', body: 'x' }))
    expect(sent).toHaveLength(2)
  })

  test('POST is when a policy says so', async () => {
    const { fetch, clock, sent } = clientOf([reply(409), ok], { on: { 409: retry({ repeat: 'any' }) } })
    await clock.drive(fetch(target, { method: 'POST', body: 'x' }))
    expect(sent).toHaveLength(2)
  })

  test('POST is after a refused connection, which cannot have carried it', async () => {
    const { fetch, clock, sent } = clientOf([fetchFailed('ECONNREFUSED'), ok])
    await clock.drive(fetch(target, { method: 'POST', body: 'x' }))
    expect(sent).toHaveLength(2)
  })

  test('POST is not after a reset connection', async () => {
    const { fetch, clock, sent } = clientOf([fetchFailed('ECONNRESET')])
    expect(await clock.drive(rejection(fetch(target, { method: 'POST', body: 'x' })))).toMatchObject({ sent: 'maybe' })
    expect(sent).toHaveLength(1)
  })

  test('413 is only with a Retry-After', async () => {
    const without = clientOf([reply(413)])
    await without.clock.drive(rejection(without.fetch(target)))
    expect(without.sent).toHaveLength(1)
    const withOne = clientOf([reply(413, { 'retry-after': '2' }), ok])
    await withOne.clock.drive(withOne.fetch(target))
    expect(gaps(withOne.sent)).toEqual([2_200])
  })

  test('a stream is not: the error of the status is thrown, the stream is not sent empty', async () => {
    const { fetch, clock, sent } = clientOf([reply(503), ok])
    const body = new Blob(['once']).stream()
    const error = await clock.drive(rejection(fetch(target, { method: 'PUT', body, duplex: 'half' } as RequestInit)))
    expect(isHttpError(error, 503)).toBe(true)
    expect(sent.map((request) => request.body)).toEqual(['once'])
    expect(traceOf(error)?.notRepeated).toBe('content cannot be replayed')
  })
})

describe('Retry-After on a 500', () => {
  test('is the least wait, lengthened by up to a fifth', async () => {
    const { fetch, clock, sent } = clientOf([reply(500, { 'retry-after': '7' }), ok])
    const response = await clock.drive(fetch(target))
    expect(gaps(sent)).toEqual([7_700])
    expect(traceOf(response)?.attempts[1]).toMatchObject({ waitMs: 7_700, waitReason: 'retry-after' })
  })

  test('is not cut to the cap of the back-off', async () => {
    const { fetch, clock, sent } = clientOf([reply(500, { 'retry-after': '20' }), ok], { on: { 500: retry({ capMs: 10 }) } })
    await clock.drive(fetch(target))
    expect(gaps(sent)).toEqual([22_000])
  })

  test.each([
    ['does not fit into timeoutMs', '10', { timeoutMs: 5_000 }, 'wait does not fit into timeoutMs'],
    ['is above maxWaitMs', '61', { timeoutMs: false }, 'wait is above maxWaitMs'],
    ['is absurd', '9'.repeat(400), { timeoutMs: false }, 'wait is above maxWaitMs'],
  ] as const)('that %s ends the call at once with the error of the status', async (_what, value, options, why) => {
    const { fetch, clock, sent } = clientOf([reply(500, { 'retry-after': value })], options)
    const error = await rejection(fetch(target))
    expect(error).toMatchObject({ status: 500, elapsedMs: 0 })
    expect(traceOf(error)?.notRepeated).toBe(why)
    expect(sent).toHaveLength(1)
    expect(clock.armed).toBe(0)
  })

  test('of 0 repeats at once', async () => {
    const { fetch, clock, sent } = clientOf([reply(500, { 'retry-after': '0' }), ok])
    await clock.drive(fetch(target))
    expect(gaps(sent)).toEqual([0])
  })
})

describe('failures without a status', () => {
  test('an attempt that takes too long is repeated, then thrown as a TimeoutError', async () => {
    const { fetch, clock, sent } = clientOf([() => new Promise<Response>(() => {})], { attemptTimeoutMs: 1_000 })
    const error = await clock.drive(rejection(fetch(target)))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ kind: 'attempt', attempts: 3, code: 'ERR_STEADFETCH_TIMEOUT_ATTEMPT' })
    expect(gaps(sent)).toEqual([1_050, 1_100])
  })

  test('the whole call ends at timeoutMs, whatever the transport does', async () => {
    const { fetch, clock, sent } = clientOf([() => new Promise<Response>(() => {})], {
      attemptTimeoutMs: false,
      timeoutMs: 4_000,
    })
    const error = await clock.drive(rejection(fetch(target)))
    expect(error).toMatchObject({ kind: 'call', elapsedMs: 4_000 })
    expect(sent).toHaveLength(1)
    expect(clock.armed).toBe(0)
  })

  test('the keys network and timeout have policies of their own', async () => {
    const { fetch, clock, sent } = clientOf([fetchFailed('ECONNRESET')], { on: { network: 'fail' } })
    await clock.drive(rejection(fetch(target)))
    expect(sent).toHaveLength(1)
    const late = clientOf([() => new Promise<Response>(() => {})], {
      attemptTimeoutMs: 10,
      on: { timeout: fallback(new Response('stale')) },
    })
    expect(await (await late.clock.drive(late.fetch(target))).text()).toBe('stale')
    expect(late.sent).toHaveLength(1)
  })

  test('a bug in the transport is thrown as it is and not repeated', async () => {
    const bug = new TypeError('x is not a function')
    const { fetch, clock, sent } = clientOf([bug])
    expect(await clock.drive(rejection(fetch(target)))).toBe(bug)
    expect(sent).toHaveLength(1)
  })
})

describe("the caller's signal", () => {
  test('during back-off ends the call with its own reason, and no further attempt', async () => {
    const { fetch, clock, sent } = clientOf([reply(500)])
    const controller = new AbortController()
    const call = rejection(fetch(target, { signal: controller.signal }))
    await clock.advance(20)
    const reason = { why: 'the user left' }
    controller.abort(reason)
    expect(await call).toBe(reason)
    await clock.advance(60_000)
    expect(sent).toHaveLength(1)
    expect(clock.armed).toBe(0)
  })

  test('that is aborted already stops the call before anything is sent', async () => {
    const { fetch, sent } = clientOf([ok])
    expect(await rejection(fetch(target, { signal: AbortSignal.abort('no') }))).toBe('no')
    expect(sent).toHaveLength(0)
  })
})

describe('the content of a Request', () => {
  const never = (): ReadableStream => new ReadableStream({ pull: () => new Promise(() => {}) })
  const requestWith = (body: BodyInit): Request => new Request(target, { method: 'PUT', body, duplex: 'half' } as RequestInit)

  test('is read ahead, so that it is repeated like any other', async () => {
    const { fetch, clock, sent } = clientOf([reply(503), ok])
    await clock.drive(fetch(requestWith('text')))
    expect(sent.map(({ body }) => body)).toEqual(['text', 'text'])
  })

  test('that does not come is given up at timeoutMs, and nothing is sent', async () => {
    const { fetch, clock, sent } = clientOf([ok], { timeoutMs: 500 })
    expect(await clock.drive(rejection(fetch(requestWith(never()))))).toMatchObject({ kind: 'call', attempts: 0, elapsedMs: 500 })
    expect(sent).toHaveLength(0)
    expect(clock.armed).toBe(0)
  })

  test("that does not come is given up when the caller's signal says so", async () => {
    const { fetch } = clientOf([ok])
    const controller = new AbortController()
    const call = rejection(fetch(requestWith(never()), { signal: controller.signal }))
    controller.abort('enough')
    expect(await call).toBe('enough')
  })

  test('that fails is a BodyError with its reason', async () => {
    const { fetch, sent } = clientOf([ok])
    const broken = new ReadableStream({ pull: (stream) => stream.error(new Error('disk gone')) })
    expect(await rejection(fetch(requestWith(broken)))).toMatchObject({
      name: 'BodyError',
      kind: 'source',
      cause: { message: 'disk gone' },
    })
    expect(sent).toHaveLength(0)
  })
})
