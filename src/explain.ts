import { shownValue } from './errors/redact-text.ts'
import { defaults } from './options/defaults.ts'
import { resolveClient } from './options/resolve.ts'
import { candidates, failureCandidates, type PolicySource } from './policy/classify.ts'
import { fromWord } from './policy/policies.ts'
import { errorClass, isStatus, statusRow } from './status/table.ts'
import type { ClientOptions } from './types/options.ts'
import type { FailureKey, Policy, Repeat } from './types/policy.ts'

/** The policy for one status or failure, as data. */
export interface Explanation {
  readonly status: number | FailureKey
  /** The phrase of the registry; empty for a code that is not registered. */
  readonly phrase: string
  /** The policy that applies, with its options; `'function'` when a function decides per outcome. */
  readonly policy: Policy | { readonly kind: 'function' } | { readonly kind: 'inform' }
  /** Where it comes from: the code itself, its class, or the built-in table. */
  readonly source: PolicySource
  /** Whose requests are sent again, if any. */
  readonly repeat: Repeat
  /** What Retry-After means for this status. */
  readonly retryAfter: string
  /** The error a caller sees when the policy gives up; undefined when none is thrown. */
  readonly error: string | undefined
  /** The section that defines the status. */
  readonly reference: string
}

/**
 * Tells the policy that would apply to a status, to `'network'` or to `'timeout'`.
 *
 * @throws TypeError for anything else, and for invalid options.
 */
export function explain(status: number | FailureKey, options: ClientOptions = {}): Explanation {
  const { on } = resolveClient(defaults, options, 'explain')
  if (status === 'network' || status === 'timeout') {
    const { policy, source } = first(failureCandidates(status, on))
    const error = throws(policy) ? (status === 'network' ? 'NetworkError' : 'TimeoutError') : undefined
    return {
      status,
      phrase: '',
      policy,
      source,
      repeat: repeatOf(policy, 'idempotent'),
      retryAfter: 'ignored',
      error,
      reference: 'RFC 9110 §9.2.2',
    }
  }
  if (!isStatus(status))
    throw new TypeError(`explain: status must be a code from 100 to 999, 'network' or 'timeout', got ${shownValue(status)}`)
  const row = statusRow(status)
  const { policy, source } = first(candidates(status, on))
  return {
    status,
    phrase: row.phrase,
    policy: source === 'built-in' && row.policy === 'inform' ? { kind: 'inform' } : policy,
    source,
    repeat: repeatOf(policy, row.repeat),
    retryAfter: policy.kind === 'poll' ? 'waits' : row.retryAfter,
    error: policy.kind === 'poll' ? 'TimeoutError' : throws(policy) ? errorClass(status).name : undefined,
    reference: row.reference,
  }
}

function first(entries: ReturnType<typeof candidates>): { policy: Policy | { kind: 'function' }; source: PolicySource } {
  const { entry, source } = entries[0] as (typeof entries)[number]
  if (typeof entry === 'function') return { policy: { kind: 'function' }, source }
  return { policy: typeof entry === 'string' ? fromWord(entry) : entry, source }
}

function repeatOf(policy: Policy | { kind: 'function' }, ofTable: Repeat): Repeat {
  if (policy.kind !== 'retry' && policy.kind !== 'pause') return 'never'
  return policy.repeat ?? (ofTable === 'any' ? 'any' : 'idempotent')
}

function throws(policy: Policy | { kind: 'function' }): boolean {
  return ['fail', 'retry', 'pause', 'refresh'].includes(policy.kind)
}
