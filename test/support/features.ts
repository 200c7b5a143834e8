import { type ClientOptions, fallback, poll, refresh, type StandardSchema } from '../../src/index.ts'
import { StaleStore } from './stale-store.ts'

/** What becomes of one request. */
export type Fate =
  | 'ok'
  | 'unavailable'
  | 'limited'
  | 'moved'
  | 'gone'
  | 'refused'
  | 'hangs'
  | 'unauthorized'
  | 'cut'
  | 'silent'
  | 'accepted'
  | 'pending'

/** One feature and what brings it into play: fates of requests, each of which costs the call one more. */
export interface Feature {
  readonly options?: ClientOptions
  readonly fates: readonly Fate[]
  /** Failures of an origin after which it is sent nothing more. */
  readonly stopsAfter?: number
  /** What counts among them beside failures. */
  readonly counts?: readonly Fate[]
  /** What makes up for one of them. */
  readonly earns?: Fate
  /** Whether each endpoint has its own count. */
  readonly perEndpoint?: true
  /** Whether two callers ask for the same. */
  readonly callers?: 2
}

/** The two endpoints; calls are made to the first. */
export const origins: readonly [string, string] = ['https://a.test', 'https://b.test']

const anything: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }

/** The features that are put together. */
export const features: Readonly<Record<string, Feature>> = {
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
  endpoints: { options: { endpoints: origins }, fates: ['refused'] },
  // Enough for one retry, and for none after a time limit.
  budget: {
    options: { retryBudget: { capacity: 5 } },
    fates: ['unavailable', 'unavailable'],
    stopsAfter: 2,
    counts: ['limited', 'cut'],
  },
  throttle: {
    options: { throttle: { minVolume: 1, multiplier: 1 } },
    fates: ['unavailable'],
    stopsAfter: 1,
    counts: ['limited'],
    earns: 'pending',
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
  coalesce: { options: { coalesce: true }, fates: [], callers: 2 },
  deadline: { options: { deadlineField: 'x-deadline' }, fates: [] },
  validation: { options: { cache: { store: new StaleStore('must-revalidate') } }, fates: [] },
  'stale if error': { options: { cache: { store: new StaleStore('stale-if-error=100000') } }, fates: [] },
  resumption: { options: { resume: true }, fates: ['cut'] },
  'resumption after silence': { options: { resume: true, idleTimeoutMs: 700 }, fates: ['silent'] },
  polling: { options: { on: { 202: poll() } }, fates: ['accepted', 'pending'] },
  'limits and progress': {
    options: { maxResponseBytes: 100, onDownloadProgress: () => {}, schema: anything, maxDecodedBytes: 100 },
    fates: [],
  },
}

/** Of these a call has one at a time. */
const alternatives = [
  ['concurrency', 'adaptive limit'],
  ['validation', 'stale if error'],
  ['resumption', 'resumption after silence'],
]

const names = Object.keys(features)

/** All features in twos, in both orders: their fates come one after the other. */
export const pairs: readonly (readonly [string, string])[] = names.flatMap((one) =>
  names
    .filter((other) => other !== one && !alternatives.some((some) => some.includes(one) && some.includes(other)))
    .map((other) => [one, other] as const),
)

/** How a call comes to its end. */
export type End = 'ok' | 'stored' | 'substitute' | 'error'

/** How often a call is sent by a client that has both features, when these are the fates of its requests, then all is well. */
export function expected(one: string, other: string): { executions: number; ends: End } {
  const both = [features[one], features[other]] as [Feature, Feature]
  const has = (name: string): boolean => one === name || other === name
  const left = both.map(({ stopsAfter = Infinity, perEndpoint }) => stopsAfter * (perEndpoint && has('endpoints') ? 2 : 1))
  let executions = 0
  /** Where the stored response is not the one to be shown, since the call has been led elsewhere. */
  let elsewhere = false
  /** Whether the response has been delivered already, and only its rest is asked for. */
  let delivered = false
  for (const fate of both.flatMap(({ fates }) => fates)) {
    executions += 1
    // The answer to a resumption is no substitute, and leads nowhere.
    if (delivered && ['gone', 'moved', 'accepted'].includes(fate)) return { executions, ends: 'error' }
    if (fate === 'gone') return { executions, ends: 'substitute' }
    elsewhere ||= fate === 'moved' || fate === 'accepted'
    delivered ||= fate === 'cut' || fate === 'silent'
    // A hedge takes the place of a request that hangs before that has failed.
    const fails = fate === 'unavailable' || fate === 'refused' || (fate === 'hangs' && !has('hedge'))
    for (const [index, { counts = [], earns }] of both.entries()) {
      if (fate === earns) left[index] = (left[index] as number) + 1
      const slow = fate === 'hangs' || fate === 'silent'
      const cost = slow && both[index] === features.budget ? 2 : 1
      if (fails || counts.includes(fate) || (fate === 'silent' && counts.includes('cut')))
        left[index] = (left[index] as number) - cost
    }
    const stands = has('stale if error') && fails && !elsewhere && !delivered
    if (left.some((count) => count <= 0)) return { executions, ends: stands ? 'stored' : 'error' }
  }
  return { executions: executions + 1, ends: 'ok' }
}
