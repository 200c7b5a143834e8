import { factsOf, isNetworkError, isTimeoutError, type TimeoutError } from '../errors/failures.ts'
import type { Exchange } from '../exchange.ts'
import { type Health, healthOf } from '../status/health.ts'
import { statusRow } from '../status/table.ts'
import type { Outcome } from '../types/exchange.ts'

/** Milliseconds that a request must have been under way for the limit of its call to blame the origin. */
const patienceMs = 1_000

/** What an outcome says about the origin; `'unknown'` where that is nothing: the caller's abort, our own refusal, a sign-in page of the network. */
export function outcomeHealth(outcome: Outcome): Health | 'unknown' {
  if (outcome.kind === 'response') {
    const { status } = outcome.received
    return statusRow(status).notOfOrigin === true ? 'unknown' : healthOf(status)
  }
  if (outcome.kind === 'substitute') return 'unknown'
  const { error, sent } = outcome
  if (isNetworkError(error)) return 'failing'
  if (!isTimeoutError(error)) return 'unknown'
  // A time limit that passed before anything was sent is not the fault of the origin, unless it did not let us connect.
  return error.kind === 'connect' || (sent === 'maybe' && !wasHasty(error)) ? 'failing' : 'unknown'
}

/** Whether the call had so little time left for the request that it says nothing about the origin. */
function wasHasty(error: TimeoutError): boolean {
  if (error.kind === 'attempt') return false
  const attempt = factsOf(error)?.exchange.latest
  return attempt !== undefined && attempt.durationMs < patienceMs
}

/** The same where the call may have been aborted: the reason of an abort may be the failure of another call, as where one that failed aborts its siblings. */
export function callHealth(exchange: Exchange, outcome: Outcome): Health | 'unknown' {
  if (outcome.kind === 'failure' && exchange.aborted && outcome.error === exchange.reason) return 'unknown'
  return outcomeHealth(outcome)
}
