import type { Exchange } from '../exchange.ts'
import { type Directives, parseCacheControl } from '../http/cache-control.ts'
import type { CacheConfig, CacheHit, CacheValue } from '../types/cache.ts'
import type { Received } from '../types/exchange.ts'
import { initialAgeMs, lifetimeMs } from './freshness.ts'

type StoredFields = Record<string, string | string[]>

/** Fields of a connection, which are not those of the response (RFC 9111 §3.1). */
const ofConnection = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])
/** What a response says of its own content, which a response without content does not change (RFC 9111 §3.2). */
const ofContent = new Set(['content-encoding', 'content-length', 'content-range', 'content-type'])
/** How long after its lifetime a response is worth keeping: it can still be asked about. */
const keptMs = 604_800_000

/** A stored response, RFC 9111 §4. */
export class Stored {
  readonly hit: CacheHit
  readonly directives: Directives

  constructor(hit: CacheHit) {
    this.hit = hit
    this.directives = parseCacheControl(this.field('cache-control'))
  }

  field(name: string): string | null {
    const value = Object.hasOwn(this.hit.headers, name) ? this.hit.headers[name] : undefined
    return Array.isArray(value) ? value.join(', ') : (value ?? null)
  }

  /** Milliseconds since it was made, RFC 9111 §4.2.3. */
  ageMs(nowMs: number): number {
    return Math.max(0, nowMs - this.hit.cachedAt)
  }

  /** Milliseconds it is still fresh; below 0 when it is stale. */
  ttlMs(nowMs: number): number {
    return this.hit.staleAt - nowMs
  }

  /** Whether it can be asked about without sending it again. */
  get hasValidator(): boolean {
    return this.field('etag') !== null || this.field('last-modified') !== null
  }
}

/** When a response was asked for and came, in milliseconds of wall time. */
export interface Exchanged {
  readonly sentMs: number
  readonly receivedMs: number
}

/** When the latest attempt of the exchange was sent and answered. */
export function exchanged({ latest, options }: Pick<Exchange, 'latest' | 'options'>): Exchanged {
  const receivedMs = options.clock.wallTime()
  return { sentMs: receivedMs - (latest?.durationMs ?? 0), receivedMs }
}

/** What is to be stored of a response. */
export function storedValue(
  status: Pick<CacheValue, 'statusCode' | 'statusMessage' | 'vary'>,
  headers: StoredFields,
  { sentMs, receivedMs }: Exchanged,
  config: CacheConfig,
): CacheValue {
  const field = (name: string): string | null => (Object.hasOwn(headers, name) ? String(headers[name]) : null)
  const directives = parseCacheControl(field('cache-control'))
  const cachedAt = Math.round(receivedMs - initialAgeMs(field, sentMs, receivedMs))
  const staleAt = Math.round(cachedAt + lifetimeMs(status.statusCode, field, directives, config, receivedMs))
  const etag = field('etag')
  return {
    ...status,
    headers,
    cachedAt,
    staleAt,
    deleteAt: Math.max(staleAt, receivedMs) + keptMs,
    ...(etag === null ? {} : { etag }),
    cacheControlDirectives: Object.fromEntries(directives),
  }
}

/** The fields of a response without those of its connection. */
export function storedFields(received: Received): StoredFields {
  const named = (received.field('connection') ?? '').toLowerCase().split(/[\t ]*,[\t ]*/)
  const fields: StoredFields = Object.create(null) as StoredFields
  for (const [name, value] of received.headers) {
    if (ofConnection.has(name) || named.includes(name)) continue
    const before = fields[name]
    fields[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  return fields
}

/** The stored fields with those of a newer response without content over them, RFC 9111 §3.2. */
export function updatedFields(stored: Stored, newer: Received): StoredFields {
  const fields: StoredFields = Object.assign(Object.create(null) as StoredFields, stored.hit.headers)
  // An age is that of one response; the newer one has its own, or none.
  delete fields.age
  for (const [name, value] of Object.entries(storedFields(newer))) if (!ofContent.has(name)) fields[name] = value
  return fields
}
