import { describe, expect, test } from 'vitest'
import {
  type ClientOptions,
  createFetch,
  fallback,
  isHttpError,
  isRefusedError,
  refresh,
  type Trace,
  traceOf,
} from '../../src/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

/** What becomes of one request. */
type Fate = 'ok' | 'unavailable' | 'limited' | 'moved' | 'gone' | 'refused' | 'hangs' | 'unauthorized'

/** One feature and what brings it into play: fates of requests, each of which costs the call one more. */
interface Feature {
  readonly options?: ClientOptions
  readonly fates: readonly Fate[]
  /** Failures of an origin after which it is sent nothing more. */
  readonly stopsAfter?: number
  /** What counts among them beside failures. */
  readonly counts?: readonly Fate[]
  /** Whether each endpoint has its own count. */
  readonly perEndpoint?: true
}

const a = 'https://a.test'
const b = 'https://b.test'

const features: Readonly<Record<string, Feature>> = {
  retry: { fates: ['unavailable'] },
  'attempt limit': { options: { attemptTimeoutMs: 400 }, fates: ['hangs'] },
  pause: { fates: ['limited'] },
  redirect: { fates: ['moved'] },
  fallback: { options: { on: { 410: fallback(new Response('instead')) } }, fates: ['gone'] },
  refresh: { options: { on: { 401: refresh(() => ({ authorization: 'new' })) } }, fates: ['unauthorized'] },
  cookies: { options: { cookies: { getCookieString: async () => 'a=b', setCookie: async () => {} } }, fates: [] },
  'idempotency key': { options: { idempotencyKey: true }, fates: [] },
  'policy function': { options: { on: { 503: () => undefined } }, fates: ['unavailable'] },
  hedge: { options: { hedge: { afterMs: 200 } }, fates: ['hangs'] },
  endpoints: { options: { endpoints: [a, b] }, fates: ['refused'] },
  // Enough for one retry, and for none after a time limit.
  budget: {
    options: { retryBudget: { capacity: 5 } },
    fates: ['unavailable', 'unavailable'],
    stopsAfter: 2,
    counts: ['limited'],
  },
  throttle: {
    options: { throttle: { minVolume: 1, multiplier: 1 } },
    fates: ['unavailable'],
    stopsAfter: 1,
    counts: ['limited'],
    perEndpoint: true,
  },
  breaker: {
    options: { breaker: { consecutiveFailures: 1, openMs: 60_000 } },
    fates: ['unavailable'],
    stopsAfter: 1,
    perEndpoint: true,
  },
  'rate limit': { options: { rateLimit: { limit: 1 } }, fates: [] },
  concurrency: { options: { concurrency: 1 }, fates: [] },
  'adaptive limit': { options: { concurrency: { limit: 'adaptive', initialLimit: 1 } }, fates: [] },
  coalesce: { options: { coalesce: true }, fates: [] },
  deadline: { options: { deadlineField: 'x-deadline' }, fates: [] },
}

const names = Object.keys(features)
const limits = ['concurrency', 'adaptive limit']
const pairs = names.flatMap((one) =>
  names
    .filter((other) => other !== one && !(limits.includes(one) && limits.includes(other)))
    .map((other) => [one, other] as const),
)

/** How often a call is sent by a client that has both features, when these are the fates of its requests, then all is well. */
function expected(one: string, other: string): { executions: number; ends: 'ok' | 'substitute' | 'error' } {
  const both = [features[one], features[other]] as [Feature, Feature]
  const has = (name: string): boolean => one === name || other === name
  const left = both.map(({ stopsAfter = Infinity, perEndpoint }) => stopsAfter * (perEndpoint && has('endpoints') ? 2 : 1))
  let executions = 0
  for (const fate of both.flatMap(({ fates }) => fates)) {
    executions += 1
    if (fate === 'gone') return { executions, ends: 'substitute' }
    // A hedge takes the place of a request that hangs before that has failed.
    const fails = fate === 'unavailable' || fate === 'refused' || (fate === 'hangs' && !has('hedge'))
    for (const [index, { counts = [] }] of both.entries()) {
      const cost = fate === 'hangs' && both[index] === features.budget ? 2 : 1
      if (fails || counts.includes(fate)) left[index] = (left[index] as number) - cost
    }
    if (left.some((count) => count <= 0)) return { executions, ends: 'error' }
  }
  return { executions: executions + 1, ends: 'ok' }
}

interface World {
  call(): Promise<unknown>
  readonly clock: FakeClock
  readonly fates: readonly Fate[]
  readonly sent: readonly string[]
  readonly open: ReadonlySet<AbortSignal>
}

/** A client with both features, whose requests meet these fates; chance is always a fifth. */
function world(one: string, other: string): World {
  const clock = new FakeClock()
  const sent: string[] = []
  const open = new Set<AbortSignal>()
  const fates = [...(features[one] as Feature).fates, ...(features[other] as Feature).fates]
  const transport = (target: string, { signal }: { signal: AbortSignal }): Promise<Response> => {
    const fate = fates[sent.length] ?? 'ok'
    sent.push(target)
    if (fate === 'refused') return Promise.reject(fetchFailed('ECONNREFUSED'))
    if (fate !== 'hangs') return Promise.resolve(answers[fate]())
    open.add(signal)
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        open.delete(signal)
        reject(signal.reason)
      })
    })
  }
  const [first = {}, second = {}] = [features[one]?.options, features[other]?.options]
  const on = { ...first.on, ...second.on }
  const common = { transport, clock, random: () => 0.2, maxAttempts: 6, timeoutMs: 60_000 }
  const fetch = createFetch({ ...common, ...first, ...second, on })
  return { fates, call: () => fetch(`${a}/x`).catch((error: unknown) => error), clock, sent, open }
}

const answers: Readonly<Record<Exclude<Fate, 'refused' | 'hangs'>, () => Response>> = {
  ok: () => reply(200),
  unavailable: () => reply(503),
  limited: () => reply(429, { 'retry-after': '1' }),
  moved: () => reply(307, { location: '/y' }),
  gone: () => reply(410),
  unauthorized: () => reply(401),
}

function endOf(result: unknown): string {
  if (result instanceof Response) return result.status === 200 && result.url === '' ? 'substitute' : 'ok'
  return isHttpError(result) || result instanceof TypeError || (result as Error).name === 'TimeoutError'
    ? 'error'
    : String(result)
}

describe.each(pairs)('%s, then %s', (one, other) => {
  test('send a call as often as each of them asks for, and leave nothing behind', async () => {
    const { call, clock, fates, sent, open } = world(one, other)
    const result = await clock.drive(call())
    const { executions, ends } = expected(one, other)
    expect([sent.length, endOf(result)]).toEqual([executions, ends])
    const trace = traceOf(result) as Trace
    expect(trace.attempts).toHaveLength(executions)
    // A wait before a request that was refused in the end belongs to none.
    if (one !== 'hedge' && other !== 'hedge' && ends !== 'error') {
      // Every millisecond was either spent by a request or slept, and the trace tells which.
      const told = trace.attempts.reduce((sum, { waitMs, durationMs }) => sum + waitMs + durationMs, 0)
      expect(trace.totalMs).toBeCloseTo(told, 6)
    }
    expect([clock.armed, open.size]).toEqual([0, 0])
    if (ends === 'error' || executions <= fates.length) return
    expect(isRefusedError(await clock.drive(call()))).toBe(false)
    expect([sent.length, clock.armed]).toEqual([executions + 1, 0])
  })
})
