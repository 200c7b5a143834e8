import { unlessCancelled, wait } from '../cancellation.ts'
import { RedirectError, TimeoutError } from '../errors/failures.ts'
import { OperationError } from '../errors/operation-error.ts'
import type { Exchange } from '../exchange.ts'
import { peeked } from '../http/peek.ts'
import { redirection } from '../http/redirect.ts'
import { retryAfterMs } from '../http/retry-after.ts'
import { jittered } from '../policy/backoff.ts'
import { cancelledOutcome } from '../policy/classify.ts'
import { progressOf } from '../policy/operation.ts'
import { fail } from '../policy/policies.ts'
import type { FailureOutcome, Handler, HopRequest, Layer, Outcome, Received, ResponseOutcome } from '../types/exchange.ts'
import type { PollPolicy } from '../types/policy.ts'

const defaults = { intervalMs: 1_000, maxIntervalMs: 10_000, timeoutMs: 60_000 }
/** How much longer each wait is than the one before. */
const growth = 1.5
/** Fields that name a status monitor which says in its content how far the work is. */
const monitors = ['operation-location', 'azure-asyncoperation']

/** Follows accepted work to its end (RFC 9110 §15.3.3): asks its status monitor until that says that it is done. */
export const pollLayer: Layer = (next) => async (exchange) => {
  const outcome = await next(exchange)
  const { policy } = outcome
  return outcome.kind === 'response' && policy.kind === 'poll' ? new Polling(exchange, next, policy).run(outcome) : outcome
}

class Polling {
  readonly #exchange: Exchange
  readonly #next: Handler
  readonly #policy: PollPolicy
  readonly #first: HopRequest
  readonly #endMs: number
  #intervalMs: number
  /** Whether the monitor is of the kind that says in its content how far the work is. */
  #tells = false

  constructor(exchange: Exchange, next: Handler, policy: PollPolicy) {
    this.#exchange = exchange
    this.#next = next
    this.#policy = policy
    this.#first = exchange.request
    this.#intervalMs = policy.intervalMs ?? defaults.intervalMs
    const timeoutMs = policy.timeoutMs ?? defaults.timeoutMs
    this.#endMs = exchange.options.clock.now() + timeoutMs
    exchange.allow(timeoutMs)
  }

  async run(accepted: ResponseOutcome): Promise<Outcome> {
    const { received } = accepted
    const named = monitors.map((name) => received.field(name)).find((value) => value !== null)
    const location = received.field('location')
    let monitor = named ?? location ?? received.field('content-location')
    if (monitor === null) return accepted
    this.#tells = named !== undefined
    let latest = received
    for (;;) {
      const stopped = (await this.#wait(latest)) ?? this.#aim(monitor, latest.status)
      if (stopped !== undefined) return stopped
      const outcome = await this.#next(this.#exchange)
      if (outcome.kind !== 'response') return outcome
      const end = await this.#end(outcome, location)
      if (end !== undefined) return end
      latest = outcome.received
      monitor = latest.field(monitors[0] as string) ?? latest.field('location') ?? monitor
    }
  }

  /** What comes of this answer of the monitor; undefined when the work goes on. */
  async #end(outcome: ResponseOutcome, location: string | null): Promise<Outcome | undefined> {
    const { kind } = outcome.policy
    if (kind !== 'poll' && kind !== 'accept') return outcome
    const { until } = this.#policy
    if (until !== undefined) return this.#judged(outcome, until)
    if (kind === 'poll') return undefined
    if (!this.#tells) return outcome
    const { received, text } = await peeked(outcome.received)
    const progress = progressOf(text)
    if (progress.state === 'done') return this.#result({ ...outcome, received }, progress.resource ?? location)
    received.release(undefined)
    return progress.state === 'pending' ? undefined : failure(new OperationError(text ?? '', this.#exchange.facts()))
  }

  /** The result is where the monitor or the first response says, else at the target of a PUT or PATCH, else this is it. */
  async #result(outcome: ResponseOutcome, told: string | null): Promise<Outcome> {
    const { method, href } = this.#first
    const resource = told ?? (method === 'PUT' || method === 'PATCH' ? href : null)
    if (resource === null) return outcome
    outcome.received.release(undefined)
    return this.#aim(resource, outcome.received.status) ?? this.#next(this.#exchange)
  }

  /** Lets the caller judge. */
  async #judged(outcome: ResponseOutcome, until: NonNullable<PollPolicy['until']>): Promise<Outcome | undefined> {
    const exchange = this.#exchange
    const { received } = outcome
    try {
      const judge = async (): Promise<boolean> => until(received.response.clone())
      const isOver = await unlessCancelled(exchange.within(judge), exchange)
      if (isOver === true) return outcome
      received.release(exchange.reason)
      return isOver === undefined ? cancelledOutcome(exchange.reason, exchange.options.on) : undefined
    } catch (error) {
      received.release(error)
      return failure(error)
    }
  }

  /** Waits before the monitor is asked; an outcome when there is no time for it, or the call has ended. */
  async #wait(latest: Received): Promise<Outcome | undefined> {
    const exchange = this.#exchange
    const { clock, random, on } = exchange.options
    const waitMs = jittered(retryAfterMs(latest, clock.wallTime) ?? this.#intervalMs, random)
    this.#intervalMs = Math.min(this.#intervalMs * growth, this.#policy.maxIntervalMs ?? defaults.maxIntervalMs)
    latest.release(undefined)
    if (clock.now() + waitMs > this.#endMs) {
      const limitMs = this.#policy.timeoutMs ?? defaults.timeoutMs
      return failure(new TimeoutError('poll', limitMs, exchange.facts()))
    }
    exchange.limit()
    if (!(await wait(clock, waitMs, exchange))) return cancelledOutcome(exchange.reason, on)
    exchange.noteWait(waitMs, 'poll')
    return undefined
  }

  /** Makes a GET for this target the request of the exchange, as a redirect would; an outcome when it must not be sent. */
  #aim(location: string, status: number): Outcome | undefined {
    const exchange = this.#exchange
    const target = redirection(exchange.request, 'becomes-get', location, {})
    if (target.kind === 'refused') return failure(new RedirectError(target.why, status, target.summary, exchange.facts()))
    if (target.kind === 'none') return undefined
    const { redirects, request } = exchange
    const crossedOrigins = redirects.crossedOrigins || target.request.origin !== (request.service ?? request.origin)
    exchange.redirects = { hops: redirects.hops, crossedOrigins }
    exchange.request = target.request
    return undefined
  }
}

function failure(error: unknown): FailureOutcome {
  return { kind: 'failure', error, sent: 'maybe', policy: fail() }
}
