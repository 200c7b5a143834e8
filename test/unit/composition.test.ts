import { describe, expect, test } from 'vitest'
import { createFetch, isHttpError, isRefusedError, type Trace, type TransportInit, traceOf } from '../../src/index.ts'
import { arriving } from '../support/arriving.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { expected, type Fate, type Feature, features, origins, pairs } from '../support/features.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

interface World {
  /** Makes a call, or as many at the same time as the features ask for, and reads the whole of its response. */
  call(): Promise<unknown[]>
  readonly clock: FakeClock
  readonly fates: readonly Fate[]
  readonly sent: readonly string[]
  /** What is under way still. */
  readonly open: ReadonlySet<unknown>
}

const whole = '0123456789'
const [a] = origins

/** A client with both features, whose requests meet these fates; chance is always a fifth. */
function world(one: string, other: string): World {
  const clock = new FakeClock()
  const sent: string[] = []
  const open = new Set<unknown>()
  const both = [features[one], features[other]] as [Feature, Feature]
  const fates = both.flatMap((feature) => feature.fates)
  const transport = (target: string, init: TransportInit): Promise<Response> => {
    const fate = fates[sent.length] ?? 'ok'
    sent.push(target)
    if (fate === 'refused') return Promise.reject(fetchFailed('ECONNREFUSED'))
    if (fate !== 'hangs') return Promise.resolve(answers[fate](init, open))
    open.add(init.signal)
    return new Promise((_resolve, reject) => {
      init.signal.addEventListener('abort', () => {
        open.delete(init.signal)
        reject(init.signal.reason)
      })
    })
  }
  const [first = {}, second = {}] = both.map(({ options }) => options)
  const on = { ...first.on, ...second.on }
  const common = { transport, clock, random: () => 0.2, maxAttempts: 6, timeoutMs: 60_000 }
  const fetch = createFetch({ ...common, ...first, ...second, on })
  const read = async (): Promise<unknown> => {
    try {
      const response = await fetch(`${a}/x`)
      return response.url === '' || (await response.text()) === whole ? response : 'a Response of other content'
    } catch (error) {
      return error
    }
  }
  // Whoever polls does so for itself.
  const callers = both.some(({ callers: count }) => count === 2) && ![one, other].includes('polling') ? 2 : 1
  return { fates, call: () => Promise.all(Array.from({ length: callers }, read)), clock, sent, open }
}

/** The answer to a condition, to a range or to the request for everything. */
function wanted({ headers }: TransportInit): Response {
  const from = /^bytes=(\d)-$/.exec(headers.range ?? '')?.[1]
  if (headers['if-none-match'] !== undefined) return reply(304)
  if (from === undefined) return reply(200, {}, whole)
  return reply(206, { etag: '"v1"', 'content-range': `bytes ${from}-9/10` }, whole.slice(Number(from)))
}

type Answer = (init: TransportInit, open: Set<unknown>) => Response

/** An answer whose content begins, and then fails or says nothing more. */
const broken =
  (how: 'cut' | 'silent'): Answer =>
  (_init, open) => {
    const content = arriving(() => open.delete(content))
    open.add(content)
    content.part('012')
    setImmediate(() => {
      if (how === 'silent') return
      open.delete(content)
      content.fail(fetchFailed('ECONNRESET'))
    })
    return new Response(content.body, { headers: { etag: '"v1"', 'content-length': '10' } })
  }

const answers: Readonly<Record<Exclude<Fate, 'refused' | 'hangs'>, Answer>> = {
  ok: wanted,
  unavailable: () => reply(503),
  limited: () => reply(429, { 'retry-after': '1' }),
  moved: () => reply(307, { location: '/y' }),
  gone: () => reply(410),
  unauthorized: () => reply(401),
  accepted: () => reply(202, { location: '/job' }),
  pending: () => reply(202),
  cut: broken('cut'),
  silent: broken('silent'),
}

function endOf(result: unknown): string {
  if (result instanceof Response && result.status === 200 && result.url === '') return 'substitute'
  if (result instanceof Response) return traceOf(result)?.cache?.includes('detail=stale-if-error') ? 'stored' : 'ok'
  return isHttpError(result) || result instanceof TypeError || (result as Error).name === 'TimeoutError'
    ? 'error'
    : String(result)
}

/** Every millisecond was either spent by a request or slept, and the trace tells which. */
function accountsForAll({ attempts, totalMs }: Trace): void {
  // What was sent after the response was delivered went on beside the call.
  const within = attempts.filter(({ startMs }) => startMs <= totalMs)
  const told = within.reduce((sum, { waitMs, durationMs }) => sum + waitMs + durationMs, 0)
  expect(totalMs).toBeCloseTo(told, 6)
}

describe.each(pairs)('%s, then %s', (one, other) => {
  test('send a call as often as each of them asks for, and leave nothing behind', async () => {
    const { call, clock, fates, sent, open } = world(one, other)
    const results = await clock.drive(call())
    const { executions, ends } = expected(one, other)
    expect([sent.length, ...results.map(endOf)]).toEqual([executions, ...results.map(() => ends)])
    for (const result of results) {
      const trace = traceOf(result) as Trace
      expect(trace.attempts).toHaveLength(executions)
      // A wait before a request that was refused in the end belongs to none.
      if (one !== 'hedge' && other !== 'hedge' && (ends === 'ok' || ends === 'substitute')) accountsForAll(trace)
    }
    expect([clock.armed, open.size]).toEqual([0, 0])
    if (ends === 'error' || ends === 'stored' || executions <= fates.length) return
    for (const result of await clock.drive(call())) expect(isRefusedError(result)).toBe(false)
    expect([sent.length, clock.armed]).toEqual([executions + 1, 0])
  })
})
