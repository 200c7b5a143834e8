import { retryDefaults } from '../policy/backoff.ts'
import { bare, checkKeys, checkMembers, given, invalidOption } from '../policy/checks.ts'
import type { ResumeConfig } from '../types/resume.ts'

const rules = { maxAttempts: { min: 1, integer: true }, baseMs: { min: 0 }, capMs: { min: 0 } } as const
const defaults: ResumeConfig = { maxAttempts: 3, baseMs: retryDefaults.baseMs, capMs: retryDefaults.capMs }

/**
 * How downloads go on; what is not named is as in the parent.
 *
 * @throws TypeError naming the option and the value.
 */
export function resolveResume(owner: string, asked: unknown, inherited: ResumeConfig | undefined): ResumeConfig | undefined {
  if (asked === undefined) return inherited
  if (asked === false) return undefined
  if (asked === true) return inherited ?? defaults
  if (typeof asked !== 'object' || asked === null) throw invalidOption(owner, 'resume', 'true, false or an object', asked)
  checkKeys(`${owner}: resume`, asked, Object.keys(rules))
  checkMembers(`${owner}: resume`, bare(asked) as Record<string, unknown>, rules)
  return bare({ ...defaults, ...given(asked) })
}
