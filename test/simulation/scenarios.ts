import { type Chance, exponential, lognormal } from './chance.ts'
import type { WindowLimit } from './limiter.ts'

/** What is wrong while the fault lasts. */
export interface Fault {
  /** The share of requests that get a 503. */
  readonly errorRatio?: number
  /** Workers that are left. */
  readonly workers?: number
  /** By how much every service takes longer. */
  readonly slowdown?: number
  /** By how much more calls are made. */
  readonly load?: number
  /** What becomes of connections to the first server; no answer at all when it hangs. */
  readonly firstServer?: 'refuses' | 'hangs'
}

/** A world, and the fault that befalls it; capacities are those for 40 processes. */
export interface Scenario {
  readonly title: string
  readonly servers: number
  /** Per server. */
  readonly workers: number
  /** What each server can take while nothing is wrong. */
  readonly requestsPerSecond: number
  readonly serviceMs: (chance: Chance) => number
  readonly limit?: WindowLimit
  readonly fault: Fault
  /** Milliseconds the fault lasts, where it is not as long as in the other scenarios. */
  readonly faultMs?: number
  /** Calls that start up to so many milliseconds after the fault are measured, too. */
  readonly measuredAfterMs: number
}

/** Calls per second of one process at load 1. */
export const callsPerSecond = 14
/** The capacities of the scenarios are those for so many processes. */
export const usualProcesses = 40

/** Requests that may wait at a server; one more gets a 503. */
export const queueLimit = 3_000

const oneServer = {
  servers: 1,
  workers: 12,
  serviceMs: (chance: Chance) => exponential(8, chance),
  requestsPerSecond: 1_500,
  measuredAfterMs: 0,
} as const

/** Every scenario by its name. */
export const scenarios = {
  outage: { ...oneServer, title: 'every connection is refused', fault: { firstServer: 'refuses' } },
  errors: { ...oneServer, title: '30 % of requests get a 503', fault: { errorRatio: 0.3 } },
  brownout: { ...oneServer, title: '4 of 12 workers are left', fault: { workers: 4 } },
  burst: {
    ...oneServer,
    title: 'four times the load for 5 s, against a limit of 2,500 requests per window of 2 s',
    limit: { windowMs: 2_000, limit: 2_500 },
    requestsPerSecond: 1_250,
    fault: { load: 4 },
    faultMs: 5_000,
    measuredAfterMs: 10_000,
  },
  slow: {
    ...oneServer,
    title: 'every request takes 20 times as long, a median of 400 ms',
    // It waits for another service, so that there always is a worker.
    workers: Number.POSITIVE_INFINITY,
    requestsPerSecond: Number.POSITIVE_INFINITY,
    serviceMs: (chance: Chance) => lognormal(20, 0.5, chance),
    fault: { slowdown: 20 },
  },
  endpoint: { ...oneServer, title: 'one of three servers refuses connections', servers: 3, fault: { firstServer: 'refuses' } },
  'endpoint-hangs': { ...oneServer, title: 'one of three servers never answers', servers: 3, fault: { firstServer: 'hangs' } },
} as const satisfies Record<string, Scenario>

/** The name of a scenario. */
export type ScenarioName = keyof typeof scenarios

/** Whether the servers can take the load while nothing is wrong; where they cannot, no client does well. */
export function carries(scenario: ScenarioName, load: number, capacity: number): boolean {
  const { requestsPerSecond, servers } = scenarios[scenario]
  return callsPerSecond * usualProcesses * load < requestsPerSecond * servers * capacity
}
