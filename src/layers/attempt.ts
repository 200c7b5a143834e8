import { Cancellation } from '../cancellation.ts'
import { isNetworkError, isTimeoutError, TimeoutError } from '../errors/failures.ts'
import { cancelledOutcome, decidePolicy, failureKey, plainPolicy } from '../policy/classify.ts'
import { fail } from '../policy/policies.ts'
import type { Attempt, AttemptRecord, Exchange, Handler, Outcome, Send } from '../types/exchange.ts'

/** The innermost handler: sends the request once, within `attemptTimeoutMs`, and looks its outcome's policy up. */
export function attemptHandler(send: Send): Handler {
  return async (exchange) => {
    if (exchange.cancellation.cancelled) return cancelledOutcome(exchange.cancellation.reason, exchange.options.on)
    const record = beginRecord(exchange)
    const { attempt, stopTimer } = beginAttempt(exchange)
    try {
      const response = await send(attempt)
      stopTimer()
      endRecord(exchange, record, { status: response.status })
      return await responseOutcome(exchange, response)
    } catch (error) {
      stopTimer()
      endRecord(exchange, record, { error: codeOf(error) })
      return failureOutcome(exchange, error)
    }
  }
}

function beginAttempt(exchange: Exchange): { attempt: Attempt; stopTimer: () => void } {
  const { options, request } = exchange
  const { attemptTimeoutMs, clock, onInformation } = options
  const cancellation = new Cancellation()
  cancellation.followParent(exchange.cancellation)
  const facts = exchange.facts
  const expire = (): void => cancellation.cancel(new TimeoutError('attempt', attemptTimeoutMs as number, facts()))
  const stopTimer = attemptTimeoutMs === false ? () => {} : clock.after(attemptTimeoutMs, expire)
  return { attempt: { request, cancellation, facts, onInformation }, stopTimer }
}

async function responseOutcome(exchange: Exchange, response: Response): Promise<Outcome> {
  const { on } = exchange.options
  const plain = plainPolicy(response.status, on)
  if (plain !== undefined) return { kind: 'response', response, policy: plain }
  const { request, attempts } = exchange.facts()
  try {
    const policy = await decidePolicy(response.status, on, () => ({ kind: 'response', response, request, attempts }))
    return { kind: 'response', response, policy }
  } catch (error) {
    if (!response.bodyUsed) response.body?.cancel().catch(() => {})
    return { kind: 'failure', error, sent: 'maybe', policy: fail() }
  }
}

async function failureOutcome(exchange: Exchange, error: unknown): Promise<Outcome> {
  const sent = isNetworkError(error) || isTimeoutError(error) ? error.sent : 'maybe'
  const key = failureKey(error)
  if (key === undefined) return { kind: 'failure', error, sent, policy: fail() }
  const { request, attempts } = exchange.facts()
  try {
    const policy = await decidePolicy(key, exchange.options.on, () => ({ kind: 'failure', error, request, attempts }))
    return { kind: 'failure', error, sent, policy }
  } catch (thrown) {
    return { kind: 'failure', error: thrown, sent, policy: fail() }
  }
}

function beginRecord(exchange: Exchange): AttemptRecord {
  const { request } = exchange.facts()
  const { waited } = exchange
  const startMs = exchange.options.clock.now() - exchange.startMs
  const record: AttemptRecord = { ...request, startMs, durationMs: 0, waitMs: waited?.ms ?? 0 }
  if (waited !== null) record.waitReason = waited.reason
  exchange.waited = null
  exchange.attempts.push(record)
  return record
}

function endRecord(exchange: Exchange, record: AttemptRecord, end: { status: number } | { error: string }): void {
  Object.assign(record, end)
  record.durationMs = exchange.options.clock.now() - exchange.startMs - record.startMs
}

function codeOf(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown }
  if (typeof code === 'string') return code
  return typeof name === 'string' ? name : 'aborted'
}
