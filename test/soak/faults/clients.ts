// The clients of the fault soak: everything steadfetch has, in several combinations.
import {
  type ClientOptions,
  type Clock,
  createFetch,
  fetchStandard,
  pause,
  poll,
  refresh,
  retry,
  type SteadFetch,
} from 'steadfetch'
import { trusting } from '../../support/tls.ts'

/** The clients by name. */
export type Clients = Readonly<Record<string, SteadFetch>>

const soon = retry({ baseMs: 2, capMs: 20 })
const on = { '5xx': soon, network: soon, timeout: soon, 408: soon, 429: pause({ baseMs: 2, capMs: 20 }) }

/** Milliseconds to connect: one of the servers never answers. */
const connectTimeoutMs = 500

const protections = (origins: Readonly<Record<string, string>>): ClientOptions => ({
  breaker: { openMs: 20, maxOpenMs: 200, minVolume: 10, windowMs: 1_000 },
  throttle: { windowMs: 1_000, minVolume: 10 },
  concurrency: { limit: 30, maxQueued: 50, maxQueueMs: 200 },
  rateLimit: { limit: 2_000 },
  hedge: { afterMs: 30, budgetRatio: 0.5 },
  endpoints: { origins: [origins['plain 1'] as string, origins['plain 2'] as string, origins.refused as string], ejectMs: 200 },
  deadlineField: 'request-timeout-ms',
})

/** Makes them, all on one clock. */
export function makeClients(origins: Readonly<Record<string, string>>, clock: Clock): Clients {
  const token = refresh(async () => {
    // A refresh takes its time, and fails now and then.
    await new Promise((resolve) => setTimeout(resolve, 5))
    return Date.now() % 13 === 0 ? null : { authorization: `Bearer ${Date.now()}` }
  })
  const base = { clock, connectTimeoutMs, on } as const
  const secured = { ...base, connect: trusting, retryBudget: { capacity: 1_000 } } as const
  return {
    default: createFetch({ clock, connectTimeoutMs }),
    quick: createFetch({ ...base, retryBudget: { capacity: 1_000 } }),
    standard: createFetch({ ...fetchStandard, clock }),
    returning: createFetch({ ...base, errors: 'return', maxAttempts: 2 }),
    guarded: createFetch({ ...base, ...protections(origins) }),
    adaptive: createFetch({ ...base, concurrency: true, breaker: true, hedge: true }),
    caching: createFetch({ ...base, cache: { maxEntries: 100, maxBytes: 2_000_000 }, coalesce: { maxBytes: 65_536 } }),
    flows: createFetch({
      ...base,
      on: { ...on, 401: token, 202: poll({ intervalMs: 5, maxIntervalMs: 20 }) },
      retryBudget: false,
    }),
    secure: createFetch(secured),
    'secure, HTTP/1.1': createFetch({ ...secured, connect: { ...trusting, allowH2: false } }),
  }
}
