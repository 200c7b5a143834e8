import pRetry from 'p-retry'
import { wait } from '../cancellation.ts'
import { isForbidden, isRefusedError, isTimeoutError, type RefusedError } from '../errors/failures.ts'
import { traceCode } from '../errors/steadfetch-error.ts'
import type { Exchange } from '../exchange.ts'
import { isIdempotent, isOfEarlyData } from '../http/methods.ts'
import { retryAfterMs } from '../http/retry-after.ts'
import { spent } from '../http/spent.ts'
import { cancelledOutcome } from '../policy/classify.ts'
import { decideRetry, type Verdict } from '../policy/decide-retry.ts'
import { outcomeHealth } from '../policy/health.ts'
import type { Origins } from '../policy/origins.ts'
import { patient } from '../policy/policies.ts'
import { RetryBudget } from '../policy/retry-budget.ts'
import { statusRow } from '../status/table.ts'
import type { FailureOutcome, Handler, Layer, Outcome } from '../types/exchange.ts'
import type { RetryBudgetConfig } from '../types/protection.ts'

type BudgetOf = (exchange: Exchange) => RetryBudget | undefined
type Repeat = Extract<Verdict, { again: true }>

/** Carries an outcome that is to be repeated through p-retry, which knows failures only as errors. */
class Again extends Error {
  readonly outcome: Outcome
  readonly verdict: Repeat

  constructor(outcome: Outcome, verdict: Repeat) {
    super('again')
    this.outcome = outcome
    this.verdict = verdict
  }
}

/**
 * Sends again what its policy says, safety allows and the retry budget of the origin affords; p-retry is entered only
 * after a first failure.
 */
export function retryLayer(origins: Origins, config: RetryBudgetConfig | undefined): Layer {
  const budgetOf: BudgetOf = ({ request }) =>
    config === undefined ? undefined : origins.ofService(request).part(config, RetryBudget)
  return (next) => (exchange) => retried(exchange, next, budgetOf)
}

async function retried(exchange: Exchange, next: Handler, budgetOf: BudgetOf): Promise<Outcome> {
  const first = await next(exchange)
  const verdict = judge(exchange, first, budgetOf(exchange))
  if (!verdict?.again) return first
  let last = new Again(await spent(exchange, first), verdict)
  const attempt = async (): Promise<Outcome> => {
    const before = exchange.latest
    const outcome = await repeat(exchange, last, next)
    if (exchange.latest === before || isOfForbidden(outcome)) giveBack(exchange, budgetOf(exchange))
    if (isRefusal(outcome) && !exchange.cancelled) return refused(exchange, last.outcome, outcome)
    const again = judge(exchange, outcome, budgetOf(exchange))
    if (!again?.again) return outcome
    last = new Again(await spent(exchange, outcome), again)
    throw last
  }
  // The limit stands in decideRetry, which knows the policy of each outcome; the wait is ours, on the injected clock.
  return pRetry(attempt, { retries: Infinity, minTimeout: 0, shouldRetry: ({ error }) => error instanceof Again })
}

/** Waits, unless the gate does that, and sends again. */
async function repeat(exchange: Exchange, last: Again, next: Handler): Promise<Outcome> {
  const { options } = exchange
  const { waitMs, reason } = last.verdict
  if (reason !== 'pause') {
    if (waitMs > 0 && !(await wait(options.clock, waitMs, exchange))) return cancelledOutcome(exchange.reason, options.on)
    exchange.noteWait(waitMs, reason)
  }
  exchange.retries += 1
  return next(exchange)
}

/** It turned out meanwhile that a repeat would be of no use: what the origin said last is the error, not our refusal. */
function refused(exchange: Exchange, last: Outcome, refusal: FailureOutcome): Outcome {
  exchange.notRepeated = (refusal.error as RefusedError).kind
  return last
}

function isRefusal(outcome: Outcome): outcome is FailureOutcome {
  return outcome.kind === 'failure' && isRefusedError(outcome.error) && !isForbidden(outcome.error)
}

/** Its target turned out to be forbidden when it was to be connected to. */
function isOfForbidden(outcome: Outcome): boolean {
  return outcome.kind === 'failure' && isForbidden(outcome.error)
}

/** Nothing was sent for what the retry took. */
function giveBack(exchange: Exchange, budget: RetryBudget | undefined): void {
  budget?.give(exchange.spentTokens)
  exchange.spentTokens = 0
}

/** The verdict on an outcome; undefined when its policy repeats nothing. */
function judge(exchange: Exchange, outcome: Outcome, budget: RetryBudget | undefined): Verdict | undefined {
  const policy = patient(outcome.policy)
  if (policy === undefined || exchange.cancelled) return undefined
  const { options, request } = exchange
  const received = outcome.kind === 'response' ? outcome.received : undefined
  const tokens = budget?.cost(outcome.kind === 'failure' && isTimeoutError(outcome.error)) ?? 0
  const verdict = decideRetry({
    policy,
    maxAttempts: options.maxAttempts,
    retries: exchange.retries,
    unsent: outcome.kind === 'failure' && outcome.sent === 'no',
    idempotent: isIdempotent(request.method, request.fields),
    repeat: received === undefined ? 'idempotent' : statusRow(received.status).repeat,
    replayable: request.content?.replayable ?? true,
    retryAfterMs: received && retryAfterMs(received, options.clock.wallTime),
    retryAfterRequired: received !== undefined && statusRow(received.status).retryAfter === 'required',
    forwarded: received !== undefined && statusRow(received.status).tooEarly === true && isOfEarlyData(request.fields),
    heldMs: outcome.kind === 'response' ? outcome.heldMs : undefined,
    remainingMs: exchange.deadlineMs - options.clock.now(),
    elsewhere: policy.kind === 'retry' && (exchange.route?.others ?? 0) > 0 && outcomeHealth(outcome) === 'failing',
    affordable: budget === undefined || budget.tokens >= tokens,
    repeatedOutside: exchange.repeatedOutside,
    random: options.random,
  })
  exchange.notRepeated = verdict.again ? null : verdict.why
  if (verdict.again && budget?.take(tokens) === true) exchange.spentTokens = tokens
  if (verdict.again && exchange.route !== undefined)
    exchange.route.stays = verdict.reason !== 'failover' && verdict.reason !== 'backoff'
  tell(exchange, outcome, verdict, budget)
  return verdict
}

/** Tells what was decided, where somebody listens. */
function tell(exchange: Exchange, outcome: Outcome, verdict: Verdict, budget: RetryBudget | undefined): void {
  const { events } = exchange.options
  const isEmpty = verdict.again && budget !== undefined && budget.tokens < budget.cost(false)
  if (isEmpty && events.hears('budget.emptied')) events.tell(exchange, 'budget.emptied', { origin: exchange.request.origin })
  const name = verdict.again ? 'retry.scheduled' : 'retry.refused'
  if (!events.hears(name)) return
  const result =
    outcome.kind === 'failure'
      ? { error: traceCode(outcome.error) }
      : { status: outcome.kind === 'response' ? outcome.received.status : outcome.response.status }
  const tokens = budget?.tokens
  if (!verdict.again) events.tell(exchange, 'retry.refused', { ...result, tokens, why: verdict.why })
  else {
    const { waitMs, reason } = verdict
    events.tell(exchange, 'retry.scheduled', { ...result, tokens, waitMs, reason, attempt: exchange.facts().attempts + 1 })
  }
}
