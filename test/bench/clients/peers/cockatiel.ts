import { ConstantBackoff, ExponentialBackoff, handleWhen, retry } from 'cockatiel'
import type { Open } from '../client.ts'
import { isFinal, retriedFetch } from '../fetch-like.ts'
import { maxAttempts } from '../repeat.ts'

/** The global fetch within a retry policy of cockatiel. */
export const open: Open = () => {
  const failures = handleWhen((error) => !isFinal(error))
  const policy = retry(failures, { maxAttempts: maxAttempts - 1, backoff: new ExponentialBackoff() })
  const impatient = retry(failures, { maxAttempts: maxAttempts - 1, backoff: new ConstantBackoff(0) })
  return retriedFetch(
    (attempt) => policy.execute(attempt),
    (attempt) => impatient.execute(attempt),
  )
}
