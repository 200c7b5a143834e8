import { bare, checkKeys, checkMembers, given, invalidOption, type Rule } from '../policy/checks.ts'
import type { CoalesceConfig, CoalesceOptions } from '../types/coalesce.ts'

const defaults = { maxBytes: 1_048_576 }
const rules: Readonly<Record<keyof typeof defaults, Rule>> = { maxBytes: { min: 0, integer: true } }

/** What a client has that has a cache and says nothing of coalescing. */
const besideCache: CoalesceConfig = bare({ ...defaults })

/**
 * How a client coalesces: as it says, else as its parent says; where neither does, if it has a cache. `false` is kept, for
 * a child with a cache inherits that, too.
 *
 * @throws TypeError naming the option and the value.
 */
export function coalescingOf(
  owner: string,
  own: CoalesceOptions | boolean | undefined,
  parent: CoalesceConfig | false | undefined,
  hasCache: boolean,
): CoalesceConfig | false | undefined {
  if (own === false) return false
  if (own === undefined) {
    const said = parent === besideCache ? undefined : parent
    return said === undefined && hasCache ? besideCache : said
  }
  const options = own === true ? {} : own
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidOption(owner, 'coalesce', 'true, false or an object', own)
  checkKeys(`${owner}: coalesce`, options, Object.keys(rules))
  checkMembers(`${owner}: coalesce`, bare(options) as Record<string, unknown>, rules)
  return bare({ ...defaults, ...given(options) }) as CoalesceConfig
}
