import { accept, fail, follow } from './policy/policies.ts'
import { registeredStatuses, statusRow } from './status/table.ts'
import type { ClientOptions } from './types/options.ts'
import type { PolicyTable } from './types/policy.ts'

const asFetchDoes = follow({ allowDowngrade: true, replayCrossOrigin: true, strip: 'standard' })
const redirects = registeredStatuses().filter((status) => statusRow(status).policy === 'follow')

const on: PolicyTable = {
  ...Object.fromEntries(redirects.map((status) => [status, asFetchDoes])),
  '2xx': accept(),
  '3xx': accept(),
  '4xx': accept(),
  '5xx': accept(),
  network: fail(),
  timeout: fail(),
}

/**
 * Options that switch every policy off: `createFetch(fetchStandard)` throws no HttpError, repeats nothing, follows
 * redirects as the Fetch standard does and has no time limits.
 */
export const fetchStandard: ClientOptions = {
  on,
  errors: 'return',
  maxAttempts: 1,
  timeoutMs: false,
  attemptTimeoutMs: false,
  idleTimeoutMs: false,
  maxDecodedBytes: false,
  connectTimeoutMs: false,
}
