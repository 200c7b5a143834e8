import { retryDefaults } from '../policy/backoff.ts'
import type { ResumeConfig } from '../types/resume.ts'
import { type FeatureRules, resolveMembers } from './protection.ts'

const { baseMs, capMs } = retryDefaults
const resumption: FeatureRules = {
  defaults: { maxAttempts: 3, maxResumptions: 100, baseMs, capMs } satisfies ResumeConfig,
  rules: {
    maxAttempts: { min: 1, integer: true },
    maxResumptions: { min: 1, integer: true },
    baseMs: { min: 0 },
    capMs: { min: 0 },
  },
}

/**
 * The `resume` of a client or a call, or that of what it inherits from.
 *
 * @throws TypeError naming the option and the value.
 */
export function resolveResume(owner: string, asked: unknown, inherited: ResumeConfig | undefined): ResumeConfig | undefined {
  return resolveMembers(owner, 'resume', resumption, asked, inherited)
}
