import { type Directives, secondsOf } from '../http/cache-control.ts'
import { parseHttpDate } from '../http/http-date.ts'
import { isHeuristicallyCacheable } from '../status/table.ts'
import type { CacheConfig } from '../types/cache.ts'

/** The fields of a response, by name. */
export type FieldOf = (name: string) => string | null

/** Longest lifetime that is guessed. */
const maxHeuristicMs = 86_400_000

/** Milliseconds a response may be used without asking, RFC 9111 §4.2.1; counted from an age of 0. */
export function lifetimeMs(status: number, field: FieldOf, directives: Directives, config: CacheConfig, nowMs: number): number {
  const seconds = (config.shared ? secondsOf(directives, 's-maxage') : undefined) ?? secondsOf(directives, 'max-age')
  if (seconds !== undefined) return seconds * 1_000
  const expires = field('expires')
  const date = dateOf(field('date'), nowMs) ?? nowMs
  // A date that cannot be read is one that has passed, RFC 9111 §5.3.
  if (expires !== null) return Math.max(0, (dateOf(expires, nowMs) ?? 0) - date)
  return isHeuristic(status, directives) ? heuristicMs(field('last-modified'), date, config, nowMs) : 0
}

/** Whether a lifetime may be guessed, RFC 9111 §4.2.2: the status says so, or the response. */
export function isHeuristic(status: number, directives: Directives): boolean {
  return isHeuristicallyCacheable(status) || directives.has('public')
}

function heuristicMs(lastModified: string | null, date: number, config: CacheConfig, nowMs: number): number {
  const modified = dateOf(lastModified, nowMs)
  if (modified === null || modified > date) return 0
  return Math.min(maxHeuristicMs, (date - modified) * config.heuristicRatio)
}

/**
 * Milliseconds of age that a response had when it came, RFC 9111 §4.2.3. An Age that cannot be read counts for nothing;
 * of several the first counts.
 */
export function initialAgeMs(field: FieldOf, sentMs: number, receivedMs: number): number {
  const [first = ''] = (field('age') ?? '').split(',')
  const ageMs = /^\d+$/.test(first.trim()) ? Math.min(Number(first), 2_147_483_648) * 1_000 : 0
  const date = dateOf(field('date'), receivedMs)
  const apparentMs = date === null ? 0 : Math.max(0, receivedMs - date)
  return Math.max(apparentMs, ageMs + (receivedMs - sentMs))
}

function dateOf(value: string | null, nowMs: number): number | null {
  return value === null ? null : parseHttpDate(value, nowMs)
}
