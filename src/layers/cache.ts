import { type Cancellation, unlessCancelled } from '../cancellation.ts'
import { outOfScope } from '../deadline.ts'
import { Exchange } from '../exchange.ts'
import { readExcerpt } from '../http/excerpt.ts'
import { filteredFields } from '../http/fields.ts'
import { isSafe } from '../http/methods.ts'
import { drained } from '../http/recording.ts'
import type { CacheSurroundings } from '../policy/cache-activity.ts'
import { CacheVisit } from '../policy/cache-visit.ts'
import { cancelledOutcome } from '../policy/classify.ts'
import { directivesOf, forbidsStale, mayStandIn, reuseOf } from '../policy/reuse.ts'
import { conditional, isUnchanged, validates } from '../policy/validation.ts'
import { isOk, notModifiedStatus } from '../status/table.ts'
import type { StoredResponse } from '../types/cache.ts'
import type { Handler, Layer, Outcome } from '../types/exchange.ts'
import type { Terms } from '../types/terms.ts'

/** What the cache of a client works with. */
interface Way extends CacheSurroundings {
  /** What is sent for nobody; it ends with the client. */
  readonly background: Cancellation
  readonly next: Handler
}

/** A validation in the background is nobody's call. */
const backgroundTerms: Terms = { redirect: 'manual', cache: 'default', integrity: '', ownTimeout: false, ownMaxDecoded: false }

/**
 * Answers from what is stored, and stores what may be (RFC 9111). It sees one hop of a redirect at a time, and the final
 * outcome of its attempts: a hit touches nothing that guards the origin, and a stale response stands in for what has failed.
 */
export function cacheLayer(surroundings: CacheSurroundings, background: Cancellation): Layer {
  return (next) => {
    const way = { ...surroundings, background, next }
    return (exchange) => {
      const { method, href } = exchange.request
      if (exchange.cancelled || !href.startsWith('http') || exchange.terms.upgrade !== undefined) return next(exchange)
      if (method === 'GET' || method === 'HEAD') return looked(new CacheVisit(exchange, way), way)
      return isSafe(method) ? next(exchange) : unsafe(new CacheVisit(exchange, way), way)
    }
  }
}

/** Answers a GET or a HEAD request. */
async function looked(visit: CacheVisit, way: Way): Promise<Outcome> {
  const { exchange, demand } = visit
  if (demand.bypasses) return (await evaluated(visit)) ?? visit.noted('bypass', await way.next(exchange))
  const stored = demand.mode === 'reload' ? undefined : await known(visit)
  if (exchange.cancelled) return cancelledOutcome(exchange.reason, exchange.options.on)
  const reuse = stored === undefined ? 'miss' : reuseOf(stored, demand, way.config.shared, visit.nowMs)
  if (stored !== undefined && (reuse === 'hit' || reuse === 'hit and revalidate')) {
    if (reuse !== 'hit' && !demand.onlyIfCached) outOfScope(() => void revalidated(visit, stored, way))
    return visit.served(stored)
  }
  if (demand.onlyIfCached) {
    visit.note.detail = 'only-if-cached'
    return visit.unavailable()
  }
  visit.note.forwarded = demand.mode === 'reload' ? 'request' : (reuse as 'miss' | 'stale' | 'request')
  return stored === undefined || visit.isHead ? forwarded(visit, stored, way) : validated(visit, stored, way)
}

/** What is stored, asked for within the limits of the call. */
function known(visit: CacheVisit): ReturnType<CacheVisit['find']> {
  const found = visit.find()
  if (!(found instanceof Promise)) return found
  visit.exchange.limit()
  return unlessCancelled(found, visit.exchange)
}

/** The answer of a shared cache to a condition of its caller, RFC 9111 §4.3.2; undefined where the origin is to answer. */
async function evaluated(visit: CacheVisit): Promise<Outcome | undefined> {
  const { config, demand, request } = visit
  if (!demand.evaluates) return undefined
  const stored = await known(visit)
  if (stored === undefined || !isOk(stored.statusCode) || reuseOf(stored, demand, config.shared, visit.nowMs) !== 'hit')
    return undefined
  return isUnchanged(request.fields, stored, visit.nowMs) ? visit.notModified(stored) : visit.served(stored)
}

/** Sends the request as it is; a HEAD request tells something about the stored response to a GET. */
async function forwarded(visit: CacheVisit, stored: StoredResponse | undefined, way: Way): Promise<Outcome> {
  const outcome = await way.next(visit.exchange)
  return stored === undefined ? visit.stored(outcome) : standIn(visit, stored, outcome)
}

/** Asks whether the stored response is still right, RFC 9111 §4.3. */
async function validated(visit: CacheVisit, stored: StoredResponse, way: Way): Promise<Outcome> {
  const { exchange } = visit
  const { fields } = exchange.request
  const asking = conditional(fields, stored)
  if (asking !== fields) exchange.request = { ...exchange.request, fields: asking, validates: true }
  const outcome = await way.next(exchange)
  if (asking === fields) return standIn(visit, stored, outcome)
  // A redirect must not take the conditions with it.
  const own = filteredFields(exchange.request.fields, (name) => name !== 'if-none-match' && name !== 'if-modified-since')
  exchange.request = { ...exchange.request, fields: own, validates: false }
  if (outcome.kind !== 'response' || outcome.received.status !== notModifiedStatus) return standIn(visit, stored, outcome)
  outcome.received.release(undefined)
  // It is about a response that is not stored here, RFC 9111 §4.3.4: what is asked for has to be sent.
  return validates(outcome.received, stored) ? visit.freshened(stored, outcome) : forwarded(visit, undefined, way)
}

/** The outcome, or the stored response in its place where that has failed and may be. */
async function standIn(visit: CacheVisit, stored: StoredResponse, outcome: Outcome): Promise<Outcome> {
  const { exchange, demand } = visit
  const { shared } = visit.config
  const hasFailed = visit.hasFailed(outcome)
  // A shared cache answers where it cannot ask and must not use what it has, RFC 9111 §5.2.2.2; a private one fails as fetch does.
  if (hasFailed && shared && outcome.kind === 'failure' && forbidsStale(directivesOf(stored), shared)) return visit.unavailable()
  if (!hasFailed || !mayStandIn(stored, demand, shared, visit.nowMs)) return visit.stored(outcome, stored)
  if (outcome.kind === 'response') {
    await readExcerpt(outcome.received.body, exchange.options.clock, exchange.deadlineMs)
    outcome.received.release(undefined)
    visit.note.status = outcome.received.status
  }
  visit.note.detail = 'stale-if-error'
  return visit.served(stored)
}

/** Sends a request that may change something, and forgets what it may have changed, RFC 9111 §4.4. */
async function unsafe(visit: CacheVisit, way: Way): Promise<Outcome> {
  const { exchange } = visit
  const outcome = visit.noted('method', await way.next(exchange))
  if (outcome.kind !== 'response') return outcome
  exchange.limit()
  await unlessCancelled(visit.invalidate(outcome.received), exchange)
  if (!exchange.cancelled) return outcome
  outcome.received.release(exchange.reason)
  return cancelledOutcome(exchange.reason, exchange.options.on)
}

/** Validates a response that has answered already, in an exchange of its own; one at a time. What comes of it is nobody's. */
async function revalidated(visit: CacheVisit, stored: StoredResponse, way: Way): Promise<void> {
  const { validating } = visit.activity
  const id = visit.id(stored)
  if (validating.has(id)) return
  validating.add(id)
  let exchange: Exchange | undefined
  try {
    exchange = background(visit.exchange)
    way.background.add(exchange)
    const own = new CacheVisit(exchange, way)
    const outcome = await validated(own, stored, way)
    if (outcome.kind === 'response' && outcome.received.body !== null) {
      outcome.received.watch(exchange)
      await drained(outcome.received.body, own.recording)
    }
  } catch (error) {
    // A function of the caller threw: the next call tells, and no response is left open.
    exchange?.breakOff(error)
  } finally {
    validating.delete(id)
    if (exchange !== undefined) {
      way.background.remove(exchange)
      exchange.ended()
    }
  }
}

/** An exchange for the same target as this one, which nobody waits for, and which was chosen by the same redirects. */
function background({ options, request, limits, redirects }: Exchange): Exchange {
  const asked = {
    options: { ...options, onInformation: undefined },
    requestStream: null,
    terms: backgroundTerms,
    scope: undefined,
  }
  const exchange = new Exchange({ ...asked, request: { ...request, method: 'GET' } }, limits)
  exchange.redirects = redirects
  return exchange
}
