import { parseDirectives } from '../http/cache-control.ts'
import { wireField } from '../http/received.ts'
import type { CacheConfig, CacheValue, StoredResponse } from '../types/cache.ts'
import type { Received } from '../types/exchange.ts'
import { type Exchanged, initialAgeMs, lifetimeMs } from './freshness.ts'
import { usefulMs } from './reuse.ts'
import { names } from './storable.ts'
import { otherCredentials, type StoredKey } from './stored-key.ts'

/** Fields of a response as a store keeps them. */
export type StoredFields = CacheValue['headers']

/** Fields that are never stored, RFC 9111 §3.1. */
const unstored = new Set([
  'connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
])
/**
 * Content is stored as its reader sees it, decoded: what tells of it as it was sent stands under a name of ours, so that
 * others who use the same store do not decode it again. They keep coded content, which we leave alone.
 */
const ofCodedContent = new Set(['content-encoding', 'content-length'])
const ours = 'steadfetch-'

/** What is stored of a response to a request with this key, or of one that was validated: its fields, merged, are given. */
export function valueToStore(
  received: Received,
  stored: StoredResponse | undefined,
  times: Exchanged,
  key: StoredKey,
  config: CacheConfig,
): CacheValue {
  const headers = stored === undefined ? keptFields(received.headers) : mergedFields(stored.headers, received.headers)
  const { statusCode, statusMessage } = stored ?? { statusCode: received.status, statusMessage: received.statusText }
  const response = { status: statusCode, field: (name: string) => wireField(headers, name) }
  const directives = parseDirectives(response.field('cache-control'))
  const cachedAt = Math.round(times.responseMs - initialAgeMs(received, times))
  const staleAt = cachedAt + Math.round(lifetimeMs(response, times, config))
  const etag = response.field('etag')
  const selected = [...names(response.field('vary')), ...implied(directives, key, config.shared)]
  return {
    statusCode,
    statusMessage,
    headers,
    vary: Object.fromEntries(selected.map((name) => [name, wireField(key.headers, name)])),
    ...(etag === null ? {} : { etag }),
    cacheControlDirectives: Object.fromEntries([...directives].map(([name, [argument]]) => [name, argument ?? true])),
    cachedAt,
    staleAt,
    deleteAt: Math.max(staleAt, Math.round(times.responseMs)) + usefulMs(directives),
  }
}

/**
 * The credentials that a response is for, although its Vary does not say so: one client serves many users. In a shared
 * cache RFC 9111 §3.5 has its own rule for Authorization, and a response without a Cookie is for all.
 */
function implied(directives: ReturnType<typeof parseDirectives>, key: StoredKey, shared: boolean): readonly string[] {
  if (directives.has('public') || (shared && directives.has('s-maxage'))) return []
  if (!shared) return ['authorization', 'cookie', otherCredentials]
  return Object.hasOwn(key.headers, 'cookie') ? ['cookie', otherCredentials] : [otherCredentials]
}

function keptFields(headers: Headers): StoredFields {
  const dropped = new Set(names(headers.get('connection')))
  const kept: StoredFields = {}
  for (const [name, value] of headers) {
    if (unstored.has(name) || dropped.has(name) || name.startsWith(ours)) continue
    if (name === 'set-cookie') kept[name] = headers.getSetCookie()
    else kept[ofCodedContent.has(name) ? ours + name : name] = value
  }
  return kept
}

/** The stored fields with those of a response that validates them, RFC 9111 §3.2; what tells of the content stays. */
function mergedFields(stored: StoredFields, headers: Headers): StoredFields {
  const { age: _, ...kept } = stored
  const news = Object.entries(keptFields(headers)).filter(([name]) => !name.startsWith(ours))
  return { ...kept, ...Object.fromEntries(news) }
}

/** Whether it could ever answer: it is fresh for some time, can be validated, or may be used stale. */
export function isOfUse({ headers, cachedAt, staleAt, etag }: CacheValue): boolean {
  if (staleAt > cachedAt || etag !== undefined || wireField(headers, 'last-modified') !== null) return true
  const directives = parseDirectives(wireField(headers, 'cache-control'))
  return directives.has('stale-while-revalidate') || directives.has('stale-if-error')
}

/** Whether a store holds it in the form it was given in, with times that are times. */
export function isUsable(stored: StoredResponse | undefined): stored is StoredResponse {
  if (stored === undefined || typeof stored.headers !== 'object' || stored.headers === null) return false
  return !Object.hasOwn(stored.headers, 'content-encoding') && Number.isFinite(stored.cachedAt) && Number.isFinite(stored.staleAt)
}

/** The fields of a stored response as they were received; with its age unless it was validated just now, RFC 9111 §5.1. */
export function shownFields(headers: StoredFields, ageMs: number | undefined): StoredFields {
  const shown = Object.entries(headers).map(([name, value]) => [name.startsWith(ours) ? name.slice(ours.length) : name, value])
  if (ageMs !== undefined) shown.push(['age', String(Math.floor(ageMs / 1_000))])
  return Object.fromEntries(shown)
}
