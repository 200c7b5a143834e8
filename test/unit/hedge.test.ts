import { describe, expect, test } from 'vitest'
import { type ClientOptions, createFetch, isHttpError, type SteadFetch, TimeoutError, traceOf } from '../../src/index.ts'
import { rejection } from '../support/client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

const target = 'https://api.test/things'

interface Pending {
  readonly atMs: number
  readonly signal: AbortSignal
  answer(response: Response): void
  fail(error: Error): void
}

/** A client whose requests are answered by hand. */
function slow(options: ClientOptions): { fetch: SteadFetch; clock: FakeClock; sent: Pending[] } {
  const clock = new FakeClock()
  const sent: Pending[] = []
  const transport = (_target: string, { signal }: { signal: AbortSignal }): Promise<Response> =>
    new Promise((resolve, reject) => {
      sent.push({ atMs: clock.now() - 1_000, signal, answer: resolve, fail: reject })
    })
  return { fetch: createFetch({ transport, clock, random: () => 0.5, ...options }), clock, sent }
}

describe('a hedged request', () => {
  test('is sent a second time after the wait; the answer that comes first counts, and the other request is cancelled', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50 } })
    const call = fetch(target)
    await clock.advance(49)
    expect(sent).toHaveLength(1)
    await clock.advance(1)
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 50])
    sent[1]?.answer(reply(200, {}, 'second'))
    const response = await call
    expect(await response.text()).toBe('second')
    expect(sent.map(({ signal }) => signal.aborted)).toEqual([true, false])
    const trace = traceOf(response)
    expect(trace?.attempts.map(({ status, error, hedge }) => [status ?? error, hedge])).toEqual([
      ['superseded', undefined],
      [200, true],
    ])
    expect(clock.armed).toBe(0)
  })

  test('is not sent again when it is answered in time', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50 } })
    const call = fetch(target)
    await clock.advance(40)
    sent[0]?.answer(reply(200, {}, 'first'))
    expect(await (await call).text()).toBe('first')
    await clock.advance(1_000)
    expect(sent).toHaveLength(1)
    expect(clock.armed).toBe(0)
  })

  test('the first request may win after all, and the hedge is cancelled', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50 } })
    const call = fetch(target)
    await clock.advance(60)
    sent[0]?.answer(reply(404))
    expect(isHttpError(await rejection(call), 404)).toBe(true)
    expect(sent.map(({ signal }) => signal.aborted)).toEqual([false, true])
    expect(clock.armed).toBe(0)
  })

  test('a failure is not taken while another request may still be answered', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50 } })
    const call = fetch(target)
    await clock.advance(60)
    sent[0]?.answer(reply(503))
    await clock.advance(60)
    sent[1]?.answer(reply(200, {}, 'second'))
    expect(await (await call).text()).toBe('second')
    expect(sent).toHaveLength(2)
  })

  test('when all fail, the retry decides on the answer that tells most', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50 } })
    const call = fetch(target)
    await clock.advance(60)
    sent[0]?.answer(reply(503))
    sent[1]?.fail(fetchFailed('ECONNRESET'))
    await clock.advance(50)
    expect(sent).toHaveLength(3)
    sent[2]?.answer(reply(200, {}, 'third'))
    const response = await call
    expect(traceOf(response)?.attempts.map(({ status, error }) => status ?? error)).toEqual([
      503,
      'ERR_STEADFETCH_NETWORK_RESET',
      200,
    ])
    await response.text()
    expect(clock.armed).toBe(0)
  })

  test('a request that failed before its hedge was due is retried, not hedged', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 200 } })
    const call = fetch(target)
    await clock.advance(10)
    sent[0]?.answer(reply(503))
    await clock.advance(50)
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 60])
    sent[1]?.answer(reply(200))
    expect(traceOf(await call)?.attempts[1]).toMatchObject({ waitMs: 50, waitReason: 'backoff' })
  })

  test('a POST is not hedged, one with an Idempotency-Key is', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50 } })
    const post = fetch(target, { method: 'POST', body: 'x' })
    await clock.advance(500)
    expect(sent).toHaveLength(1)
    sent[0]?.answer(reply(201))
    await post
    const keyed = fetch(target, { method: 'POST', body: 'x', headers: { 'idempotency-key': 'k' } })
    await clock.advance(500)
    expect(sent).toHaveLength(3)
    sent[2]?.answer(reply(201))
    await keyed
  })

  test('more hedges are sent one after the other, as many as are allowed', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50, maxHedges: 2 } })
    const call = fetch(target)
    await clock.advance(1_000)
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 50, 100])
    sent[2]?.answer(reply(200))
    await call
    expect(sent.map(({ signal }) => signal.aborted)).toEqual([true, true, false])
  })

  test('hedges are a tenth of the requests at most, after the first ten', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50 } })
    for (let call = 0; call < 100; call += 1) {
      const response = fetch(target)
      await clock.advance(60)
      for (const { answer } of sent) answer(reply(200))
      await response
    }
    expect(sent.length).toBeGreaterThanOrEqual(100 + 19)
    expect(sent.length).toBeLessThanOrEqual(100 + 20)
  })

  test('an origin that does not answer is sent ten hedges, and no more', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50 }, maxAttempts: 1, attemptTimeoutMs: 100 })
    for (let call = 0; call < 50; call += 1) await clock.drive(rejection(fetch(target)))
    expect(sent).toHaveLength(50 + 10)
  })

  test('waits for the percentile of the response times once they are known', async () => {
    const { fetch, clock, sent } = slow({ hedge: true })
    for (let call = 0; call < 100; call += 1) {
      const response = fetch(target)
      await clock.advance(call % 10 === 9 ? 200 : 20)
      sent.at(-1)?.answer(reply(200))
      await response
    }
    const before = sent.length
    const startMs = clock.now() - 1_000
    const call = fetch(target)
    await clock.advance(1_000)
    expect(sent.slice(before).map(({ atMs }) => atMs - startMs)).toEqual([0, expect.closeTo(200, -1.5)])
    sent.at(-1)?.answer(reply(200))
    await call
  })

  test('each request has its own limit, and the call ends with its own', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50 }, attemptTimeoutMs: 100, timeoutMs: 120, maxAttempts: 1 })
    const error = rejection(fetch(target))
    await clock.advance(100)
    expect(sent.map(({ signal }) => signal.aborted)).toEqual([true, false])
    await clock.advance(20)
    expect(await error).toBeInstanceOf(TimeoutError)
    expect(sent.map(({ signal }) => signal.aborted)).toEqual([true, true])
    expect(clock.armed).toBe(0)
  })

  test("the caller's abort ends both requests, and its reason is thrown", async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50 } })
    const controller = new AbortController()
    const error = rejection(fetch(target, { signal: controller.signal }))
    await clock.advance(60)
    controller.abort(new Error('gone'))
    expect(await error).toMatchObject({ message: 'gone' })
    expect(sent.map(({ signal }) => signal.aborted)).toEqual([true, true])
    expect(clock.armed).toBe(0)
  })

  test('the body of the winner is watched to its end', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50 }, idleTimeoutMs: 500 })
    const call = fetch(target)
    await clock.advance(60)
    sent[1]?.answer(new Response(new ReadableStream({ pull: () => new Promise(() => {}) })))
    const text = rejection((await call).text())
    await clock.advance(500)
    expect(await text).toMatchObject({ kind: 'idle' })
    expect(clock.armed).toBe(0)
  })

  test('a pause that one answer asks for holds the calls after it, although the other answer counts', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50 } })
    const call = fetch(target)
    await clock.advance(60)
    sent[0]?.answer(reply(429, { 'retry-after': '10' }))
    await clock.advance(1)
    sent[1]?.answer(reply(200))
    await call
    const held = fetch(target)
    await clock.advance(9_000)
    expect(sent).toHaveLength(2)
    await clock.advance(3_000)
    expect(sent).toHaveLength(3)
    sent[2]?.answer(reply(200))
    await held
  })

  test('of two failed answers heeds the one that asks for the longer wait, whichever came first', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50 }, random: () => 0, attemptTimeoutMs: false })
    const call = fetch(target)
    await clock.advance(50)
    sent[1]?.answer(reply(500))
    await clock.advance(0)
    sent[0]?.answer(reply(500, { 'retry-after': '5' }))
    await clock.advance(4_999)
    expect(sent).toHaveLength(2)
    await clock.advance(1)
    expect(sent).toHaveLength(3)
    sent[2]?.answer(reply(200))
    expect((await call).status).toBe(200)
  })

  test('that finds no place among the requests at a time is not sent later, and costs no hedge', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50, budgetRatio: 0 }, concurrency: 1 })
    for (let call = 0; call < 12; call += 1) {
      const answer = fetch(target)
      await clock.advance(60)
      expect(sent).toHaveLength(call + 1)
      sent[call]?.answer(reply(200))
      await answer
    }
    const last = fetch.extend({ concurrency: false })(target)
    await clock.advance(60)
    expect(sent).toHaveLength(14)
    sent[13]?.answer(reply(200))
    expect((await last).status).toBe(200)
  })

  test('rejects where the clock throws at the answer', async () => {
    const { fetch, clock, sent } = slow({ hedge: { afterMs: 50 } })
    const call = rejection(fetch(target))
    await clock.advance(0)
    const { now } = clock
    const broken = new Error('out of order')
    let readings = 0
    clock.now = () => {
      readings += 1
      if (readings === 2) throw broken
      return now()
    }
    sent[0]?.answer(reply(200))
    expect(await call).toBe(broken)
  })
})
