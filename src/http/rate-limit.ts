import type { Received } from '../types/exchange.ts'
import { parseHttpDate } from './http-date.ts'
import { type Quota, rateLimitItems, windowOf } from './quota-fields.ts'
import { retryAfterMs } from './retry-after.ts'

/** What is looked at of a response. */
type Told = Pick<Received, 'field'>

/** Fields that tell of one quota together. */
interface Family {
  readonly name: string
  readonly remaining: string
  readonly limit: string
  /** When the window ends; the first that is there and means something counts. */
  readonly resets: readonly string[]
  /** Milliseconds of the window. */
  readonly windowMs?: string
  /** Fields that name one of several quotas that are told in the same fields. */
  readonly partitions: readonly string[]
}

/** GitHub has a quota per resource, Discord one per bucket of routes. */
const partitions = ['x-ratelimit-resource', 'x-ratelimit-bucket']

/** What servers send besides the RateLimit field, in the order in which it is believed. */
const families: readonly Family[] = [
  prefixed('ratelimit', ['ratelimit-reset']),
  { ...prefixed('x-ratelimit', ['x-ratelimit-reset-after', 'x-ratelimit-reset']), partitions },
  prefixed('x-rate-limit', ['x-rate-limit-reset']),
  // OpenAI and those who answer as it does; its quotas of tokens are not ours to count.
  {
    name: 'x-ratelimit-requests',
    remaining: 'x-ratelimit-remaining-requests',
    limit: 'x-ratelimit-limit-requests',
    resets: ['x-ratelimit-reset-requests'],
    partitions: [],
  },
  prefixed('anthropic-ratelimit-requests', ['anthropic-ratelimit-requests-reset']),
  {
    name: 'x-hubspot-ratelimit',
    remaining: 'x-hubspot-ratelimit-remaining',
    limit: 'x-hubspot-ratelimit-max',
    resets: [],
    windowMs: 'x-hubspot-ratelimit-interval-milliseconds',
    partitions: [],
  },
]

/** From here on a number is no duration in seconds but a point in time: seconds since 1970, or milliseconds. */
const leastEpochSeconds = 1_000_000_000
const leastEpochMs = 100_000_000_000

const none: readonly Quota[] = []

/**
 * What a response says about the quotas of its origin; nothing when it says nothing that can be understood. A quota
 * that is used up ends with Retry-After where there is one, draft-ietf-httpapi-ratelimit-headers-11 §7.
 */
export function quotasOf(received: Told, wallTime: () => number): readonly Quota[] {
  const quotas = toldQuotas(received, wallTime)
  if (quotas.length === 0 || isFromCache(received)) return none
  const askedMs = quotas.some(({ remaining }) => remaining === 0) ? retryAfterMs(received, wallTime) : undefined
  if (askedMs === undefined || !Number.isFinite(askedMs)) return quotas
  return quotas.map((quota) => (quota.remaining === 0 ? { ...quota, resetMs: askedMs } : quota))
}

function toldQuotas(received: Told, wallTime: () => number): readonly Quota[] {
  const items = received.field('ratelimit')
  const quotas = items === null ? none : rateLimitItems(items, received.field('ratelimit-policy'))
  if (quotas.length > 0) return quotas
  for (const family of families) {
    const remaining = received.field(family.remaining)
    const quota = remaining === null ? undefined : familyQuota(received, family, remaining, wallTime)
    if (quota !== undefined) return [quota]
  }
  return none
}

function prefixed(name: string, resets: readonly string[]): Family {
  return { name, remaining: `${name}-remaining`, limit: `${name}-limit`, resets, partitions: [] }
}

/** What was true of an earlier request, §7.3. */
function isFromCache(received: Told): boolean {
  return (numberOf(received.field('age') ?? '') ?? 0) > 0
}

function familyQuota(received: Told, family: Family, remainingField: string, wallTime: () => number): Quota | undefined {
  const list = received.field(family.limit)
  const limit = list === null ? undefined : numberOf(list.split(/[,;]/, 1)[0] as string)
  const left = numberOf(remainingField)
  // A negative limit is how some say that there is none.
  if (left === undefined || (limit !== undefined && limit < 0)) return undefined
  const windowMs = familyWindowMs(received, family, limit, list)
  let resetMs: number | undefined
  for (const name of family.resets) {
    const field = received.field(name)
    resetMs ??= field === null ? undefined : resetMsOf(field.trim(), () => saidAt(received, wallTime))
  }
  resetMs ??= windowMs
  if (resetMs === undefined) return undefined
  const partition = family.partitions.map((name) => received.field(name)).find((value) => value !== null) ?? ''
  return { name: family.name, partition, remaining: Math.max(0, Math.floor(left)), resetMs, limit, windowMs }
}

function familyWindowMs(received: Told, family: Family, limit: number | undefined, list: string | null): number | undefined {
  if (family.windowMs !== undefined) {
    const windowMs = numberOf(received.field(family.windowMs) ?? '')
    return windowMs !== undefined && windowMs > 0 ? windowMs : undefined
  }
  if (list?.includes(';') === true) return windowOf(limit, list)
  const policies = family.name === 'ratelimit' ? received.field('ratelimit-policy') : null
  return policies === null ? undefined : windowOf(limit, policies)
}

/** When the response was made, by the clock of the origin where it tells. */
function saidAt(received: Told, wallTime: () => number): number {
  const nowMs = wallTime()
  const date = received.field('date')
  return (date === null ? null : parseHttpDate(date, nowMs)) ?? nowMs
}

/** Milliseconds until a window ends; what a number means is told by its magnitude. */
function resetMsOf(field: string, saidAtMs: () => number): number | undefined {
  const number = numberOf(field)
  if (number === undefined) return durationMs(field) ?? untilDate(field, saidAtMs())
  if (number < 0) return 0
  if (number < leastEpochSeconds) return number * 1_000
  return Math.max(0, (number < leastEpochMs ? number * 1_000 : number) - saidAtMs())
}

/** HTTP-dates and those of RFC 3339. */
function untilDate(field: string, saidAtMs: number): number | undefined {
  const isInternet = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i.test(field)
  const atMs = isInternet ? Date.parse(field) : (parseHttpDate(field, saidAtMs) ?? Number.NaN)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - saidAtMs)
}

/** Durations as Go writes them: `1h2m3.5s`, `20ms`. */
function durationMs(field: string): number | undefined {
  const parts = /^(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?$/.exec(field)
  if (parts === null || field === '') return undefined
  const [hours = 0, minutes = 0, seconds = 0, ms = 0] = parts.slice(1).map((part) => Number(part ?? 0))
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000 + ms
}

/** A decimal number of a length that a number can hold. */
function numberOf(text: string): number | undefined {
  return /^[\t ]*-?\d{1,15}(?:\.\d{1,9})?[\t ]*$/.test(text) ? Number(text) : undefined
}
