import pRetry from 'p-retry'
import { wait } from '../cancellation.ts'
import { branchOf } from '../errors/steadfetch-error.ts'
import type { Exchange } from '../exchange.ts'
import { readExcerpt } from '../http/excerpt.ts'
import { isIdempotent } from '../http/methods.ts'
import { revived } from '../http/received.ts'
import { retryAfterMs } from '../http/retry-after.ts'
import { cancelledOutcome } from '../policy/classify.ts'
import { decideRetry, type Verdict } from '../policy/decide-retry.ts'
import { patient } from '../policy/policies.ts'
import { statusRow } from '../status/table.ts'
import type { Handler, Layer, Outcome } from '../types/exchange.ts'

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

/** Sends again what its policy says and safety allows; p-retry is entered only after a first failure. */
export const retryLayer: Layer = (next) => async (exchange) => {
  const first = await next(exchange)
  const verdict = judge(exchange, first)
  if (!verdict?.again) return first
  let last = new Again(await spent(exchange, first), verdict)
  const attempt = async (): Promise<Outcome> => {
    const outcome = await repeat(exchange, last, next)
    if (isRefusal(outcome) && last.outcome.kind === 'response') return last.outcome
    const again = judge(exchange, outcome)
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
    if (!(await wait(options.clock, waitMs, exchange))) return cancelledOutcome(exchange.reason, options.on)
    exchange.waited = { ms: waitMs, reason }
  }
  exchange.retries += 1
  return next(exchange)
}

/** Another call learned meanwhile that the pause is longer than this one can wait: the real answer is its error. */
function isRefusal(outcome: Outcome): boolean {
  return outcome.kind === 'failure' && branchOf(outcome.error) === 'refused'
}

/** The verdict on an outcome; undefined when its policy repeats nothing. */
function judge(exchange: Exchange, outcome: Outcome): Verdict | undefined {
  const policy = patient(outcome.policy)
  if (policy === undefined || exchange.cancelled) return undefined
  const { options, request } = exchange
  const received = outcome.kind === 'response' ? outcome.received : undefined
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
    heldMs: outcome.kind === 'response' ? outcome.heldMs : undefined,
    remainingMs: exchange.deadlineMs - options.clock.now(),
    random: options.random,
  })
  exchange.notRepeated = verdict.again ? null : verdict.why
  return verdict
}

/** Frees the connection of a response that is not delivered; its status and the start of its content are kept. */
async function spent(exchange: Exchange, outcome: Outcome): Promise<Outcome> {
  if (outcome.kind !== 'response') return outcome
  const excerpt = await readExcerpt(outcome.received.body, exchange.options.clock)
  outcome.received.release(undefined)
  return { ...outcome, received: revived(outcome.received, excerpt) }
}
