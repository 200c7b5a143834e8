import { unlessCancelled } from '../cancellation.ts'
import type { Exchange } from '../exchange.ts'
import type { FailureOutcome, Outcome } from '../types/exchange.ts'
import { cancelledOutcome, decidePolicy, failureKey, isAsked, policyInput } from './classify.ts'
import { fail } from './policies.ts'

/**
 * The outcome with the policy that the functions of the caller give it, if any is to be asked: to be called after an
 * await, so that they run in the context of the caller.
 */
export async function askPolicy(exchange: Exchange, outcome: Outcome): Promise<Outcome> {
  const key = outcome.kind === 'response' ? outcome.received.status : failureKey((outcome as FailureOutcome).error)
  if (key === undefined || exchange.cancelled || !isAsked(key, exchange.options.on)) return outcome
  try {
    const policy = await unlessCancelled(
      exchange.within(() => decidePolicy(key, exchange.options.on, () => policyInput(exchange, outcome))),
      exchange,
    )
    if (policy !== undefined) return { ...outcome, policy }
    release(outcome, exchange.reason)
    return cancelledOutcome(exchange.reason, exchange.options.on)
  } catch (error) {
    release(outcome, error)
    return { kind: 'failure', error, sent: 'maybe', policy: fail() }
  }
}

function release(outcome: Outcome, reason: unknown): void {
  if (outcome.kind === 'response') outcome.received.release(reason)
}
