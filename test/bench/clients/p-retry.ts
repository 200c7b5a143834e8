import pRetry from 'p-retry'
import type { Open } from './client.ts'
import { isFinal, retriedFetch } from './fetch-like.ts'
import { maxAttempts } from './repeat.ts'

/** The global fetch within p-retry. */
export const open: Open = () => {
  const options = {
    retries: maxAttempts - 1,
    shouldRetry: ({ error }: { readonly error: Error }) => !isFinal(error),
  }
  return retriedFetch(
    (attempt) => pRetry(attempt, options),
    (attempt) => pRetry(attempt, { ...options, minTimeout: 0 }),
  )
}
