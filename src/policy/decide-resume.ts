import { branchOf } from '../errors/brand.ts'
import { isNetworkError, isTimeoutError } from '../errors/failures.ts'
import { isForeignFailure } from '../errors/foreign.ts'
import type { ResumeConfig } from '../types/resume.ts'
import { backoffMs } from './backoff.ts'
import type { Verdict } from './decide-retry.ts'

/** Everything the decision depends on. */
export interface ResumeFacts {
  readonly config: ResumeConfig
  /** Resumptions since a byte came. */
  readonly inRow: number
  readonly inAll: number
  /** Milliseconds until the deadline of the call. */
  readonly remainingMs: number
  /** Whether the retry budget of the origin has enough left. */
  readonly affordable: boolean
  readonly random: () => number
}

/** Decides on a resumption: pure, so that every case can be listed. */
export function decideResume({ config, inRow, inAll, remainingMs, affordable, random }: ResumeFacts): Verdict {
  if (inRow >= config.maxAttempts || inAll >= config.maxResumptions) return { again: false, why: 'resumptions spent' }
  const waitMs = backoffMs(inRow + 1, config, random)
  if (waitMs >= remainingMs) return { again: false, why: 'wait does not fit into timeoutMs' }
  return affordable ? { again: true, waitMs, reason: 'resume' } : { again: false, why: 'retry budget is empty' }
}

/** Whether a body failed because its connection was lost or silent: not by its content, nor because it was not wanted. */
export function isLost(error: unknown): boolean {
  if (isTimeoutError(error)) return error.kind === 'idle'
  if (isNetworkError(error)) return error.kind !== 'protocol'
  return branchOf(error) === undefined && isForeignFailure(error)
}
