import type { Exchange } from '../exchange.ts'
import { asksForShareable } from '../http/shareable.ts'
import type { HopRequest } from '../types/exchange.ts'
import type { ResolvedOptions } from '../types/options.ts'
import { repetitionOf } from './repetition.ts'

/** What is each call's own, and does not change what is sent. */
const ofTheCall = new Set<string>([
  'on',
  'asksFunctions',
  'timeoutMs',
  'idleTimeoutMs',
  'errors',
  'details',
  'events',
  'baseUrl',
  'headers',
  'events',
  'schema',
  'maxResponseBytes',
  'onDownloadProgress',
  'onUploadProgress',
  'idempotencyKey',
  'expectContinue',
] satisfies (keyof ResolvedOptions)[])

/** How many requests are remembered whose answer was for one call alone, and for how many milliseconds. */
const maxApart = 64
const apartMs = 60_000

/** A request that is under way, as it is found. */
interface UnderWay {
  readonly path: string
}

/** The requests to one origin that are under way and may be joined, by all that makes them identical. */
export class Flights<Entry extends UnderWay = UnderWay> {
  readonly #entries = new Map<string, Entry>()
  readonly #apart = new Map<string, number>()
  readonly #texts = new WeakMap<ResolvedOptions, string>()
  readonly #ids = new WeakMap<object, number>()
  #lastId = 0

  get busy(): boolean {
    return this.#entries.size > 0
  }

  /** The text that identical requests of calls have in common, which are sent with credentials of the same sources. */
  keyOf({ request, options, terms, retries, repeatedOutside, route }: Exchange, sources: readonly object[]): string {
    const ids = sources.map((source) => `#${this.#idOf(source)}`)
    const ofCall = [retries, repeatedOutside, terms.ownMaxDecoded, ...ids, ...(route?.tried ?? [])].join()
    return [request.method, request.href, ...request.fields, ofCall, this.#textOf(options)].join('\n')
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  set(key: string, entry: Entry): void {
    this.#entries.set(key, entry)
  }

  /** Lets nobody join it any more. */
  delete(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key)
  }

  /** What is under way to these targets may have been answered before a change, and is for nobody who comes after it. */
  outdate(paths: ReadonlySet<string>): void {
    for (const [key, { path }] of this.#entries) if (paths.has(path)) this.#entries.delete(key)
  }

  /** The last answer was for one call alone: the next ones are not kept waiting for such an answer. */
  keepApart(key: string, nowMs: number): void {
    this.#apart.delete(key)
    const [oldest] = this.#apart.keys()
    if (this.#apart.size >= maxApart && oldest !== undefined) this.#apart.delete(oldest)
    this.#apart.set(key, nowMs + apartMs)
  }

  isApart(key: string, nowMs: number): boolean {
    const untilMs = this.#apart.get(key)
    if (untilMs !== undefined && untilMs <= nowMs) this.#apart.delete(key)
    return untilMs !== undefined && untilMs > nowMs
  }

  /** What of the options changes what is sent, and how often: a new option does until it is known not to. */
  #textOf(options: ResolvedOptions): string {
    const known = this.#texts.get(options)
    if (known !== undefined) return known
    const values = Object.entries(options).filter(([name]) => !ofTheCall.has(name))
    // Each call that names it has a copy of its own.
    const text = values
      .map(([name, value]) => `${name}=${name === 'resume' ? JSON.stringify(value) : this.#wordOf(value)}`)
      .sort()
    const whole = `${text.join(' ')} ${repetitionOf(options.on, (value) => this.#idOf(value))}`
    this.#texts.set(options, whole)
    return whole
  }

  #wordOf(value: unknown): string {
    const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
    return isObject ? `#${this.#idOf(value)}` : String(value)
  }

  #idOf(value: object): number {
    const known = this.#ids.get(value)
    if (known !== undefined) return known
    this.#lastId += 1
    this.#ids.set(value, this.#lastId)
    return this.#lastId
  }
}

/**
 * Whether the request can be that of several calls: a retrieval of everything that its target is (RFC 9110 §9.3.1), that
 * asks for no answer of its own. Whoever listens to informational responses is to hear all of its own.
 */
export function isJoinable({ request, requestStream, options, terms, scope }: Exchange): boolean {
  // Whoever polls wants an answer to what is asked now, not to what somebody asked before the work was done.
  if (terms.polling !== undefined) return false
  // What is part of another call would wait for itself, were that one the first to ask.
  if (terms.upgrade !== undefined || requestStream !== null || scope?.inner === true) return false
  return isRetrieval(request) && options.onInformation === undefined
}

function isRetrieval({ method, href, content, fields }: HopRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && content === null && href.startsWith('http') && asksForShareable(fields)
}
