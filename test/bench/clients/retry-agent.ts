import { Agent, RetryAgent } from 'undici'
import type { Open } from './client.ts'
import { maxAttempts } from './repeat.ts'
import { requestClient } from './undici-request.ts'

/** `request` of undici through its RetryAgent. */
export const open: Open = () => {
  const retries = { maxRetries: maxAttempts - 1 }
  const flaky = requestClient(new RetryAgent(new Agent(), { ...retries, minTimeout: 0 }))
  const client = requestClient(new RetryAgent(new Agent(), retries))
  return { ...client, flaky: async (url) => flaky.getJson(url) }
}
