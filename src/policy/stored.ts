import { createHash, randomUUID } from 'node:crypto'
import { looksLikeCredential } from '../errors/redact.ts'
import { parseDirectives } from '../http/cache-control.ts'
import { wireField } from '../http/received.ts'
import type { CacheConfig, CacheKey, CacheValue, StoredResponse } from '../types/cache.ts'
import type { RefreshPolicy } from '../types/credentials.ts'
import type { Fields, HopRequest, Received } from '../types/exchange.ts'
import type { ResolvedOptions } from '../types/options.ts'
import { type Exchanged, initialAgeMs, lifetimeMs } from './freshness.ts'
import { usefulMs } from './reuse.ts'
import { names } from './storable.ts'

/** Where credentials come from that a request has not yet, and the rules for targets. */
type Sources = Pick<ResolvedOptions, 'on' | 'cookies' | 'redact'> & Partial<Pick<ResolvedOptions, 'targets'>>

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
/** Stands for all credentials of a request, such as API keys, that are neither Authorization nor Cookie. */
const otherCredentials = 'steadfetch-credentials'

/** What responses are stored under, as a cache looks them up. */
export type StoredKey = CacheKey & { readonly headers: Readonly<Record<string, string>> }

/** What the responses to a request are stored under. Credentials are hashed: no store is to hold them. */
export function keyOf({ href, origin, fields }: HopRequest, options: Sources): StoredKey {
  const { targets } = options
  // What a client was given that may ask more than this one is not for this one.
  const place = targets === undefined ? origin : `${origin}#${targets.key}`
  return { origin: place, method: 'GET', path: href.slice(origin.length), headers: selecting(origin, fields, options) }
}

function selecting(origin: string, fields: Fields, { on, cookies, redact }: Sources): Record<string, string> {
  const record = Object.create(null) as Record<string, string>
  const others: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string
    const isCredential = looksLikeCredential(name, redact)
    const value = isCredential ? hashed(origin, name, fields[index + 1] as string) : normalised(name, fields[index + 1] as string)
    record[name] = value
    if (isCredential && name !== 'authorization' && name !== 'cookie') others.push(value)
  }
  // They are added below the cache, where it cannot see them.
  for (const source of sourcesOf(on, cookies)) others.push(nameOf(source))
  if (others.length > 0) record[otherCredentials] = hashed(...others.sort())
  return record
}

/** A function that decides per outcome may name a source, too, but nobody knows which before. */
function sourcesOf(on: Sources['on'], cookies: Sources['cookies']): object[] {
  const entries = Object.values(on) as (Partial<RefreshPolicy> | string)[]
  const sources = entries.flatMap((entry) => (typeof entry === 'object' && entry.source !== undefined ? [entry.source] : []))
  return cookies === undefined ? sources : [...sources, cookies]
}

const sourceNames = new WeakMap<object, string>()

/** A source of credentials is known in this process alone. */
function nameOf(source: object): string {
  const name = sourceNames.get(source) ?? randomUUID()
  sourceNames.set(source, name)
  return name
}

function hashed(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

/** Space around commas means nothing in a list, nor does the case of a language, RFC 9111 §4.1. */
function normalised(name: string, value: string): string {
  const list = value.includes('"') ? value : value.replace(/[ \t]*,[ \t]*/g, ', ')
  return name === 'accept-language' ? list.toLowerCase() : list
}

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
