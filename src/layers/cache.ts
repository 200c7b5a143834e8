import { isNetworkError, isRefusedError, isTimeoutError } from '../errors/failures.ts'
import { Exchange } from '../exchange.ts'
import { isConditional } from '../http/cache-mode.ts'
import { fieldOf, withDefault } from '../http/fields.ts'
import { isSafe } from '../http/methods.ts'
import { ReceivedResponse } from '../http/received.ts'
import { drained, restored, storing } from '../http/storing.ts'
import { askPolicy } from '../policy/ask.ts'
import { cacheKey, varyingBy } from '../policy/cache-key.ts'
import { noteCache } from '../policy/cache-status.ts'
import { cancelledOutcome, expectedPolicy } from '../policy/classify.ts'
import { isUsableOnError, reuseOf, wantsStoredOnly } from '../policy/reuse.ts'
import { isStorable } from '../policy/storable.ts'
import { type Exchanged, Stored, storedFields, storedValue, updatedFields } from '../policy/stored.ts'
import { healthOf } from '../status/health.ts'
import { isBodiless, isError, notCachedStatus, notModifiedStatus, statusRow, wholeStatus } from '../status/table.ts'
import type { CacheConfig, CacheKey, CacheValue, CacheWriter } from '../types/cache.ts'
import type { Fields, Handler, Layer, Outcome, Received } from '../types/exchange.ts'

/** A stored response and what it is stored under. */
interface Found {
  readonly stored: Stored
  readonly key: CacheKey
}

/**
 * Answers from stored responses where RFC 9111 allows it, asks the origin whether they still hold, and stores what it
 * answers. What is answered here touches no gate, limit or breaker of the origin.
 */
export function cacheLayer(config: CacheConfig): Layer {
  return (next) => {
    const cache = new Cache(config, next)
    return (exchange) => cache.handle(exchange)
  }
}

class Cache {
  readonly #config: CacheConfig
  readonly #next: Handler
  /** The targets that are asked about behind the back of a caller. */
  readonly #revalidating = new Set<string>()

  constructor(config: CacheConfig, next: Handler) {
    this.#config = config
    this.#next = next
  }

  handle(exchange: Exchange): Promise<Outcome> {
    const { request, terms } = exchange
    if (!request.href.startsWith('http')) return this.#next(exchange)
    if (!isSafe(request.method)) return this.#invalidating(exchange)
    const isOurs = (request.method === 'GET' || request.method === 'HEAD') && request.content === null
    const cached =
      isOurs && terms.cache !== 'no-store' && !isConditional(request.fields) && fieldOf(request.fields, 'range') === undefined
    if (cached) return this.#cached(exchange)
    noteCache(exchange, { fwd: isOurs ? 'bypass' : 'method' })
    return this.#next(exchange)
  }

  async #cached(exchange: Exchange): Promise<Outcome> {
    const { request, terms, options } = exchange
    const key = cacheKey(request)
    const found = terms.cache === 'reload' ? undefined : await this.#find(key)
    if (exchange.cancelled) return cancelledOutcome(exchange.reason, options.on)
    const nowMs = options.clock.wallTime()
    const onlyStored = wantsStoredOnly(request.fields, terms.cache)
    const reuse = found === undefined ? 'none' : reuseOf(found.stored, request.fields, terms.cache, this.#config, nowMs)
    if (found !== undefined && (reuse === 'use' || reuse === 'use-and-revalidate')) {
      if (reuse === 'use-and-revalidate') this.#revalidate(exchange, found)
      return this.#hit(exchange, found.stored)
    }
    if (onlyStored)
      return settled(exchange, new ReceivedResponse(notCachedStatus, statusRow(notCachedStatus).phrase, request.href, {}, null))
    if (found === undefined) {
      noteCache(exchange, { fwd: 'uri-miss' })
      return this.#kept(exchange, key, await this.#next(exchange))
    }
    noteCache(exchange, { fwd: found.stored.ttlMs(nowMs) > 0 ? 'request' : 'stale' })
    return this.#validated(exchange, found)
  }

  /** Asks the origin whether the stored response still holds, RFC 9111 §4.3. */
  async #validated(exchange: Exchange, found: Found): Promise<Outcome> {
    const { request, options } = exchange
    const { stored } = found
    exchange.request = { ...request, fields: conditional(request.fields, stored) }
    const outcome = await this.#next(exchange)
    exchange.request = { ...exchange.request, fields: request.fields }
    if (hasFailed(exchange, outcome) && isUsableOnError(stored, request.fields, this.#config, options.clock.wallTime())) {
      if (outcome.kind === 'response') outcome.received.release(undefined)
      return this.#hit(exchange, stored)
    }
    if (outcome.kind !== 'response' || outcome.received.status !== notModifiedStatus) {
      return this.#kept(exchange, cacheKey(request), outcome)
    }
    noteCache(exchange, { fwdStatus: notModifiedStatus, stored: true })
    outcome.received.release(undefined)
    return settled(exchange, this.#freshened(exchange, found, outcome.received))
  }

  /** The stored response with what a newer one without content says of it, RFC 9111 §4.3.4; it is stored so. */
  #freshened(exchange: Exchange, { stored, key }: Found, newer: Received): Received {
    const { hit } = stored
    const fields = updatedFields(stored, newer)
    const value = storedValue(hit, fields, exchanged(exchange), this.#config)
    const status = { status: hit.statusCode, statusText: hit.statusMessage, url: exchange.request.href }
    const writer = this.#writer(key, value)
    const whole = restored(status, fields, hit.body, isBodiless(key.method, hit.statusCode))
    const kept = writer === undefined ? whole : storing(whole, writer)
    if (exchange.request.method !== 'HEAD') return kept
    drained(kept.body)
    return restored(status, fields, undefined, true)
  }

  /** The outcome, stored if it may be. */
  async #kept(exchange: Exchange, key: CacheKey, outcome: Outcome): Promise<Outcome> {
    if (outcome.kind !== 'response') return outcome
    const { received } = outcome
    noteCache(exchange, { fwdStatus: received.status })
    if (exchange.request.method === 'HEAD') await this.#freshenedByHead(exchange, key, received)
    if (!isStorable(exchange.request.fields, received, this.#config)) return outcome
    const { status: statusCode, statusText: statusMessage } = received
    const vary = varyingBy(key, received)
    const value = storedValue({ statusCode, statusMessage, vary }, storedFields(received), exchanged(exchange), this.#config)
    const writer = this.#writer(key, value)
    if (writer === undefined) return outcome
    noteCache(exchange, { stored: true })
    return { ...outcome, received: storing(received, writer) }
  }

  /** A response to HEAD tells of the stored one to GET, RFC 9111 §4.3.5. */
  async #freshenedByHead(exchange: Exchange, key: CacheKey, received: Received): Promise<void> {
    const found = received.status === wholeStatus ? await this.#find({ ...key, method: 'GET' }) : undefined
    if (found === undefined || found.key.method !== 'GET') return
    const differs = (name: string): boolean => (received.field(name) ?? found.stored.field(name)) !== found.stored.field(name)
    if (['etag', 'last-modified', 'content-length'].some(differs)) await this.#forget(key)
    else this.#freshened(exchange, found, received)
  }

  #hit(exchange: Exchange, stored: Stored): Promise<Outcome> {
    const { method, href } = exchange.request
    const { hit } = stored
    const nowMs = exchange.options.clock.wallTime()
    noteCache(exchange, { hit: true, ttl: Math.floor(stored.ttlMs(nowMs) / 1_000) })
    const fields = { ...hit.headers, age: String(Math.floor(stored.ageMs(nowMs) / 1_000)) }
    const status = { status: hit.statusCode, statusText: hit.statusMessage, url: href }
    return settled(exchange, restored(status, fields, hit.body, isBodiless(method, hit.statusCode)))
  }

  /** Asks anew while the caller has the stale response already, RFC 5861 §3; what becomes of it concerns nobody. */
  #revalidate(exchange: Exchange, found: Found): void {
    const { request, options, terms, limits } = exchange
    if (this.#revalidating.has(request.href)) return
    this.#revalidating.add(request.href)
    const behind = new Exchange({ options, request, requestStream: null, terms, scope: undefined }, limits)
    const run = async (): Promise<void> => {
      try {
        const outcome = await this.#validated(behind, found)
        if (outcome.kind === 'response') await drained(outcome.received.body)
      } catch {
        // It is asked again when the next caller comes.
      } finally {
        behind.ended()
        this.#revalidating.delete(request.href)
      }
    }
    void run()
  }

  /** After an unsafe request what is stored of its target holds no longer, RFC 9111 §4.4. */
  async #invalidating(exchange: Exchange): Promise<Outcome> {
    const { origin, href, method } = exchange.request
    noteCache(exchange, { fwd: 'method' })
    const outcome = await this.#next(exchange)
    if (outcome.kind !== 'response' || isError(outcome.received.status)) return outcome
    const targets = new Set([href])
    for (const name of ['location', 'content-location']) {
      const url = URL.parse(outcome.received.field(name) ?? '', href)
      if (url?.origin === origin && outcome.received.field(name) !== null) targets.add(url.href.replace(/#.*$/s, ''))
    }
    for (const target of targets) await this.#forget({ origin, method, path: target.slice(origin.length) })
    return outcome
  }

  /** What is stored for the request; a response to GET answers HEAD as well. A store that fails has nothing. */
  async #find(key: CacheKey): Promise<Found | undefined> {
    for (const method of key.method === 'HEAD' ? ['GET', 'HEAD'] : [key.method]) {
      const ofMethod = { ...key, method }
      try {
        const hit = await this.#config.store.get(ofMethod)
        if (hit !== undefined) return { stored: new Stored(hit), key: ofMethod }
      } catch {
        return undefined
      }
    }
    return undefined
  }

  async #forget(key: CacheKey): Promise<void> {
    try {
      await this.#config.store.delete(key)
    } catch {
      // A store that cannot forget cannot be helped here; the call has its answer.
    }
  }

  #writer(key: CacheKey, value: CacheValue): CacheWriter | undefined {
    try {
      return this.#config.store.createWriteStream(key, value)
    } catch {
      return undefined
    }
  }
}

/** With the validators of what is stored, RFC 9111 §4.3.1. */
function conditional(fields: Fields, stored: Stored): Fields {
  const etag = stored.field('etag')
  const modified = stored.field('last-modified')
  const withEtag = etag === null ? fields : withDefault(fields, 'if-none-match', etag)
  return modified === null ? withEtag : withDefault(withEtag, 'if-modified-since', modified)
}

/** A response of our own, with the policy of the caller for it. */
function settled(exchange: Exchange, received: Received): Promise<Outcome> {
  const policy = expectedPolicy(received.status, exchange.options.on)
  const outcome: Outcome = { kind: 'response', received, policy }
  return exchange.options.asksFunctions ? askPolicy(exchange, outcome) : Promise.resolve(outcome)
}

/** Whether the origin failed, or was not asked because it does; the caller's own end is neither. */
function hasFailed(exchange: Exchange, outcome: Outcome): boolean {
  if (exchange.cancelled) return false
  if (outcome.kind === 'response') return healthOf(outcome.received.status) === 'failing'
  if (outcome.kind !== 'failure') return false
  return isNetworkError(outcome.error) || isTimeoutError(outcome.error) || isRefusedError(outcome.error)
}

/** When the latest attempt was sent and answered. */
function exchanged({ latest, options }: Exchange): Exchanged {
  const receivedMs = options.clock.wallTime()
  return { sentMs: receivedMs - (latest?.durationMs ?? 0), receivedMs }
}
