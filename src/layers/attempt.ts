import { AsyncResource } from 'node:async_hooks'
import { Cancellation } from '../cancellation.ts'
import { isForbidden, isNetworkError, isTimeoutError } from '../errors/failures.ts'
import { redactUrl } from '../errors/redact.ts'
import { traceCode } from '../errors/steadfetch-error.ts'
import { numberOf } from '../events.ts'
import type { Exchange } from '../exchange.ts'
import { mergeFields } from '../http/fields.ts'
import { observed } from '../http/observed.ts'
import { Observation, type Observer } from '../observation.ts'
import { cancelledOutcome, expectedFailurePolicy, expectedPolicy, mayRepeat } from '../policy/classify.ts'
import { statusClass } from '../status/table.ts'
import type { Attempt, AttemptRecord, CallFacts, Handler, HopRequest, Outcome, Received, Send } from '../types/exchange.ts'
import type { AttemptTrace, WaitReason } from '../types/trace.ts'
import type { Information } from '../types/transport.ts'

/**
 * The innermost handler: sends the request once, within `attemptTimeoutMs`, and looks its outcome's policy up as far as
 * that is known without asking.
 */
export function attemptHandler(send: Send): Handler {
  return (exchange) => {
    if (exchange.cancelled) return Promise.resolve(cancelledOutcome(exchange.reason, exchange.options.on))
    return new Promise((resolve) => {
      const attempt = new OneAttempt(exchange, resolve)
      const { events } = exchange.options
      if (events.hears('attempt.started')) attempt.startTold(send)
      else attempt.start(send)
    })
  }
}

type Resolve = (outcome: Outcome) => void

/** What an attempt that somebody is told of has beside. */
interface Told {
  /** Responses arrive in the context of the connection; a listener is to run in the caller's. */
  readonly context: AsyncResource | undefined
  readonly observation: Observation | undefined
}

/** One send of the request of an exchange, from its start to its outcome; then it is the memory of it. */
class OneAttempt extends Cancellation implements Attempt, AttemptRecord {
  request: HopRequest
  readonly startMs: number
  readonly previous: AttemptRecord | undefined
  readonly #exchange: Exchange
  readonly #waited: { readonly ms: number; readonly reason: WaitReason } | null
  /** Who is told of it, if anybody is. */
  readonly #told: Told | undefined
  #resolve: Resolve | undefined
  #result: number | string = ''
  durationMs = 0
  resent = false

  constructor(exchange: Exchange, resolve: Resolve) {
    super()
    const { clock, events, onInformation } = exchange.options
    this.request = exchange.request
    this.#exchange = exchange
    this.#resolve = resolve
    this.#waited = exchange.waited
    exchange.waited = null
    this.startMs = clock.now()
    this.previous = exchange.begin(this)
    const isHeard = onInformation !== undefined || events.hears('attempt.succeeded') || events.hears('attempt.failed')
    const observers = events.observers()
    if (!isHeard && observers === undefined) return
    const observation = observers && this.#observation(observers)
    this.#told = { context: isHeard ? new AsyncResource('STEADFETCH_ATTEMPT') : undefined, observation }
  }

  get observation(): Observation | undefined {
    return this.#told?.observation
  }

  start(send: Send): void {
    try {
      send(this)
    } catch (error) {
      this.failed(error)
    }
  }

  /** Starts when those who listen have been told; a field that they set is one of this attempt alone. */
  startTold(send: Send): void {
    const setField = (name: string, value: string): void => {
      this.request = { ...this.request, fields: mergeFields(this.request.fields, [[name, value]]) }
    }
    const told = { attempt: this.#place, setField }
    this.#exchange.options.events.around(this.#exchange, 'attempt.started', told, () => this.start(send))
  }

  get underWay(): boolean {
    return this.#resolve !== undefined
  }

  get onInformation(): ((information: Information) => void) | undefined {
    const { onInformation } = this.#exchange.options
    const context = this.#told?.context
    if (onInformation === undefined || context === undefined) return undefined
    return (information) => context.runInAsyncScope(onInformation, undefined, information)
  }

  get maxDecodedBytes(): number | false {
    return this.#exchange.maxDecodedBytes
  }

  get upgrade(): string | undefined {
    return this.#exchange.terms.upgrade
  }

  get expectContinue(): number | false {
    return this.#exchange.options.expectContinue
  }

  within<Result>(run: () => Result): Result {
    return this.#exchange.within(run, mayRepeat(this.#exchange.options))
  }

  facts(): CallFacts {
    return this.#exchange.facts()
  }

  answered(received: Received): void {
    const policy = expectedPolicy(received.status, this.#exchange.options.on)
    const resolve = this.#settle(received.status)
    if (resolve === undefined) received.release(this.reason)
    else resolve({ kind: 'response', received: observed(received, this.observation), policy })
  }

  failed(error: unknown): void {
    const sent = isNetworkError(error) || isTimeoutError(error) ? error.sent : isForbidden(error) ? 'no' : 'maybe'
    const policy = expectedFailurePolicy(error, this.#exchange.options.on)
    this.observation?.ended(error)
    this.#settle(traceCode(error))?.({ kind: 'failure', error, sent, policy })
  }

  forgetContent(): void {
    this.request = { ...this.request, content: null }
  }

  trace(): AttemptTrace {
    const { method, href } = this.request
    const result = typeof this.#result === 'number' ? { status: this.#result } : { error: this.#result }
    const wait = this.#waited === null ? { waitMs: 0 } : { waitMs: this.#waited.ms, waitReason: this.#waited.reason }
    const startMs = this.startMs - this.#exchange.startMs
    return {
      method,
      url: redactUrl(href, this.#exchange.options.redact),
      ...result,
      startMs,
      durationMs: this.durationMs,
      ...wait,
      ...(this.resent ? { resent: true } : {}),
      ...(this.#exchange.isHedge ? { hedge: true } : {}),
    }
  }

  /** Its place among the attempts of the call. */
  get #place(): number {
    let place = 1
    for (let { previous } = this as AttemptRecord; previous !== undefined; previous = previous.previous) place += 1
    return place
  }

  /** What has a server is observed alone: for the content of a data URL nothing is sent. */
  #observation(observers: readonly Observer[]): Observation | undefined {
    const { request, startMs } = this
    const { options, isHedge } = this.#exchange
    if (!request.href.startsWith('http')) return undefined
    const facts = { call: numberOf(this.#exchange), attempt: this.#place, waited: this.#waited, own: options.redact }
    const beginning = { ...facts, request, startMs, isHedge }
    return new Observation(beginning, options.clock, observers)
  }

  /** Runs `tell` in the context of the call where there is one. */
  #tellOutcome(): void {
    const { events } = this.#exchange.options
    const isWell = typeof this.#result === 'number' && /^[123]/.test(statusClass(this.#result))
    const name = isWell ? 'attempt.succeeded' : 'attempt.failed'
    if (!events.hears(name)) return
    const tell = (): void => events.tell(this.#exchange, name, { attempt: this.#place, result: this.trace() })
    const context = this.#told?.context
    if (context === undefined) tell()
    else context.runInAsyncScope(tell)
  }

  /** How to tell the outcome; undefined when it has been told. */
  #settle(result: number | string): Resolve | undefined {
    const resolve = this.#resolve
    if (resolve === undefined) return undefined
    // First of all: a clock that throws is not to leave the call without an outcome.
    this.durationMs = this.#exchange.options.clock.now() - this.startMs
    this.#resolve = undefined
    this.#result = result
    this.#tellOutcome()
    return resolve
  }
}
