import type { Exchange } from '../exchange.ts'
import type { EventName } from '../types/events.ts'

/** Why a request was sent although there is a cache, RFC 9211 §2.2. */
export type Forwarded = 'bypass' | 'method' | 'miss' | 'request' | 'stale'

/** What a cache did for one request. */
export interface CacheNote {
  /** Why the request was sent; undefined while it is answered by what is stored. */
  forwarded?: Forwarded
  /** The status of the answer to it. */
  status?: number
  /** Seconds that what is stored is still fresh; negative once it is stale. */
  ttl?: number
  stored?: boolean
  /** What stood in the place of an error, or why there is nothing else than an error. */
  detail?: 'stale-if-error' | 'only-if-cached'
}

/** Kept beside the exchanges: most have none. */
const notes = new WeakMap<Exchange, CacheNote>()

/** Keeps what a cache did for the latest request of a call. */
export function noteCache(exchange: Exchange, note: CacheNote): CacheNote {
  notes.set(exchange, note)
  return note
}

/** The member of a Cache-Status field that tells it, RFC 9211 §2; undefined without a cache. */
export function cacheStatusOf(exchange: Exchange): string | undefined {
  const note = notes.get(exchange)
  if (note === undefined) return undefined
  const { forwarded, status, ttl, stored, detail } = note
  const parameters = [
    forwarded === undefined ? detail === undefined && 'hit' : `fwd=${forwarded}`,
    status !== undefined && `fwd-status=${status}`,
    ttl !== undefined && `ttl=${ttl}`,
    stored === true && 'stored',
    detail !== undefined && `detail=${detail}`,
  ]
  return ['steadfetch', ...parameters.filter((parameter) => parameter !== false)].join('; ')
}

/** Tells what a cache did, where somebody listens. */
export function tellCache(exchange: Exchange, name: Extract<EventName, `cache.${string}`>): void {
  const { events } = exchange.options
  if (events.hears(name)) events.tell(exchange, name, { cache: cacheStatusOf(exchange) ?? '' })
}
