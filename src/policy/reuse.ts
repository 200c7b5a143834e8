import { type Directives, parseDirectives, secondsOf } from '../http/cache-control.ts'
import { wireField } from '../http/received.ts'
import type { StoredResponse } from '../types/cache.ts'
import type { Demand } from './demand.ts'

/**
 * What is done with a stored response: it answers; it answers, stale, while it is validated; it is validated first. The
 * word for the latter is that of RFC 9211 §2.2.
 */
export type Reuse = 'hit' | 'hit and revalidate' | 'stale' | 'request'

/** Whether the stored response may answer, RFC 9111 §4; `nowMs` is wall time. */
export function reuseOf(stored: StoredResponse, { mode, directives }: Demand, shared: boolean, nowMs: number): Reuse {
  if (mode === 'force-cache' || mode === 'only-if-cached') return 'hit'
  const response = directivesOf(stored)
  const staleMs = nowMs - stored.staleAt
  const isFresh = staleMs < 0 && !response.has('no-cache')
  // The fields of this mode are ours; what is immutable need not be asked for again, RFC 8246 §2.
  if (mode === 'no-cache') return isFresh && response.has('immutable') ? 'hit' : 'request'
  if (directives.has('no-cache')) return 'request'
  const maxAgeMs = milliseconds(directives, 'max-age')
  if (maxAgeMs === 0 || (maxAgeMs !== undefined && nowMs - stored.cachedAt > maxAgeMs)) return 'request'
  const minFreshMs = milliseconds(directives, 'min-fresh')
  if (minFreshMs !== undefined && -staleMs < minFreshMs) return isFresh ? 'request' : 'stale'
  if (isFresh) return 'hit'
  if (forbidsStale(response, shared)) return 'stale'
  if (staleMs <= maxStaleMs(directives)) return 'hit'
  return staleMs <= (milliseconds(response, 'stale-while-revalidate') ?? -1) ? 'hit and revalidate' : 'stale'
}

/**
 * Whether it may answer, stale, in the place of an error: RFC 5861 §4, as the response or the request says. A request that
 * insists on validation is answered so only if it says that itself.
 */
export function mayStandIn(stored: StoredResponse, { mode, directives }: Demand, shared: boolean, nowMs: number): boolean {
  const response = directivesOf(stored)
  const staleMs = nowMs - stored.staleAt
  if (response.has('no-cache') || (staleMs >= 0 && forbidsStale(response, shared))) return false
  const insists = mode === 'no-cache' || directives.has('no-cache')
  return (insists ? [directives] : [response, directives]).some(
    (given) => staleMs <= (milliseconds(given, 'stale-if-error') ?? -Infinity),
  )
}

/** Whether nothing allows it to be used once it is stale, RFC 9111 §4.2.4. */
export function forbidsStale(response: Directives, shared: boolean): boolean {
  if (response.has('must-revalidate') || response.has('no-cache')) return true
  return shared && (response.has('proxy-revalidate') || response.has('s-maxage'))
}

/** How long it is of some use beyond its freshness: what its response says, and a day in which it can be validated. */
export function usefulMs(directives: Directives): number {
  const windows = ['stale-while-revalidate', 'stale-if-error'].map((name) => milliseconds(directives, name) ?? 0)
  return Math.max(86_400_000, ...windows)
}

/** The directives of a stored response. */
export function directivesOf(stored: StoredResponse): Directives {
  return parseDirectives(wireField(stored.headers, 'cache-control'))
}

/** Without an argument any staleness will do, RFC 9111 §5.2.1.2. */
function maxStaleMs(directives: Directives): number {
  const given = directives.get('max-stale')
  if (given === undefined) return -1
  return given.every((argument) => argument === null) ? Infinity : (milliseconds(directives, 'max-stale') ?? 0)
}

function milliseconds(directives: Directives, name: string): number | undefined {
  const seconds = secondsOf(directives, name)
  return seconds === undefined ? undefined : seconds * 1_000
}
