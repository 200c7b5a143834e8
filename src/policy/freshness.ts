import { type Directives, deltaSeconds, parseDirectives, secondsOf } from '../http/cache-control.ts'
import { parseHttpDate } from '../http/http-date.ts'
import { cacheableStatuses } from '../status/table.ts'
import type { CacheConfig } from '../types/cache.ts'

/** What is to be known of a response to say how long it is fresh. */
export interface Dated {
  readonly status: number
  /** The value of a field, lines of the same name joined; null when it is absent. */
  field(name: string): string | null
}

/** When a request was sent and answered, in epoch milliseconds. */
export interface Exchanged {
  readonly requestMs: number
  readonly responseMs: number
}

type Rules = Pick<CacheConfig, 'shared' | 'heuristicRatio'>

/** The longest that a response is fresh without saying so. */
const longestHeuristicMs = 86_400_000

/** Milliseconds a response is fresh from when it was made, RFC 9111 §4.2.1; 0 where nothing tells. */
export function lifetimeMs(response: Dated, { responseMs }: Exchanged, rules: Rules): number {
  const directives = parseDirectives(response.field('cache-control'))
  const seconds = (rules.shared ? secondsOf(directives, 's-maxage') : undefined) ?? secondsOf(directives, 'max-age')
  if (seconds !== undefined) return seconds * 1_000
  const madeMs = dateOf(response, 'date', responseMs) ?? responseMs
  if (response.field('expires') !== null) return Math.max(0, (dateOf(response, 'expires', responseMs) ?? 0) - madeMs)
  return heuristicMs(response, directives, madeMs, rules.heuristicRatio)
}

/** A part of the time since the last change, for what may be stored without being told so, RFC 9111 §4.2.2. */
function heuristicMs(response: Dated, directives: Directives, madeMs: number, ratio: number | false): number {
  const changedMs = dateOf(response, 'last-modified', madeMs)
  if (ratio === false || changedMs === undefined) return 0
  if (!cacheableStatuses.has(response.status) && !directives.has('public')) return 0
  return Math.min(longestHeuristicMs, Math.max(0, madeMs - changedMs) * ratio)
}

/** Milliseconds since the response was made or validated by the origin, when it arrived: RFC 9111 §4.2.3. */
export function initialAgeMs(response: Dated, { requestMs, responseMs }: Exchanged): number {
  const dateMs = dateOf(response, 'date', responseMs)
  // A Date has whole seconds: less than one of them is no age.
  const apparentMs = dateMs === undefined ? 0 : Math.floor((responseMs - dateMs) / 1_000) * 1_000
  return Math.max(0, apparentMs, ageOf(response) + responseMs - requestMs)
}

/** Of several ages the first counts, and what is none is ignored, RFC 9111 §5.1. */
function ageOf(response: Dated): number {
  const first = response.field('age')?.split(',', 1)[0]?.trim() ?? null
  return (deltaSeconds(first) ?? 0) * 1_000
}

/** Epoch milliseconds of a date field; a cache reads dates whatever their case, RFC 9111 §4.2. */
function dateOf(response: Dated, name: string, nowMs: number): number | undefined {
  const text = response.field(name)
  if (text === null) return undefined
  const cased = text.trim().replace(/[a-z]+/gi, (word) => (/^gmt$/i.test(word) ? 'GMT' : capitalised(word)))
  return parseHttpDate(cased, nowMs) ?? undefined
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1).toLowerCase()
}
