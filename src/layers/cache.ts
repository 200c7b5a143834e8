import { noteCache } from '../cache/cache-status.ts'
import { cacheKey } from '../cache/key.ts'
import { isUsableOnError, reuseOf, wantsStoredOnly } from '../cache/reuse.ts'
import { type Found, Shelf } from '../cache/shelf.ts'
import { exchanged, type Stored } from '../cache/stored.ts'
import { isNetworkError, isRefusedError, isTimeoutError } from '../errors/failures.ts'
import { Exchange } from '../exchange.ts'
import { isConditional } from '../http/cache-mode.ts'
import { fieldOf, withDefault } from '../http/fields.ts'
import { isSafe } from '../http/methods.ts'
import { ReceivedResponse } from '../http/received.ts'
import { drained, restored } from '../http/storing.ts'
import { askPolicy } from '../policy/ask.ts'
import { cancelledOutcome, expectedPolicy } from '../policy/classify.ts'
import { healthOf, isError } from '../status/health.ts'
import { isBodiless, notCachedStatus, notModifiedStatus, statusRow, wholeStatus } from '../status/table.ts'
import type { CacheConfig, CacheKey } from '../types/cache.ts'
import type { Fields, Handler, Layer, Outcome, Received } from '../types/exchange.ts'

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
  readonly #shelf: Shelf
  readonly #next: Handler
  /** The targets that are asked about behind the back of a caller. */
  readonly #revalidating = new Set<string>()

  constructor(config: CacheConfig, next: Handler) {
    this.#config = config
    this.#shelf = new Shelf(config)
    this.#next = next
  }

  handle(exchange: Exchange): Promise<Outcome> {
    const { request, terms } = exchange
    const { method, href, fields, content } = request
    if (!href.startsWith('http')) return this.#next(exchange)
    if (!isSafe(method)) return this.#invalidating(exchange)
    const isReading = (method === 'GET' || method === 'HEAD') && content === null
    // The caller's own conditions and ranges are between it and the origin.
    const isOwn = isConditional(fields) || fieldOf(fields, 'range') !== undefined
    if (isReading && !isOwn && terms.cache !== 'no-store') return this.#cached(exchange)
    noteCache(exchange, { fwd: isReading ? 'bypass' : 'method' })
    return this.#next(exchange)
  }

  async #cached(exchange: Exchange): Promise<Outcome> {
    const { request, terms, options } = exchange
    const key = cacheKey(exchange)
    exchange.limit()
    const found = terms.cache === 'reload' ? undefined : await this.#shelf.find(key)
    if (exchange.cancelled) return cancelledOutcome(exchange.reason, options.on)
    const nowMs = options.clock.wallTime()
    const reuse = found && reuseOf(found.stored, request.fields, terms.cache, this.#config, nowMs)
    if (found !== undefined && reuse !== 'validate') {
      if (reuse === 'use-and-revalidate') this.#revalidate(exchange, found)
      return this.#hit(exchange, found.stored)
    }
    if (wantsStoredOnly(request.fields, terms.cache)) return settled(exchange, nothingStored(request.href))
    if (found === undefined) {
      noteCache(exchange, { fwd: 'uri-miss' })
      return this.#kept(exchange, key, await this.#next(exchange))
    }
    noteCache(exchange, { fwd: found.stored.ttlMs(nowMs) > 0 ? 'request' : 'stale' })
    return this.#validated(exchange, key, found)
  }

  /** Asks the origin whether the stored response still holds, RFC 9111 §4.3. */
  async #validated(exchange: Exchange, key: CacheKey, found: Found): Promise<Outcome> {
    const { request, options } = exchange
    const { stored } = found
    exchange.request = { ...request, fields: conditional(request.fields, stored) }
    const outcome = await this.#next(exchange)
    exchange.request = { ...exchange.request, fields: request.fields }
    if (hasFailed(exchange, outcome) && isUsableOnError(stored, request.fields, this.#config, options.clock.wallTime())) {
      if (outcome.kind === 'response') outcome.received.release(undefined)
      return this.#hit(exchange, stored)
    }
    if (outcome.kind !== 'response' || outcome.received.status !== notModifiedStatus) return this.#kept(exchange, key, outcome)
    noteCache(exchange, { fwdStatus: notModifiedStatus, stored: true })
    outcome.received.release(undefined)
    return settled(exchange, this.#freshened(exchange, found, outcome.received))
  }

  #freshened(exchange: Exchange, found: Found, newer: Received): Received {
    const whole = this.#shelf.freshened(found, newer, exchanged(exchange))
    if (exchange.request.method !== 'HEAD') return whole
    // What is stored is a response to GET: it is stored anew whole, and its content is not for this caller.
    void drained(whole.body).catch(() => {})
    const { status, statusText, url, headers } = whole
    return new ReceivedResponse(status, statusText, url, headers, null)
  }

  /** The outcome, stored if it may be. */
  async #kept(exchange: Exchange, key: CacheKey, outcome: Outcome): Promise<Outcome> {
    if (outcome.kind !== 'response') return outcome
    const { received } = outcome
    noteCache(exchange, { fwdStatus: received.status })
    if (exchange.request.method === 'HEAD') await this.#heedHead(exchange, key, received)
    const kept = this.#shelf.keep(exchange.request, key, received, exchanged(exchange))
    if (kept === undefined) return outcome
    noteCache(exchange, { stored: true })
    return { ...outcome, received: kept }
  }

  /** A response to HEAD tells whether the stored one to GET still holds, RFC 9111 §4.3.5. */
  async #heedHead(exchange: Exchange, key: CacheKey, received: Received): Promise<void> {
    const found = received.status === wholeStatus ? await this.#shelf.find({ ...key, method: 'GET' }) : undefined
    if (found === undefined) return
    const differs = (name: string): boolean => (received.field(name) ?? found.stored.field(name)) !== found.stored.field(name)
    if (['etag', 'last-modified', 'content-length'].some(differs)) await this.#shelf.forget(key)
    else this.#freshened(exchange, found, received)
  }

  #hit(exchange: Exchange, stored: Stored): Promise<Outcome> {
    const { request, options } = exchange
    const { hit } = stored
    const nowMs = options.clock.wallTime()
    noteCache(exchange, { hit: true, ttl: Math.floor(stored.ttlMs(nowMs) / 1_000) })
    const fields = { ...hit.headers, age: String(Math.floor(stored.ageMs(nowMs) / 1_000)) }
    const status = { status: hit.statusCode, statusText: hit.statusMessage, url: request.href }
    const received = restored(status, fields, hit.body, isBodiless(request.method, hit.statusCode))
    // Content that a store gives bit by bit ends with the call.
    if (received.body?.done === false) exchange.add(received.body)
    return settled(exchange, received)
  }

  /** Asks anew while the caller has the stale response already, RFC 5861 §3; what becomes of it concerns nobody. */
  #revalidate(exchange: Exchange, found: Found): void {
    const { request, options, terms, limits } = exchange
    if (this.#revalidating.has(request.href)) return
    this.#revalidating.add(request.href)
    const behind = new Exchange({ options, request, requestStream: null, terms, scope: undefined }, limits)
    const run = async (): Promise<void> => {
      try {
        const outcome = await this.#validated(behind, cacheKey(behind), found)
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
      const named = outcome.received.field(name)
      const url = named === null ? null : URL.parse(named, href)
      if (url?.origin === origin) targets.add(url.href.replace(/#.*$/s, ''))
    }
    for (const target of targets) await this.#shelf.forget({ origin, method, path: target.slice(origin.length) })
    return outcome
  }
}

/** With the validators of what is stored, RFC 9111 §4.3.1. */
function conditional(fields: Fields, stored: Stored): Fields {
  const etag = stored.field('etag')
  const modified = stored.field('last-modified')
  const withEtag = etag === null ? fields : withDefault(fields, 'if-none-match', etag)
  return modified === null ? withEtag : withDefault(withEtag, 'if-modified-since', modified)
}

function nothingStored(href: string): Received {
  return new ReceivedResponse(notCachedStatus, statusRow(notCachedStatus).phrase, href, {}, null)
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
