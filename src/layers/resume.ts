import { Branch } from '../branch.ts'
import { wait } from '../cancellation.ts'
import { isNetworkError, NetworkError } from '../errors/failures.ts'
import type { Exchange } from '../exchange.ts'
import { WireBody } from '../http/body.ts'
import { isConditional } from '../http/cache-mode.ts'
import { fieldOf, withDefault, withField } from '../http/fields.ts'
import { withBody } from '../http/received.ts'
import { backoffMs } from '../policy/backoff.ts'
import type { Origins } from '../policy/origins.ts'
import { continuationOf, type Resumable, resumable } from '../policy/resumption.ts'
import { RetryBudget } from '../policy/retry-budget.ts'
import type { Body, Bytes, Sink, Source } from '../types/body.ts'
import type { Handler, HopRequest, Layer, Received } from '../types/exchange.ts'
import type { RetryBudgetConfig } from '../types/protection.ts'
import type { ResumeConfig } from '../types/resume.ts'

/**
 * Lets a download that is cut short go on where it stopped (RFC 9110 §14): the rest of the very same representation is asked
 * for, and appended only if it is provably that.
 */
export function resumeLayer(origins: Origins, budget: RetryBudgetConfig | undefined): Layer {
  return (next) => async (exchange) => {
    const { request, options } = exchange
    const { resume } = options
    if (resume === undefined || !isResumableRequest(request)) return next(exchange)
    // A range is one of the content as it is stored; coded content could not be gone on with.
    exchange.request = { ...request, fields: withDefault(request.fields, 'accept-encoding', 'identity') }
    const outcome = await next(exchange)
    if (outcome.kind !== 'response') return outcome
    const { received } = outcome
    const known = resumable(received, options.clock.wallTime())
    if (known === undefined || received.body === null) return outcome
    const tokens = budget && origins.ofService(exchange.request).part(budget, RetryBudget)
    const download = new Download(exchange, next, known, resume, tokens)
    return { ...outcome, received: withBody(received, download.from(received.body)) }
  }
}

/** A caller that asks for a range, or on a condition, knows what to do with the rest. */
function isResumableRequest({ method, href, fields }: HopRequest): boolean {
  return method === 'GET' && href.startsWith('http') && !isConditional(fields) && fieldOf(fields, 'range') === undefined
}

/** The content of one representation, from as many responses as it takes. */
class Download implements Source, Sink {
  readonly #exchange: Exchange
  readonly #next: Handler
  readonly #config: ResumeConfig
  readonly #budget: RetryBudget | undefined
  readonly #request: HopRequest
  readonly #out: WireBody = new WireBody(this)
  #known: Resumable
  /** Bytes of the representation that the reader was given. */
  #position = 0
  /** Bytes of the present response that the reader has already. */
  #skip = 0
  /** Where the present response ends; undefined where only its own end tells. */
  #endsAt: number | undefined
  #tries = 0
  #body: Body | undefined
  #branch: Branch | undefined

  constructor(exchange: Exchange, next: Handler, known: Resumable, config: ResumeConfig, budget: RetryBudget | undefined) {
    this.#exchange = exchange
    this.#next = next
    this.#known = known
    this.#config = config
    this.#budget = budget
    this.#request = exchange.request
  }

  /** The body of the reader, which begins with this one. */
  from(body: Body): Body {
    this.#endsAt = this.#known.completeLength
    this.#attach(body)
    return this.#out
  }

  #attach(body: Body): void {
    this.#body = body
    body.attach(this)
  }

  write(part: Bytes): boolean {
    if (this.#body === undefined) return true
    const skipped = Math.min(this.#skip, part.byteLength)
    this.#skip -= skipped
    const rest = skipped === 0 ? part : part.subarray(skipped)
    if (rest.byteLength === 0) return true
    this.#position += rest.byteLength
    if (this.#position > (this.#endsAt ?? Infinity)) {
      this.#fail(this.#error('the content is longer than it was said to be'))
      return true
    }
    this.#tries = 0
    return this.#out.write(rest)
  }

  end(): void {
    if (this.#body === undefined) return
    const { completeLength } = this.#known
    const isWhole = this.#skip === 0 && (this.#endsAt === undefined || this.#position === this.#endsAt)
    if (isWhole && (completeLength === undefined || this.#position === completeLength)) this.#finish()
    else void this.#resume(this.#error('the content was cut short'))
  }

  fail(error: unknown): void {
    if (this.#body === undefined) return
    if (this.#exchange.cancelled || !isNetworkError(error)) this.#fail(error)
    else if (this.#position === this.#known.completeLength && this.#skip === 0) this.#finish()
    else void this.#resume(error)
  }

  /** Nothing to do: when the reader has enough, the body of the response pauses its own source. */
  pause(): void {}

  resume(): void {
    this.#body?.resume()
  }

  abort(reason: unknown): void {
    this.#branch?.drop(reason)
    this.#body?.cancel(reason)
  }

  /** Asks for the rest until it comes, or asking is of no more use. */
  async #resume(cut: unknown): Promise<void> {
    const exchange = this.#exchange
    const { clock, random } = exchange.options
    this.#letGo()
    for (;;) {
      this.#tries += 1
      const cost = this.#budget?.cost(false) ?? 0
      if (this.#tries > this.#config.maxAttempts || this.#budget?.take(cost) === false) return this.#fail(cut)
      const waitMs = backoffMs(this.#tries, this.#config, random)
      const branch = new Branch(exchange, false)
      this.#branch = branch
      if (!(await wait(clock, waitMs, branch))) return this.#fail(branch.reason)
      branch.noteWait(waitMs, 'resume')
      branch.request = { ...this.#request, fields: this.#fieldsForRest() }
      const outcome = await this.#next(branch)
      if (branch.cancelled) {
        if (outcome.kind === 'response') outcome.received.release(branch.reason)
        return this.#fail(branch.reason)
      }
      if (outcome.kind === 'response') return this.#goOn(outcome.received, branch, cut)
      branch.drop(undefined)
      if (outcome.kind !== 'failure' || !isNetworkError(outcome.error)) return this.#fail(cut)
    }
  }

  #fieldsForRest(): HopRequest['fields'] {
    const { fields } = this.#request
    // Without a byte there is nothing to go on from: it is the same request again.
    if (this.#position === 0) return fields
    return withField(withField(fields, 'range', `bytes=${this.#position}-`), 'if-range', this.#known.validator)
  }

  #goOn(received: Received, branch: Branch, cut: unknown): void {
    const continuation = continuationOf(received, this.#known, this.#position)
    branch.prevail()
    if (continuation.kind === 'unfit' || received.body === null) {
      received.release(undefined)
      this.#fail(continuation.kind === 'unfit' ? this.#error(`the content was cut short, and ${continuation.why}`, cut) : cut)
      return
    }
    const isRest = continuation.kind === 'rest'
    if (isRest) this.#known = { ...this.#known, completeLength: continuation.completeLength }
    this.#endsAt = isRest ? continuation.endsAt : this.#known.completeLength
    this.#skip = isRest ? 0 : this.#position
    this.#attach(received.body)
  }

  #finish(): void {
    this.#letGo()
    this.#out.end()
  }

  #fail(error: unknown): void {
    const body = this.#body
    this.#letGo()
    this.#out.fail(error)
    body?.cancel(error)
  }

  /** The response of before is over. */
  #letGo(): void {
    this.#body = undefined
    this.#branch?.drop(undefined)
    this.#branch = undefined
  }

  #error(summary: string, cause?: unknown): NetworkError {
    return new NetworkError('truncated', 'maybe', summary, this.#exchange.facts(), cause)
  }
}
