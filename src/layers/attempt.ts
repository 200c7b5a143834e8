import { AsyncResource } from 'node:async_hooks'
import { Cancellation } from '../cancellation.ts'
import { isNetworkError, isTimeoutError } from '../errors/failures.ts'
import { redactUrl } from '../errors/redact.ts'
import type { Exchange } from '../exchange.ts'
import { cancelledOutcome, decidePolicy, failureKey, plainPolicy } from '../policy/classify.ts'
import { fail } from '../policy/policies.ts'
import type { Attempt, AttemptRecord, CallFacts, Handler, HopRequest, Outcome, Received, Send } from '../types/exchange.ts'
import type { AttemptTrace, WaitReason } from '../types/trace.ts'
import type { Information } from '../types/transport.ts'

/** The innermost handler: sends the request once, within `attemptTimeoutMs`, and looks its outcome's policy up. */
export function attemptHandler(send: Send): Handler {
  return (exchange) => {
    if (exchange.cancelled) return Promise.resolve(cancelledOutcome(exchange.reason, exchange.options.on))
    return new Promise((resolve) => {
      const attempt = new OneAttempt(exchange, resolve)
      try {
        send(attempt)
      } catch (error) {
        attempt.failed(error)
      }
    })
  }
}

type Resolve = (outcome: Outcome | Promise<Outcome>) => void

/** One send of the request of an exchange, from its start to its outcome; then it is the memory of it. */
class OneAttempt extends Cancellation implements Attempt, AttemptRecord {
  readonly request: HopRequest
  readonly onInformation: ((information: Information) => void) | undefined
  readonly startMs: number
  readonly previous: AttemptRecord | undefined
  readonly #exchange: Exchange
  readonly #waited: { readonly ms: number; readonly reason: WaitReason } | null
  #resolve: Resolve | undefined
  #result: number | string = ''
  #durationMs = 0
  resent = false

  constructor(exchange: Exchange, resolve: Resolve) {
    super()
    const { clock, onInformation } = exchange.options
    this.request = exchange.request
    // Informational responses arrive in the context of the connection; the listener is to run in the caller's.
    this.onInformation = onInformation && AsyncResource.bind(onInformation)
    this.#exchange = exchange
    this.#resolve = resolve
    this.#waited = exchange.waited
    exchange.waited = null
    this.startMs = clock.now()
    this.previous = exchange.latest
    exchange.begin(this)
  }

  get underWay(): boolean {
    return this.#resolve !== undefined
  }

  get maxDecodedBytes(): number | false {
    return this.#exchange.maxDecodedBytes
  }

  facts(): CallFacts {
    return this.#exchange.facts()
  }

  answered(received: Received): void {
    const resolve = this.#settle(received.status)
    const policy = plainPolicy(received.status, this.#exchange.options.on)
    if (resolve === undefined) received.body?.cancel(this.reason)
    else resolve(policy === undefined ? decided(this.#exchange, received) : { kind: 'response', received, policy })
  }

  failed(error: unknown): void {
    this.#settle(codeOf(error))?.(failure(this.#exchange, error))
  }

  trace(): AttemptTrace {
    const { method, href } = this.request
    const result = typeof this.#result === 'number' ? { status: this.#result } : { error: this.#result }
    const wait = this.#waited === null ? { waitMs: 0 } : { waitMs: this.#waited.ms, waitReason: this.#waited.reason }
    const startMs = this.startMs - this.#exchange.startMs
    return {
      method,
      url: redactUrl(href),
      ...result,
      startMs,
      durationMs: this.#durationMs,
      ...wait,
      ...(this.resent ? { resent: true } : {}),
    }
  }

  /** How to tell the outcome; undefined when it has been told. */
  #settle(result: number | string): Resolve | undefined {
    const resolve = this.#resolve
    if (resolve === undefined) return undefined
    this.#resolve = undefined
    this.#result = result
    this.#durationMs = this.#exchange.options.clock.now() - this.startMs
    return resolve
  }
}

/** Asks the policy functions for a response. */
async function decided(exchange: Exchange, received: Received): Promise<Outcome> {
  const { on } = exchange.options
  const { request, attempts } = exchange.facts()
  try {
    const input = () => ({ kind: 'response', response: received.response, request, attempts }) as const
    const policy = await decidePolicy(received.status, on, input)
    return { kind: 'response', received, policy }
  } catch (error) {
    received.body?.cancel(error)
    return { kind: 'failure', error, sent: 'maybe', policy: fail() }
  }
}

async function failure(exchange: Exchange, error: unknown): Promise<Outcome> {
  const sent = isNetworkError(error) || isTimeoutError(error) ? error.sent : 'maybe'
  const key = failureKey(error)
  if (key === undefined) return { kind: 'failure', error, sent, policy: fail() }
  const { request, attempts } = exchange.facts()
  try {
    const policy = await decidePolicy(key, exchange.options.on, () => ({ kind: 'failure', error, request, attempts }))
    return { kind: 'failure', error, sent, policy }
  } catch (thrown) {
    return { kind: 'failure', error: thrown, sent, policy: fail() }
  }
}

function codeOf(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown }
  if (typeof code === 'string') return code
  return typeof name === 'string' ? name : 'aborted'
}
