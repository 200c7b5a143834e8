import { accept, fail, follow, retry } from './policy/policies.ts'
import { registeredStatuses, statusRow } from './status/table.ts'
import type { ClientOptions } from './types/options.ts'
import type { PolicyTable } from './types/policy.ts'

const asFetchDoes = follow({ allowDowngrade: true, replayCrossOrigin: true, strip: 'standard' })
const redirects = registeredStatuses().filter((status) => statusRow(status).policy === 'follow')
/** Fetch asks once more, Fetch standard §4.6; here not sooner than the server says, and not much later. */
const askedAgain = registeredStatuses().filter((status) => statusRow(status).newConnection === true)
const askAgain = retry({ maxAttempts: 2, baseMs: 0, maxWaitMs: 5_000, repeat: 'any' })

const on: PolicyTable = {
  ...Object.fromEntries(redirects.map((status) => [status, asFetchDoes])),
  ...Object.fromEntries(askedAgain.map((status) => [status, askAgain])),
  '2xx': accept(),
  '3xx': accept(),
  '4xx': accept(),
  '5xx': accept(),
  network: fail(),
  timeout: fail(),
}

/**
 * Options that switch every policy off: `createFetch(fetchStandard)` throws no HttpError, fails with the plain TypeErrors
 * of fetch, repeats only what fetch does (a 421 once), follows redirects as it does and has no time limits.
 */
export const fetchStandard: ClientOptions = {
  on,
  errors: 'fetch',
  headers: { 'accept-language': '*', 'sec-fetch-mode': 'cors' },
  maxAttempts: 1,
  timeoutMs: false,
  attemptTimeoutMs: false,
  idleTimeoutMs: false,
  maxDecodedBytes: false,
  retryBudget: false,
  throttle: false,
  breaker: false,
  health: false,
  concurrency: false,
  rateLimit: false,
  hedge: false,
  cache: false,
  coalesce: false,
  cookies: false,
  idempotencyKey: false,
  maxResponseBytes: false,
  expectContinue: false,
  resume: false,
  connectTimeoutMs: false,
}
