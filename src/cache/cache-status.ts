import type { Exchange } from '../exchange.ts'

/** Why a request was passed on to the origin, RFC 9211 §2.2. */
export type Forwarded = 'bypass' | 'method' | 'uri-miss' | 'stale' | 'request'

/** What the cache did for a call, RFC 9211 §2. */
export interface CacheState {
  readonly hit?: boolean
  readonly fwd?: Forwarded
  readonly fwdStatus?: number
  /** Seconds the response is still fresh; below 0 when it is stale. */
  readonly ttl?: number
  readonly stored?: boolean
  readonly collapsed?: boolean
}

/** Beside the exchange: only calls of clients with a cache have one. */
const states = new WeakMap<Exchange, CacheState>()

/** Notes what the cache did, over what was noted before. */
export function noteCache(exchange: Exchange, state: CacheState): void {
  states.set(exchange, { ...states.get(exchange), ...state })
}

/** What the cache did, as a member of Cache-Status (RFC 9211 §2); undefined when it was not asked. */
export function cacheStatusOf(exchange: Exchange): string | undefined {
  const state = states.get(exchange)
  if (state === undefined) return undefined
  const { hit, fwd, fwdStatus, ttl, stored, collapsed } = state
  return [
    'steadfetch',
    hit === true && 'hit',
    fwd !== undefined && `fwd=${fwd}`,
    fwdStatus !== undefined && `fwd-status=${fwdStatus}`,
    ttl !== undefined && `ttl=${ttl}`,
    stored === true && 'stored',
    collapsed === true && 'collapsed',
  ]
    .filter((part) => part !== false)
    .join('; ')
}
