import { isStatus } from '../status/table.ts'
import type { Policy, PolicyEntry, PolicyTable } from '../types/policy.ts'
import { candidates } from './classify.ts'
import { fromWord, patient } from './policies.ts'

/** Failures, and the classes in which the built-in table repeats. */
const repeatedKeys = new Set(['network', 'timeout', '4xx', '5xx'])

/**
 * What of a policy table decides whether requests are repeated, as text: calls with the same text can share a request,
 * whatever else their tables say of its outcome. `idOf` tells functions apart.
 */
export function repetitionOf(on: PolicyTable, idOf: (value: object) => number): string {
  const entries = Object.entries(on) as [string, PolicyEntry][]
  return entries.flatMap(([key, entry]) => textOf(key, entry, on, idOf) ?? []).join(' ')
}

function textOf(key: string, entry: PolicyEntry, on: PolicyTable, idOf: (value: object) => number): string | undefined {
  if (typeof entry === 'function') return `${key}:#${idOf(entry)}`
  const settledEntry = settled(entry)
  // Whose credentials a request is sent with changes what is answered.
  if (settledEntry.kind === 'refresh') return `${key}:#${idOf(settledEntry.source)}`
  const policy = patient(settledEntry)
  if (policy === undefined) return preventsRepetition(key, on) ? `${key}:once` : undefined
  const { kind, maxAttempts, baseMs, capMs, maxWaitMs, repeat } = policy
  const maxHeld = policy.kind === 'pause' ? policy.maxHeld : undefined
  return `${key}:${[kind, maxAttempts, baseMs, capMs, maxWaitMs, repeat, maxHeld].join()}`
}

/** Whether the less specific entry, in whose place this one stands, might repeat. */
function preventsRepetition(key: string, on: PolicyTable): boolean {
  const status = Number(key)
  if (!isStatus(status)) return repeatedKeys.has(key)
  const below = candidates(status, on)[1]?.entry
  return typeof below === 'function' || (below !== undefined && patient(settled(below)) !== undefined)
}

function settled(entry: Exclude<PolicyEntry, (...args: never) => unknown>): Policy {
  return typeof entry === 'string' ? fromWord(entry) : entry
}
