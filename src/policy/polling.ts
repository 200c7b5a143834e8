import type { PollPolicy } from '../types/policy.ts'
import { jittered } from './backoff.ts'

const pollDefaults = { intervalMs: 1_000, maxIntervalMs: 10_000 }
/** How the interval grows from poll to poll. */
const growth = 1.5

/** How long polling may take, unless its policy says otherwise. */
export const defaultPollMs = 60_000

/** What the next wait depends on. */
export interface PollFacts {
  readonly policy: PollPolicy
  /** Polls so far. */
  readonly polls: number
  /** What the latest answer asked to wait; undefined when it did not. */
  readonly askedMs: number | undefined
  /** Milliseconds until the polling must have come to its end. */
  readonly remainingMs: number
  readonly random: () => number
}

/**
 * Milliseconds to wait before the next poll. An interval of our own is at most half of the time that is left, so that work
 * that is done late is not missed by a long one.
 */
export function pollWaitMs({ policy, polls, askedMs, remainingMs, random }: PollFacts): number {
  const { intervalMs = pollDefaults.intervalMs, maxIntervalMs = Math.max(pollDefaults.maxIntervalMs, intervalMs) } = policy
  const grownMs = Math.min(maxIntervalMs, intervalMs * growth ** polls, remainingMs / 2)
  return jittered(Math.max(intervalMs, askedMs ?? grownMs), random)
}

/** How accepted work is getting on. */
export type Progress = 'pending' | 'done' | 'failed'

/** Words for `status`, in the spelling of no one: letters alone, in lower case. */
const pendingWords = new Set(
  'notstarted accepted submitted queued pending waiting scheduled starting started running inprogress processing provisioning creating updating deleting'.split(
    ' ',
  ),
)
const failedWords = new Set(['failed', 'canceled', 'cancelled', 'aborted', 'timedout'])

/** What a status document says: by `done` and `error`, or by `status`; undefined for what is none: then it is the result itself. */
export function progressOf(document: unknown): Progress | undefined {
  const { status, done, error } = Object(document) as { status?: unknown; done?: unknown; error?: unknown }
  if (typeof done === 'boolean') return !done ? 'pending' : isObject(error) ? 'failed' : 'done'
  if (typeof status !== 'string') return undefined
  const word = status.toLowerCase().replace(/[^a-z]/g, '')
  return pendingWords.has(word) ? 'pending' : failedWords.has(word) ? 'failed' : 'done'
}

/** Where a status document says that the result is, spelt as a field is; undefined when it does not. */
export function resourceOf(document: unknown): string | undefined {
  const { resourceLocation } = Object(document) as { resourceLocation?: unknown }
  return typeof resourceLocation === 'string' ? Buffer.from(resourceLocation).toString('latin1') : undefined
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
