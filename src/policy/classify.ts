import { branchOf } from '../errors/brand.ts'
import { type RefusalKind, RefusedError } from '../errors/failures.ts'
import type { Exchange } from '../exchange.ts'
import { statusClass, statusRow } from '../status/table.ts'
import type { FailureOutcome, Outcome } from '../types/exchange.ts'
import type { ResolvedOptions } from '../types/options.ts'
import type { FailureKey, Policy, PolicyEntry, PolicyInput, PolicyTable } from '../types/policy.ts'
import { bare, invalidOption } from './checks.ts'
import { accept, checkPolicy, fail, follow, fromWord, isPolicy, patient, pause, retry } from './policies.ts'

/** Where a policy came from. */
export type PolicySource = 'exact' | 'class' | 'built-in'

/** An entry of the `on` option with its source; the built-in table is the last. */
interface Candidate {
  readonly entry: PolicyEntry
  readonly source: PolicySource
}

const builtIn = { inform: accept(), accept: accept(), fail: fail(), follow: follow(), pause: pause() } as const
const builtInRetry = { never: fail(), idempotent: retry({ repeat: 'idempotent' }), any: retry({ repeat: 'any' }) } as const

/** The policy of the status table, RFC 9110 §15. */
export function builtInPolicy(status: number): Policy {
  const { policy, repeat } = statusRow(status)
  return policy === 'retry' ? builtInRetry[repeat] : builtIn[policy]
}

/** The policies that could apply to a status, the most specific first. */
export function candidates(status: number, on: PolicyTable): Candidate[] {
  const found: Candidate[] = []
  const exact = own(on, status)
  if (exact !== undefined) found.push({ entry: exact, source: 'exact' })
  const ofClass = own(on, statusClass(status))
  if (ofClass !== undefined) found.push({ entry: ofClass, source: 'class' })
  found.push({ entry: builtInPolicy(status), source: 'built-in' })
  return found
}

/** The policy for a status as far as it is known without an outcome: functions are passed over. */
export function expectedPolicy(status: number, on: PolicyTable): Policy {
  return plain(own(on, status)) ?? plain(own(on, statusClass(status))) ?? builtInPolicy(status)
}

/** The same for a failure; what is no failure of the network, an abort or a bug, fails. */
export function expectedFailurePolicy(error: unknown, on: PolicyTable): Policy {
  const key = failureKey(error)
  return key === undefined ? fail() : (plain(own(on, key)) ?? builtInRetry.idempotent)
}

/** Whether a function is to be asked about a status or a failure. */
export function isAsked(key: number | FailureKey, on: PolicyTable): boolean {
  const entry = own(on, key) ?? (typeof key === 'number' ? own(on, statusClass(key)) : undefined)
  return typeof entry === 'function'
}

/** Whether some entry is a function, which is to be asked. */
export function asksFunctions(on: PolicyTable): boolean {
  return Object.values(on).some((entry) => typeof entry === 'function')
}

/** Whether an answer may be one that refuses credentials: some entry says so, or is a function, which may. */
export function refreshes(on: PolicyTable): boolean {
  return Object.values(on).some((entry) => typeof entry === 'function' || (entry as Partial<Policy>).kind === 'refresh')
}

/** Whether a call may be sent more than once, by its own limit or by that of a policy. */
export function mayRepeat({ maxAttempts, on }: Pick<ResolvedOptions, 'maxAttempts' | 'on'>): boolean {
  if (maxAttempts > 1) return true
  return Object.values(on).some((entry) => typeof entry === 'object' && (patient(entry)?.maxAttempts ?? 1) > 1)
}

/** The policy for an outcome; policy functions are asked. */
export async function decidePolicy(key: number | FailureKey, on: PolicyTable, input: () => PolicyInput): Promise<Policy> {
  const entries = typeof key === 'number' ? candidates(key, on) : failureCandidates(key, on)
  for (const { entry } of entries) {
    if (typeof entry !== 'function') return settle(entry)
    const decision = await entry(input() as never)
    if (decision === undefined) continue
    if (!isPolicy(decision))
      throw invalidOption('fetch', `what on[${JSON.stringify(String(key))}] gave`, 'a policy or its word', decision)
    if (typeof decision === 'object') checkPolicy(decision)
    return settle(typeof decision === 'object' && decision.kind !== 'refresh' ? bare(decision) : decision)
  }
  return fail()
}

/** The outcome of a call that was cancelled while it waited: by its own time limit, or by the caller. */
export function cancelledOutcome(reason: unknown, on: PolicyTable): FailureOutcome {
  const key = failureKey(reason)
  const entry = key === undefined ? undefined : own(on, key)
  const policy = entry === undefined || typeof entry === 'function' ? fail() : settle(entry)
  return { kind: 'failure', error: reason, sent: 'no', policy }
}

/** The outcome of a call that is not sent, for a reason of our own: `why` ends the message of its error. */
export function refusedOutcome(exchange: Exchange, kind: RefusalKind, why: string, retryAfterMs?: number): FailureOutcome {
  return { kind: 'failure', error: new RefusedError(kind, why, exchange.facts(), retryAfterMs), sent: 'no', policy: fail() }
}

/** An outcome as the caller's functions see it. */
export function policyInput(exchange: Exchange, outcome: Outcome): PolicyInput {
  const { request, attempts } = exchange.facts()
  if (outcome.kind === 'failure') return { kind: 'failure', error: outcome.error, request, attempts }
  const response = outcome.kind === 'response' ? outcome.received.response : outcome.response
  return { kind: 'response', response, request, attempts }
}

/** Which key a failure is looked up under; undefined for what is no failure of the network: an abort, a bug. */
export function failureKey(error: unknown): FailureKey | undefined {
  const branch = branchOf(error)
  return branch === 'timeout' || branch === 'network' ? branch : undefined
}

/** The policies that could apply to a failure without a status. */
export function failureCandidates(key: FailureKey, on: PolicyTable): Candidate[] {
  const entry = own(on, key)
  const last: Candidate = { entry: builtInRetry.idempotent, source: 'built-in' }
  return entry === undefined ? [last] : [{ entry: entry as PolicyEntry, source: 'exact' }, last]
}

function own(on: PolicyTable, key: keyof PolicyTable): PolicyEntry | undefined {
  return Object.hasOwn(on, key) ? (on[key] as PolicyEntry) : undefined
}

function plain(entry: PolicyEntry | undefined): Policy | undefined {
  return entry === undefined || typeof entry === 'function' ? undefined : settle(entry)
}

function settle(decision: Exclude<PolicyEntry, (...args: never) => unknown>): Policy {
  return typeof decision === 'string' ? fromWord(decision) : decision
}
