import { systemClock, systemRandom } from '../clock.ts'
import type { ResolvedOptions } from '../types/options.ts'
import type { PolicyTable } from '../types/policy.ts'
import { defaultRetryBudget } from './protection.ts'

/** What every client starts from. */
export const defaults: ResolvedOptions = {
  on: Object.create(null) as PolicyTable,
  asksFunctions: false,
  refreshes: false,
  maxAttempts: 3,
  timeoutMs: 30_000,
  attemptTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  maxDecodedBytes: 104_857_600,
  resume: undefined,
  connectTimeoutMs: 10_000,
  errors: 'throw',
  onInformation: undefined,
  expectContinue: false,
  baseUrl: undefined,
  headers: ['accept', '*/*', 'user-agent', 'steadfetch'],
  transport: undefined,
  dispatcher: undefined,
  connect: undefined,
  coalesce: undefined,
  retryBudget: defaultRetryBudget,
  throttle: undefined,
  breaker: undefined,
  concurrency: undefined,
  rateLimit: undefined,
  hedge: undefined,
  endpoints: undefined,
  deadlineField: undefined,
  cache: undefined,
  cookies: undefined,
  maxResponseBytes: undefined,
  onDownloadProgress: undefined,
  onUploadProgress: undefined,
  schema: undefined,
  idempotencyKey: false,
  clock: systemClock,
  random: systemRandom,
}
