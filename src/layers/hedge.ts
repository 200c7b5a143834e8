import { AsyncResource } from 'node:async_hooks'
import { Branch } from '../branch.ts'
import { isNetworkError, isRefusedError, isTimeoutError } from '../errors/failures.ts'
import type { Exchange } from '../exchange.ts'
import { isIdempotent } from '../http/methods.ts'
import { retryAfterMs } from '../http/retry-after.ts'
import type { Limited } from '../limits.ts'
import { Hedging } from '../policy/hedging.ts'
import type { Origins } from '../policy/origins.ts'
import { patient } from '../policy/policies.ts'
import type { Handler, Layer, Outcome } from '../types/exchange.ts'
import type { HedgeConfig } from '../types/protection.ts'

/** Why a request is cancelled that came too late. */
const superseded = Object.assign(new Error('another attempt was answered first'), { code: 'superseded' })

/**
 * Sends an idempotent request (RFC 9110 §9.2.2) once more when its answer takes long, and takes the answer that comes
 * first; the others are cancelled.
 */
export function hedgeLayer(origins: Origins, config: HedgeConfig): Layer {
  return (next) => (exchange) => {
    const { method, fields, content } = exchange.request
    if (!isIdempotent(method, fields) || content?.replayable === false) return next(exchange)
    const hedging = origins.ofService(exchange.request).part(config, Hedging)
    return new Promise((resolve, reject) => new Race(exchange, next, hedging, config.maxHedges, { resolve, reject }).start())
  }
}

/** The rank of an outcome that ends the race. */
const final = 3

interface Came {
  readonly branch: Branch
  readonly outcome: Outcome
}

interface Verdict {
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

/** The attempts of one call that are under way at the same time. Its hedge is due like a time limit of the call. */
class Race implements Limited {
  dueMs = Infinity
  place = -1
  readonly #call: Exchange
  readonly #next: Handler
  readonly #hedging: Hedging
  readonly #verdict: Verdict
  readonly #running = new Set<Branch>()
  /** A timer serves all calls, and belongs to the one that armed it: what is sent is to be sent in the context of this one. */
  readonly #context = new AsyncResource('STEADFETCH_HEDGE')
  #hedgesLeft: number
  #latest: Branch | undefined
  /** What came first, while it is no answer yet and another one may come. */
  #best: Came | undefined
  #over = false

  constructor(call: Exchange, next: Handler, hedging: Hedging, maxHedges: number, verdict: Verdict) {
    this.#call = call
    this.#next = next
    this.#hedging = hedging
    this.#hedgesLeft = maxHedges
    this.#verdict = verdict
  }

  start(): void {
    this.#send(false)
    this.#arm(this.#call.options.clock.now() + this.#hedging.delayMs)
  }

  /** The hedge is due, unless the latest attempt was sent later than expected, or waits here still. */
  look(nowMs: number): void {
    const startMs = this.#latest?.latest?.startMs
    const dueMs = startMs === undefined ? nowMs + Math.max(1, this.#hedging.delayMs) : startMs + this.#hedging.delayMs
    if (startMs === undefined || dueMs > nowMs) this.#arm(dueMs)
    else if (this.#hedging.take()) {
      this.#hedgesLeft -= 1
      this.#context.runInAsyncScope(() => this.#send(true))
      this.#tell('hedge.sent')
      this.#arm(nowMs + this.#hedging.delayMs)
    }
  }

  #arm(dueMs: number): void {
    if (this.#over || this.#hedgesLeft === 0) return
    this.dueMs = dueMs
    this.#call.limits.enter(this)
  }

  #send(isHedge: boolean): void {
    const branch = new Branch(this.#call, isHedge)
    this.#running.add(branch)
    this.#latest = branch
    this.#next(branch)
      .then((outcome) => this.#came(branch, outcome))
      .catch((error: unknown) => this.#failed(branch, error))
  }

  #came(branch: Branch, outcome: Outcome): void {
    this.#running.delete(branch)
    if (this.#over) {
      release(outcome)
      return
    }
    this.#ended(branch)
    const rank = this.#rank(outcome)
    if (outcome.kind === 'response' && rank === final) {
      this.#hedging.took(elapsedMs(branch))
      this.#hedging.answered()
    }
    branch.rest()
    const came = { branch, outcome }
    const best = this.#best
    if (best === undefined || this.#isBetter(came, best)) this.#best = came
    if (best !== undefined) letGo(best === this.#best ? came : best)
    if (this.#running.size === 0 || rank === final) this.#end(this.#best as Came)
  }

  #end({ branch, outcome }: Came): void {
    this.#close()
    branch.prevail()
    if (branch.isHedge && outcome.kind === 'response') this.#tell('hedge.won')
    this.#verdict.resolve(outcome)
  }

  #failed(branch: Branch, error: unknown): void {
    this.#running.delete(branch)
    if (this.#over) return
    this.#close()
    branch.prevail()
    this.#verdict.reject(error)
  }

  /** What tells the caller more ranks higher; an outcome that no other attempt could better is final. */
  #rank(outcome: Outcome): number {
    if (outcome.kind !== 'failure') return patient(outcome.policy) === undefined ? final : 2
    const { error } = outcome
    if (this.#call.cancelled && error === this.#call.reason) return final
    if (isRefusedError(error)) return 0
    return isNetworkError(error) || isTimeoutError(error) ? 1 : final
  }

  /** Of two answers of an origin that are as good, the one counts that asks for the longer wait. */
  #isBetter(came: Came, best: Came): boolean {
    const by = this.#rank(came.outcome) - this.#rank(best.outcome)
    const sameOrigin = came.branch.request.origin === best.branch.request.origin
    return by > 0 || (by === 0 && sameOrigin && askedMs(came) > askedMs(best))
  }

  #tell(name: 'hedge.sent' | 'hedge.won'): void {
    const { events } = this.#call.options
    if (events.hears(name)) this.#context.runInAsyncScope(() => events.tell(this.#call, name, {}))
  }

  /** A hedge that was never sent costs nothing. */
  #ended(branch: Branch): void {
    if (branch.isHedge && branch.latest === undefined) this.#hedging.giveBack()
  }

  #close(): void {
    this.#over = true
    this.#call.limits.leave(this)
    for (const branch of this.#running) {
      this.#ended(branch)
      if (branch.latest?.underWay === true) this.#hedging.took(elapsedMs(branch))
      branch.drop(superseded)
    }
  }
}

function elapsedMs(branch: Branch): number {
  return branch.options.clock.now() - (branch.latest?.startMs ?? branch.startMs)
}

/** The wait that an outcome asks for; a network that failed asks for none. */
function askedMs({ branch, outcome }: Came): number {
  if (outcome.kind !== 'response') return 0
  return retryAfterMs(outcome.received, branch.options.clock.wallTime) ?? 0
}

/** It came to something, but to less than another one. */
function letGo({ branch, outcome }: Came): void {
  release(outcome)
  branch.drop(superseded)
}

function release(outcome: Outcome): void {
  if (outcome.kind === 'response') outcome.received.release(undefined)
}
