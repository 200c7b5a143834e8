import { bare, invalidOption } from '../policy/checks.ts'
import { checkPolicy, isPolicy } from '../policy/policies.ts'
import { isStatus } from '../status/table.ts'
import type { Policy, PolicyTable } from '../types/policy.ts'

const namedKeys = new Set(['1xx', '2xx', '3xx', '4xx', '5xx', 'network', 'timeout'])

/**
 * The policies of `more` over those of `base`.
 *
 * @throws TypeError for a key that is no status code, class or failure, and for a value that is no policy.
 */
export function mergePolicies(owner: string, base: PolicyTable, more: PolicyTable | undefined): PolicyTable {
  if (more === undefined) return base
  // The entries of a Map are no members of it: it would be taken for an empty table.
  if (typeof more !== 'object' || more === null || Symbol.iterator in more) throw invalidOption(owner, 'on', 'an object', more)
  const merged = Object.assign(Object.create(null), base) as Record<string, unknown>
  for (const [key, entry] of Object.entries(more)) {
    if (!namedKeys.has(key) && !isStatusKey(key)) {
      const demand = "a status code from 100 to 999, a class such as '5xx', 'network' or 'timeout'"
      throw invalidOption(owner, 'every key of on', demand, key)
    }
    if (entry === undefined) continue
    if (typeof entry !== 'function' && !isPolicy(entry))
      throw invalidOption(owner, `on[${JSON.stringify(key)}]`, 'a policy, its word or a function', entry)
    if ((key === 'network' || key === 'timeout') && (entry as Partial<Policy>).kind === 'refresh')
      throw new TypeError(`${owner}: on[${JSON.stringify(key)}] cannot be refresh: without an answer nothing was refused`)
    if (typeof entry === 'object') checkPolicy(entry as Policy)
    merged[key] = typeof entry === 'object' ? bare(entry) : entry
  }
  return merged as PolicyTable
}

/** Whether the text is what a status is looked up by: not one that is only equal to it as a number. */
function isStatusKey(key: string): boolean {
  return isStatus(Number(key)) && String(Number(key)) === key
}
