import { isForbidden, isNetworkError, isRefusedError, isTimeoutError } from '../errors/failures.ts'
import type { Exchange } from '../exchange.ts'
import { ExcerptedResponse, ReceivedResponse, wireField, withBody } from '../http/received.ts'
import { drained, type Recording, storedBody } from '../http/recording.ts'
import { healthOf } from '../status/health.ts'
import { gatewayTimeoutStatus, isBodiless, notModifiedStatus, statusClass, statusRow, wholeStatus } from '../status/table.ts'
import type { CacheConfig, CacheValue, StoredResponse } from '../types/cache.ts'
import type { HopRequest, Outcome, Received, ResponseOutcome } from '../types/exchange.ts'
import { askPolicy } from './ask.ts'
import { CacheActivity, type CacheSurroundings } from './cache-activity.ts'
import { type CacheNote, type Forwarded, noteCache, tellCache } from './cache-status.ts'
import { expectedPolicy } from './classify.ts'
import { type Demand, demandOf } from './demand.ts'
import type { Dated, Exchanged } from './freshness.ts'
import type { Keyring } from './keyring.ts'
import { changedBy, serviceOf } from './service.ts'
import { isStorable, names } from './storable.ts'
import { recorded, Storage } from './storage.ts'
import { isOfUse, type StoredFields, shownFields, valueToStore } from './stored.ts'
import { keyOf, type StoredKey, sharesCredentials } from './stored-key.ts'
import { describes } from './validation.ts'

/** What an answer of the cache is made of. */
type Answer = Pick<StoredResponse, 'statusCode' | 'statusMessage' | 'body'>

/** One request at a cache. */
export class CacheVisit {
  readonly exchange: Exchange
  readonly config: CacheConfig
  readonly request: HopRequest
  readonly demand: Demand
  readonly activity: CacheActivity
  readonly note: CacheNote
  readonly key: StoredKey
  readonly #storage: Storage
  readonly #keyring: Keyring | undefined
  readonly #changes: number
  /** How the response is stored; undefined when it is not. */
  recording: Recording | undefined

  constructor(exchange: Exchange, { config, origins, keyring }: CacheSurroundings) {
    const { request, terms, options } = exchange
    this.exchange = exchange
    this.config = config
    this.request = request
    this.demand = demandOf(terms, request.fields, config.shared)
    this.activity = origins.of(serviceOf(request, options)).part(config, CacheActivity)
    this.note = noteCache(exchange, {})
    this.#keyring = keyring
    this.key = keyOf(request, exchange, keyring)
    this.#storage = new Storage(config)
    this.#changes = this.activity.changes
  }

  /** Wall time, in epoch milliseconds. */
  get nowMs(): number {
    return this.exchange.options.clock.wallTime()
  }

  get isHead(): boolean {
    return this.request.method === 'HEAD'
  }

  /** Names a stored response among the others. */
  id(stored: StoredResponse): string {
    return JSON.stringify([this.key.path, stored.vary])
  }

  /** The stored response to a request like this. */
  find(): ReturnType<Storage['find']> {
    return this.#storage.find(this.key)
  }

  /** The outcome of a request that was sent for this reason. */
  noted(forwarded: Forwarded, outcome: Outcome): Outcome {
    this.note.forwarded = forwarded
    if (outcome.kind === 'response') this.note.status = outcome.received.status
    return outcome
  }

  /** Whether the origin could not answer, or was not asked; not so when it was the caller who ended the call. */
  hasFailed(outcome: Outcome): boolean {
    if (outcome.kind === 'response') return healthOf(outcome.received.status) === 'failing'
    if (outcome.kind !== 'failure' || this.exchange.aborted || isForbidden(outcome.error)) return false
    return isNetworkError(outcome.error) || isTimeoutError(outcome.error) || isRefusedError(outcome.error)
  }

  /** The stored response as the answer. */
  served(stored: StoredResponse): Promise<Outcome> {
    const { nowMs } = this
    this.note.ttl = Math.floor((stored.staleAt - nowMs) / 1_000)
    tellCache(this.exchange, stored.staleAt > nowMs ? 'cache.hit' : 'cache.stale')
    return this.#answer(stored, shownFields(stored.headers, Math.max(0, nowMs - stored.cachedAt)))
  }

  /** The answer to a condition of the caller that the stored response meets, RFC 9110 §15.4.5. */
  notModified(stored: StoredResponse): Promise<Outcome> {
    const { phrase } = statusRow(notModifiedStatus)
    const fields = shownFields(stored.headers, Math.max(0, this.nowMs - stored.cachedAt))
    const kept = Object.entries(fields).filter(([name]) => !name.startsWith('content-') || name === 'content-location')
    return this.#answer({ statusCode: notModifiedStatus, statusMessage: phrase }, Object.fromEntries(kept))
  }

  /** The answer of a cache that may not ask, and has nothing to answer with, RFC 9111 §5.2.1.7. */
  unavailable(): Promise<Outcome> {
    const { phrase } = statusRow(gatewayTimeoutStatus)
    return this.#answer({ statusCode: gatewayTimeoutStatus, statusMessage: phrase }, {})
  }

  /** The outcome of a request that was sent; its response is stored while it is read, where it may be. */
  stored(outcome: Outcome, known?: StoredResponse): Outcome | Promise<Outcome> {
    if (outcome.kind !== 'response') return outcome
    const { received } = outcome
    this.note.status = received.status
    if (this.isHead) return this.#headed(outcome, known)
    const { body } = received
    const isWhole = !(received instanceof ExcerptedResponse) && (body !== null || received.bodiless)
    if (!isWhole || outcome.isCopy === true) return outcome
    const recording = this.#record(valueToStore(received, undefined, this.#times, this.key, this.config))
    if (recording === undefined) return outcome
    const kept = recorded(body, recording)
    return kept === null ? outcome : { ...outcome, received: withBody(received, kept) }
  }

  /** The stored response, which this one says is still right, with the fields that it brings, RFC 9111 §4.3.4. */
  freshened(stored: StoredResponse, { received, isCopy }: ResponseOutcome): Promise<Outcome> {
    this.note.status = received.status
    tellCache(this.exchange, 'cache.revalidated')
    const value = valueToStore(received, stored, this.#times, this.key, this.config)
    return this.#answer({ ...stored, ...value }, shownFields(value.headers, undefined), isCopy ? undefined : this.#record(value))
  }

  /** Forgets what a request may have changed: its target, and what its answer names at the same origin, RFC 9111 §4.4. */
  async invalidate(received: Received): Promise<void> {
    const kind = statusClass(received.status)
    if (kind !== '2xx' && kind !== '3xx') return
    const paths = changedBy(this.request, received, this.exchange.options)
    for (const path of paths) this.activity.invalidated(path)
    await Promise.all([...paths].map((path) => this.#storage.forget({ ...this.key, path })))
  }

  /** What the answer to a HEAD request says of the stored response: it brings new fields, or is about another one, RFC 9111 §4.3.5. */
  #headed(outcome: ResponseOutcome, known: StoredResponse | undefined): Outcome {
    const { received } = outcome
    if (known === undefined || outcome.isCopy === true || received.status !== wholeStatus || known.statusCode !== wholeStatus)
      return outcome
    // What a store takes its time for happens behind the back of the call.
    if (!describes(received, known)) void this.#storage.forget(this.key)
    else {
      const recording = this.#record(valueToStore(received, known, this.#times, this.key, this.config))
      const body = recording && recorded(storedBody(known.body), recording)
      if (body) void drained(body, recording)
    }
    return outcome
  }

  /** When the latest attempt was sent, and now: a call that joined it late is not to take its answer for a new one. */
  get #times(): Exchanged {
    const { nowMs, exchange } = this
    const { clock } = exchange.options
    return { requestMs: nowMs - (clock.now() - (exchange.latest?.startMs ?? clock.now())), responseMs: nowMs }
  }

  /** How a response is stored; undefined when it must not be, or need not. */
  #record(value: CacheValue): Recording | undefined {
    const { key, activity, exchange } = this
    const response = { status: value.statusCode, field: (name: string) => wireField(value.headers, name) }
    // What is added on the way, such as credentials that were renewed, counts as well.
    const grants = this.#keyring?.grants(exchange).flatMap(({ record }) => Object.entries(record).flat()) ?? []
    const fields = [...this.request.fields, ...exchange.request.fields, ...grants]
    if (!isStorable(response, fields, this.config.shared) || !isOfUse(value) || !this.#isSelectable(response)) return undefined
    const isCurrent = (): boolean => activity.isCurrent(key.path, this.#changes)
    if (!isCurrent()) return undefined
    this.recording = this.#storage.recording(key, value, isCurrent)
    if (this.recording === undefined) return undefined
    this.note.stored = true
    tellCache(this.exchange, 'cache.stored')
    return this.recording
  }

  /** Whether it is known which requests get such a response: not where the jar alone knows their cookies, or a source is new. */
  #isSelectable(response: Dated): boolean {
    const { exchange, request, key } = this
    if (exchange.options.cookies !== undefined && names(response.field('vary')).includes('cookie')) return false
    return this.#keyring === undefined || sharesCredentials(key, keyOf(request, exchange, this.#keyring))
  }

  async #answer(stored: Answer, fields: StoredFields, recording?: Recording): Promise<Outcome> {
    const { exchange, request } = this
    const { statusCode, statusMessage } = stored
    const { asksFunctions, on } = exchange.options
    const content = isBodiless(request.method, statusCode) ? null : storedBody(stored.body)
    const body = recording === undefined ? content : recorded(content, recording)
    if (body !== null && !body.done) exchange.add(body)
    const received = new ReceivedResponse(statusCode, statusMessage, request.href, fields, body)
    const outcome: Outcome = { kind: 'response', received, policy: expectedPolicy(statusCode, on) }
    return asksFunctions ? askPolicy(exchange, outcome) : outcome
  }
}
