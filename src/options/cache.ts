import { cacheStores } from 'undici'
import { bare, checkKeys, checkMembers, given, invalidOption, type Rule } from '../policy/checks.ts'
import type { CacheConfig, CacheOptions, CacheStore } from '../types/cache.ts'

const natural: Rule = { min: 1, integer: true }
const rules: Readonly<Record<string, Rule>> = {
  store: checkStore,
  shared: 'flag',
  heuristicRatio: { min: 0, max: 1, or: false },
  staleIfErrorMs: { min: 0 },
  maxEntryBytes: natural,
  maxBytes: natural,
  maxEntries: natural,
}
/** Bounds of the default store. */
const bounds = { maxEntryBytes: 5_242_880, maxBytes: 104_857_600, maxEntries: 1_024 }

/**
 * The cache of a client; one that is not named is the very one of the parent.
 *
 * @throws TypeError naming the option and the value.
 */
export function resolveCache(owner: string, asked: unknown, inherited: CacheConfig | undefined): CacheConfig | undefined {
  if (asked === undefined) return inherited
  if (asked === false) return undefined
  const options = asked === true ? {} : asked
  if (typeof options !== 'object' || options === null) throw invalidOption(owner, 'cache', 'true, false or an object', asked)
  const path = `${owner}: cache`
  checkKeys(path, options, Object.keys(rules))
  checkMembers(path, bare(options) as Record<string, unknown>, rules)
  const { store, shared = false, heuristicRatio = 0.1, staleIfErrorMs = 0, ...limits }: CacheOptions = given(bare(options))
  if (store !== undefined && Object.keys(limits).length > 0)
    throw new TypeError(`${path}: ${Object.keys(limits).join(', ')} cannot be set beside a store of your own`)
  return bare({
    store: store ?? memory({ ...bounds, ...limits }),
    shared,
    heuristicRatio: heuristicRatio === false ? 0 : heuristicRatio,
    staleIfErrorMs,
  })
}

function memory({ maxEntryBytes, maxBytes, maxEntries }: typeof bounds): CacheStore {
  return new cacheStores.MemoryCacheStore({ maxEntrySize: maxEntryBytes, maxSize: maxBytes, maxCount: maxEntries }) as CacheStore
}

function checkStore(owner: string, name: string, store: unknown): void {
  if (store === undefined) return
  for (const method of ['get', 'createWriteStream', 'delete'] as const) {
    const found = (store as Partial<CacheStore> | null)?.[method]
    if (typeof found !== 'function') throw invalidOption(owner, `${name}.${method}`, 'a function', found)
  }
}
