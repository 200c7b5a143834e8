import { bare, checkKeys, checkMembers, given, invalidOption, type Rule } from '../policy/checks.ts'
import { MemoryStore } from '../policy/memory-store.ts'
import type { CacheConfig, CacheOptions, CacheStore } from '../types/cache.ts'

const limits = { maxEntryBytes: 5_242_880, maxBytes: 104_857_600, maxEntries: 1_000 }
const defaults = { shared: false, heuristicRatio: 0.1 }
const rules: Readonly<Record<keyof CacheOptions, Rule>> = {
  store: checkStore,
  shared: 'flag',
  heuristicRatio: { min: 0, max: 1, or: false },
  maxEntryBytes: { min: 0, integer: true },
  maxBytes: { min: 0, integer: true },
  maxEntries: { min: 0, integer: true },
}

/**
 * The cache of a client: its own, or that of its parent, which it then shares.
 *
 * @throws TypeError for what is no store, for an invalid limit, and for limits of a store that is not ours.
 */
export function resolveCache(
  owner: string,
  asked: CacheOptions | boolean | undefined,
  inherited: CacheConfig | undefined,
): CacheConfig | undefined {
  if (asked === undefined) return inherited
  if (asked === false) return undefined
  const options = asked === true ? {} : asked
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidOption(owner, 'cache', 'true, false or an object', asked)
  const path = `${owner}: cache`
  checkKeys(path, options, Object.keys(rules))
  const own: CacheOptions = bare(given(options))
  checkMembers(path, own as Record<string, unknown>, rules)
  const { shared, heuristicRatio, maxEntryBytes, maxBytes, maxEntries } = { ...defaults, ...limits, ...own }
  if (own.store === undefined) {
    return bare({ store: new MemoryStore({ maxEntryBytes, maxBytes, maxEntries }), shared, heuristicRatio })
  }
  const foreign = Object.keys(limits).find((name) => Object.hasOwn(own, name))
  if (foreign !== undefined) throw new TypeError(`${path}: ${foreign} is a limit of the default store, not of yours`)
  return bare({ store: own.store, shared, heuristicRatio })
}

function checkStore(owner: string, name: string, store: unknown): void {
  if (store === undefined) return
  for (const method of ['get', 'createWriteStream', 'delete'] as const) {
    const member = (store as Partial<CacheStore> | null)?.[method]
    if (typeof member !== 'function') throw invalidOption(owner, `${name}.${method}`, 'a function', member)
  }
}
