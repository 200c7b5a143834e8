import { type Directives, parseCacheControl, secondsOf } from '../http/cache-control.ts'
import { fieldOf } from '../http/fields.ts'
import type { CacheConfig, CacheMode } from '../types/cache.ts'
import type { Fields } from '../types/exchange.ts'
import type { Stored } from './stored.ts'

/** What to do with a stored response: use it, use it and ask anew behind the back of the caller, or ask first. */
export type Reuse = 'use' | 'use-and-revalidate' | 'validate'

/** Whether a stored response may be used for a request of these fields, RFC 9111 §4. */
export function reuseOf(stored: Stored, fields: Fields, mode: CacheMode, config: CacheConfig, nowMs: number): Reuse {
  if (mode === 'force-cache' || mode === 'only-if-cached') return 'use'
  const asked = askedOf(fields)
  const ttlMs = stored.ttlMs(nowMs)
  if (mode === 'no-cache' || asked.has('no-cache') || stored.directives.has('no-cache')) return 'validate'
  // RFC 8246 §2: what never changes need not be asked about while it is fresh, not even on a reload.
  const immutable = stored.directives.has('immutable') && ttlMs > 0
  const maxAge = secondsOf(asked, 'max-age')
  if (maxAge !== undefined && stored.ageMs(nowMs) >= maxAge * 1_000 && !immutable)
    return allowsStale(asked, ttlMs, stored, config)
  if (ttlMs > (secondsOf(asked, 'min-fresh') ?? 0) * 1_000) return 'use'
  if (ttlMs > 0) return 'validate'
  return allowsStale(asked, ttlMs, stored, config)
}

function allowsStale(asked: Directives, ttlMs: number, stored: Stored, config: CacheConfig): Reuse {
  if (ttlMs > 0 || forbidsStale(stored, config)) return 'validate'
  const maxStale = asked.get('max-stale')
  if (maxStale !== undefined && (maxStale === '' || -ttlMs <= (secondsOf(asked, 'max-stale') as number) * 1_000)) return 'use'
  if (asked.has('max-age')) return 'validate'
  const whileMs = (secondsOf(stored.directives, 'stale-while-revalidate') ?? 0) * 1_000
  return -ttlMs < whileMs ? 'use-and-revalidate' : 'validate'
}

/** Whether a stored response may be used because its origin failed, RFC 5861 §4. */
export function isUsableOnError(stored: Stored, fields: Fields, config: CacheConfig, nowMs: number): boolean {
  if (forbidsStale(stored, config) || stored.directives.has('no-cache')) return false
  const seconds = Math.max(
    secondsOf(stored.directives, 'stale-if-error') ?? 0,
    secondsOf(askedOf(fields), 'stale-if-error') ?? 0,
    config.staleIfErrorMs / 1_000,
  )
  return seconds > 0 && -stored.ttlMs(nowMs) <= seconds * 1_000
}

/** Whether the caller wants a stored response or none, RFC 9111 §5.2.1.7. */
export function wantsStoredOnly(fields: Fields, mode: CacheMode): boolean {
  return mode === 'only-if-cached' || askedOf(fields).has('only-if-cached')
}

/** RFC 9111 §5.2.2.2, §5.2.2.8 and §5.2.2.10. */
function forbidsStale({ directives }: Stored, config: CacheConfig): boolean {
  if (directives.has('must-revalidate')) return true
  return config.shared && (directives.has('proxy-revalidate') || directives.has('s-maxage'))
}

/** What the request says to caches; Pragma counts where Cache-Control is absent, RFC 9111 §5.4. */
function askedOf(fields: Fields): Directives {
  const control = fieldOf(fields, 'cache-control')
  if (control !== undefined) return parseCacheControl(control)
  return parseCacheControl(fieldOf(fields, 'pragma')?.includes('no-cache') === true ? 'no-cache' : undefined)
}
