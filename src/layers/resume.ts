import { AsyncResource } from 'node:async_hooks'
import { wait } from '../cancellation.ts'
import { branchOf } from '../errors/brand.ts'
import { isRefusedError, isTimeoutError } from '../errors/failures.ts'
import { notResumed } from '../errors/not-resumed.ts'
import type { Exchange } from '../exchange.ts'
import { withDefault } from '../http/fields.ts'
import { asksForWhole, continuation, type Representation, rangeOf, representationOf } from '../http/partial.ts'
import { withBody } from '../http/received.ts'
import { Splice, type Supplier } from '../http/splice.ts'
import { Leg } from '../leg.ts'
import { cancelledOutcome } from '../policy/classify.ts'
import { decideResume, isLost } from '../policy/decide-resume.ts'
import type { Verdict } from '../policy/decide-retry.ts'
import type { Origins } from '../policy/origins.ts'
import { RetryBudget } from '../policy/retry-budget.ts'
import type { Body } from '../types/body.ts'
import type { CallFacts, Handler, HopRequest, Layer, Outcome, ResponseOutcome } from '../types/exchange.ts'
import type { RetryBudgetConfig } from '../types/protection.ts'
import type { ResumeConfig } from '../types/resume.ts'
import type { RefusalReason } from '../types/trace.ts'

/**
 * Asks for the rest of a download that breaks off (RFC 9110 §14.2), and puts it behind what has come only where a strong
 * validator says that it is of the same representation (§15.3.7.3). The request is for content without a coding: the
 * bytes of a range are those of the content as it is sent.
 */
export function resumeLayer(origins: Origins, budgetConfig: RetryBudgetConfig | undefined): Layer {
  return (next) => async (exchange) => {
    const { request, options } = exchange
    const { resume, clock } = options
    if (resume === undefined || !asksForWhole(request)) return next(exchange)
    exchange.request = { ...request, fields: withDefault(request.fields, 'accept-encoding', 'identity') }
    const outcome = await next(exchange)
    if (outcome.kind !== 'response' || outcome.policy.kind !== 'accept') return outcome
    const representation = representationOf(outcome.received, clock.wallTime())
    if (representation === undefined) return outcome
    const { body } = outcome.received
    if (body === null) return outcome
    const budget = budgetConfig && origins.ofService(exchange.request).part(budgetConfig, RetryBudget)
    const download = new Download(exchange, resume, next, representation, budget)
    return { ...outcome, received: withBody(outcome.received, download.begin(body)) }
  }
}

/** A response whose body is fetched in as many legs as it takes. */
class Download implements Supplier {
  readonly #call: Exchange
  readonly #config: ResumeConfig
  readonly #next: Handler
  readonly #request: HopRequest
  readonly #validator: string
  readonly #budget: RetryBudget | undefined
  readonly #splice = new Splice(this)
  /** A leg ends in the context of its connection; the functions of the caller are to be asked in that of the call. */
  readonly #context = new AsyncResource('STEADFETCH_RESUME')
  #leg: Leg
  #completeBytes: number | undefined
  #bytesBefore = 0
  #inRow = 0
  #inAll = 0

  constructor(call: Exchange, config: ResumeConfig, next: Handler, known: Representation, budget: RetryBudget | undefined) {
    this.#call = call
    this.#config = config
    this.#next = next
    this.#request = call.request
    this.#validator = known.validator
    this.#completeBytes = known.completeBytes
    this.#budget = budget
    this.#leg = new Leg(call, call.request)
  }

  begin(first: Body): Body {
    const completeBytes = this.#completeBytes
    const { body } = this.#splice
    this.#call.add(body)
    this.#join(first, { fromBytes: 0, untilBytes: completeBytes ?? Infinity, completeBytes })
    return body
  }

  broken(error: unknown): void {
    this.#leg.drop(error)
    this.#context.runInAsyncScope(() => void this.#goOn(error))
  }

  over(reason: unknown): void {
    this.#leg.drop(reason)
    this.#call.remove(this.#splice.body)
  }

  facts(): CallFacts {
    return this.#call.facts()
  }

  #join(body: Body, stretch: Parameters<Splice['join']>[1]): void {
    this.#completeBytes = stretch.completeBytes
    this.#bytesBefore = this.#splice.takenBytes
    this.#leg.add(body)
    body.watch(this.#leg)
    this.#splice.join(body, stretch)
  }

  /** Whatever is thrown, by a function of the caller, ends the body as it is. */
  async #goOn(error: unknown): Promise<void> {
    try {
      if (this.#call.cancelled || !isLost(error)) this.#end(error)
      else if (this.#splice.takenBytes === this.#completeBytes) this.#splice.finish()
      else await this.#resume(error)
    } catch (thrown) {
      this.#end(thrown)
    }
  }

  async #resume(error: unknown): Promise<void> {
    const verdict = this.#judge(error)
    if (!verdict.again) {
      this.#giveUp(error, verdict.why)
      return
    }
    const { clock } = this.#call.options
    const leg = this.#leg
    if (verdict.waitMs > 0) await wait(clock, verdict.waitMs, leg)
    leg.noteWait(verdict.waitMs, verdict.reason)
    if (leg.route !== undefined) leg.route.stays = true
    const outcome = leg.cancelled ? cancelledOutcome(leg.reason, leg.options.on) : await this.#next(leg)
    if (leg.latest === undefined) this.#budget?.give(leg.spentTokens)
    // Nobody waits for it any more: whatever came was cancelled together with its leg.
    if (this.#splice.body.done) return
    if (outcome.kind === 'response' && outcome.policy.kind === 'accept') this.#take(error, outcome)
    else this.#refuse(error, outcome)
  }

  /** The verdict on a resumption, which is paid for and has a leg of its own from then on. */
  #judge(error: unknown): Verdict {
    const { clock, random } = this.#call.options
    if (this.#splice.takenBytes > this.#bytesBefore) this.#inRow = 0
    const tokens = this.#budget?.cost(isTimeoutError(error)) ?? 0
    const verdict = decideResume({
      config: this.#config,
      inRow: this.#inRow,
      inAll: this.#inAll,
      remainingMs: this.#call.deadlineMs - clock.now(),
      affordable: this.#budget === undefined || this.#budget.tokens >= tokens,
      random,
    })
    if (!verdict.again) return verdict
    this.#inRow += 1
    this.#inAll += 1
    this.#budget?.take(tokens)
    this.#leg = new Leg(this.#call, rangeOf(this.#request, { validator: this.#validator }, this.#splice.takenBytes))
    this.#leg.spentTokens = tokens
    return verdict
  }

  #take(error: unknown, outcome: ResponseOutcome): void {
    const { received } = outcome
    const known = { validator: this.#validator, completeBytes: this.#completeBytes }
    const stretch = continuation(received, known, this.#splice.takenBytes)
    if (typeof stretch === 'string') this.#refuse(error, outcome, stretch)
    else if (received.body === null) this.#refuse(error, outcome)
    else this.#join(received.body, stretch)
  }

  /** The answer is of no use. A function of the caller that failed is not the network: its error is the one to be seen. */
  #refuse(error: unknown, outcome: Outcome, why?: RefusalReason): void {
    release(outcome, undefined)
    const reason = why ?? this.#leg.notRepeated ?? 'range not served'
    if (outcome.kind === 'response') this.#giveUp(error, reason, `answered ${outcome.received.status}`)
    else if (outcome.kind === 'substitute') this.#giveUp(error, reason)
    else if (isRefusedError(outcome.error)) this.#giveUp(error, outcome.error.kind)
    else if (branchOf(outcome.error) !== undefined) this.#giveUp(error, reason)
    else this.#end(outcome.error)
  }

  #giveUp(error: unknown, why: RefusalReason, detail?: string): void {
    const { options } = this.#call
    this.#call.notRepeated = why
    const reason = detail === undefined ? why : `${why}, ${detail}`
    this.#end(notResumed(error, reason, options.idleTimeoutMs, this.facts()))
  }

  #end(error: unknown): void {
    this.#splice.body.fail(error)
    this.over(error)
  }
}

function release(outcome: Outcome, reason: unknown): void {
  if (outcome.kind === 'response') outcome.received.release(reason)
}
