import type { CallFacts } from '../types/exchange.ts'
import { isNetworkError, isTimeoutError, NetworkError, TimeoutError } from './failures.ts'

/** The failure of a download as its reader is to see it: of the same kind, and it tells why the rest was not to be had. */
export function notResumed(error: unknown, why: string, idleTimeoutMs: number | false, facts: CallFacts): Error {
  if (isTimeoutError(error)) return new TimeoutError(error.kind, Number(idleTimeoutMs), facts, error, `not resumed: ${why}`)
  const kind = isNetworkError(error) ? error.kind : 'truncated'
  const { cause = error } = Object(error) as { cause?: unknown }
  return new NetworkError(kind, 'maybe', `the connection was lost in the middle of the body, not resumed: ${why}`, facts, cause)
}
