import type { PausePolicy, Repeat, RetryPolicy } from '../types/policy.ts'
import type { RefusalReason, WaitReason } from '../types/trace.ts'
import { backoffMs, jittered, longestJittered, retryDefaults } from './backoff.ts'

/** Everything the decision depends on. */
export interface RetryFacts {
  readonly policy: RetryPolicy | PausePolicy
  /** The limit of the call; the policy's own goes before it. */
  readonly maxAttempts: number
  /** Retries sent so far in this call. */
  readonly retries: number
  /** Whether the request cannot have reached the origin. */
  readonly unsent: boolean
  readonly idempotent: boolean
  /** Whose requests the status table repeats, where the policy itself does not say. */
  readonly repeat: Repeat
  readonly replayable: boolean
  /** What the origin asked to wait; undefined when it did not. */
  readonly retryAfterMs: number | undefined
  /** Whether the status may be repeated only with a Retry-After. */
  readonly retryAfterRequired: boolean
  /** Whether the request is one of early data, which the caller forwards: it is for whoever sent it to repeat it, RFC 8470 §5.2. */
  readonly forwarded: boolean
  /** How long the origin's gate stays closed because of this response; undefined when it is open. */
  readonly heldMs: number | undefined
  /** Milliseconds until the deadline of the call. */
  readonly remainingMs: number
  /** Whether another endpoint can be asked at once, because this one is at fault. */
  readonly elsewhere: boolean
  /** Whether the retry budget of the origin has enough left. */
  readonly affordable: boolean
  /** Whether what the call is part of is repeated as a whole. */
  readonly repeatedOutside: boolean
  readonly random: () => number
}

/** Whether to send again, and after what wait; the wait of a held exchange is spent at the gate. */
export type Verdict =
  | { readonly again: true; readonly waitMs: number; readonly reason: WaitReason }
  | { readonly again: false; readonly why: RefusalReason }

function no(why: RefusalReason): Verdict {
  return { again: false, why }
}

/** Decides on a repeat: pure, so that every case can be listed. */
export function decideRetry(facts: RetryFacts): Verdict {
  const { policy } = facts
  if (facts.retries + 1 >= (policy.maxAttempts ?? facts.maxAttempts)) return no('attempts spent')
  if ((policy.repeat ?? facts.repeat) !== 'any' && !facts.idempotent && !facts.unsent) return no('method is not idempotent')
  if (!facts.replayable) return no('content cannot be replayed')
  if (facts.forwarded) return no('sent in early data')
  if (facts.repeatedOutside) return no('retried by an outer call')
  if (facts.retryAfterRequired && facts.retryAfterMs === undefined) return no('no Retry-After')
  const verdict: Verdict = facts.elsewhere ? { again: true, waitMs: 0, reason: 'failover' } : decideWait(facts)
  if (!verdict.again) return verdict
  if (verdict.waitMs >= facts.remainingMs) return no('wait does not fit into timeoutMs')
  return facts.affordable ? verdict : no('retry budget is empty')
}

function decideWait({ policy, retries, retryAfterMs, heldMs, random }: RetryFacts): Verdict {
  const { maxWaitMs = retryDefaults.maxWaitMs } = policy
  const tooLong = (retryAfterMs ?? 0) > maxWaitMs || (heldMs ?? 0) > longestJittered(maxWaitMs)
  if (tooLong) return no('wait is above maxWaitMs')
  const waitMs = heldMs ?? (retryAfterMs === undefined ? backoffMs(retries + 1, policy, random) : jittered(retryAfterMs, random))
  return { again: true, waitMs, reason: heldMs !== undefined ? 'pause' : retryAfterMs === undefined ? 'backoff' : 'retry-after' }
}
