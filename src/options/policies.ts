import { bare, invalidOption } from '../policy/checks.ts'
import { isPolicy } from '../policy/policies.ts'
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
  if (typeof more !== 'object' || more === null) throw invalidOption(owner, 'on', 'an object', more)
  const merged = Object.assign(Object.create(null), base) as Record<string, unknown>
  for (const [key, entry] of Object.entries(more)) {
    if (!namedKeys.has(key) && !isStatus(Number(key))) {
      const demand = "a status code from 100 to 999, a class such as '5xx', 'network' or 'timeout'"
      throw invalidOption(owner, 'every key of on', demand, key)
    }
    if (entry === undefined) continue
    if (typeof entry !== 'function' && !isPolicy(entry))
      throw invalidOption(owner, `on[${JSON.stringify(key)}]`, 'a policy, its word or a function', entry)
    if ((key === 'network' || key === 'timeout') && (entry as Partial<Policy>).kind === 'refresh')
      throw new TypeError(`${owner}: on[${JSON.stringify(key)}] cannot be refresh: without an answer nothing was refused`)
    merged[key] = typeof entry === 'object' ? bare(entry) : entry
  }
  return merged as PolicyTable
}
