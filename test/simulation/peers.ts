import { breaker, isThrottling, retryQuota, retryThrottling } from './guards.ts'
import type { Peer } from './peer.ts'

const ms = 1
const s = 1_000

/**
 * Default policies of other clients, for GET. Modelled are their retries, not their connections; the time limit of an
 * attempt is that of all clients here, whatever theirs is.
 */
export const peers = {
  /** One attempt. */
  none: { maxAttempts: 1, statuses: [], failures: [], delayMs: () => 0 },

  /** ky: retry.limit 2, statusCodes, afterStatusCodes, maxRetryAfter Infinity, delay 300 ms doubled, jitter off; no retry of timeouts. */
  ky: {
    maxAttempts: 3,
    statuses: [408, 413, 429, 500, 502, 503, 504],
    failures: ['refused'],
    delayMs: (retry) => 300 * ms * 2 ** (retry - 1),
    retryAfter: { statuses: [413, 429, 503], capMs: Number.POSITIVE_INFINITY },
  },

  /** got: retry.limit 2, statusCodes, errorCodes with ETIMEDOUT, delay 1 s doubled, noise 100 ms, maxRetryAfter none. */
  got: {
    maxAttempts: 3,
    statuses: [408, 413, 429, 500, 502, 503, 504, 521, 522, 524],
    failures: ['refused', 'timeout'],
    delayMs: (retry, random) => s * 2 ** (retry - 1) + random() * 100 * ms,
    retryAfter: { statuses: [413, 429, 503], capMs: Number.POSITIVE_INFINITY },
  },

  /** axios-retry: retries 3, retryDelay none, shouldResetTimeout false, isNetworkOrIdempotentRequestError: 5xx, but no ECONNABORTED. */
  'axios-retry': {
    maxAttempts: 4,
    statuses: [500, 502, 503, 504],
    failures: ['refused'],
    delayMs: () => 0,
    sharesTimeout: true,
  },

  /** undici RetryAgent: maxRetries 5, minTimeout 500 ms, timeoutFactor 2, maxTimeout 30 s, also for Retry-After; errorCodes without timeouts. */
  RetryAgent: {
    maxAttempts: 6,
    statuses: [429, 500, 502, 503, 504],
    failures: ['refused'],
    delayMs: (retry) => Math.min(500 * ms * 2 ** (retry - 1), 30 * s),
    retryAfter: { statuses: [429, 500, 502, 503, 504], capMs: 30 * s },
  },

  /** AWS SDKs, standard mode of 2026: 3 attempts, full jitter of 50 ms (throttling: 1 s) doubled, cap 20 s; only x-amz-retry-after is heeded. */
  AWS: {
    maxAttempts: 3,
    statuses: [429, 500, 502, 503, 504],
    failures: ['refused', 'timeout'],
    delayMs: (retry, random, outcome) =>
      random() * Math.min((isThrottling(outcome) ? 1 * s : 50 * ms) * 2 ** (retry - 1), 20 * s),
    guard: retryQuota,
  },

  /**
   * gRPC has no retry policy by default; this is the one of its service config examples: maxAttempts 4, 100 ms doubled up to
   * 1 s, +-20 %, UNAVAILABLE (which 429, 502, 503 and 504 become). Its channels would also hold back connecting; not modelled.
   */
  gRPC: {
    maxAttempts: 4,
    statuses: [429, 502, 503, 504],
    failures: ['refused'],
    delayMs: (retry, random) => Math.min(100 * ms * 2 ** (retry - 1), 1 * s) * (0.8 + 0.4 * random()),
    guard: retryThrottling,
  },

  /**
   * .NET's standard handler: 3 retries, a median of 2 s doubled with jitter from nothing to twice that (near to Polly's
   * formula), 408, 429, 5xx, timeouts, ShouldRetryAfterHeader; an open breaker ends the call.
   */
  '.NET': {
    maxAttempts: 4,
    statuses: [408, 429, 500, 502, 503, 504],
    failures: ['refused', 'timeout'],
    delayMs: (retry, random) => random() * 2 * 2 * s * 2 ** (retry - 1),
    retryAfter: { statuses: [408, 429, 500, 502, 503, 504], capMs: Number.POSITIVE_INFINITY },
    guard: breaker,
  },
} as const satisfies Record<string, Peer>
