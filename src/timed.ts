import { Cancellation } from './cancellation.ts'
import { inScope, type Scope } from './deadline.ts'
import { type TimeLimit, TimeoutError } from './errors/failures.ts'
import type { Limited, Limits } from './limits.ts'
import type { Asked, AttemptRecord, CallFacts } from './types/exchange.ts'
import type { ResolvedOptions } from './types/options.ts'
import type { Terms } from './types/terms.ts'

/** The time limits of one call: its own, the deadline it inherits, that of its attempt and that of a silent body. */
export abstract class Timed extends Cancellation implements Limited {
  readonly options: ResolvedOptions
  /** Monotonic milliseconds at the start of the call. */
  readonly startMs: number
  readonly limits: Limits
  readonly scope: Scope | undefined
  terms: Terms
  /** Whether the caller takes the body as a stream. */
  streams = false
  #over = false
  #idleDueMs: number | undefined
  dueMs: number = Infinity
  place: number = -1
  /** The latest attempt, which knows the one before it. */
  latest: AttemptRecord | undefined

  constructor({ options, scope, terms, startMs }: Asked, limits: Limits) {
    super()
    this.options = options
    this.scope = scope
    this.terms = terms
    this.limits = limits
    this.startMs = startMs ?? options.clock.now()
  }

  /** The method, the target and the numbers so far, for an error. */
  abstract facts(): CallFacts

  /** Monotonic milliseconds at which the call ends; Infinity without a limit. */
  get deadlineMs(): number {
    const dueMs = Math.min(this.#ownDueMs, this.terms.polling?.dueMs ?? Infinity)
    return this.scope === undefined ? dueMs : Math.min(dueMs, this.scope.dueMs)
  }

  /** Whether what the call is part of is repeated as a whole when it fails. */
  get repeatedOutside(): boolean {
    return this.scope?.repeated === true
  }

  /** Runs a function of the caller so that calls within it inherit the deadline. */
  within<Result>(run: () => Result, repeated = false): Result {
    return inScope({ clock: this.options.clock, dueMs: this.deadlineMs, repeated, inner: true }, run)
  }

  /** The call polls for `limitMs` at most, the limit of the client set aside, until {@link polled}. */
  polls(limitMs: number | false): void {
    const startMs = this.options.clock.now()
    const dueMs = limitMs === false ? Infinity : startMs + limitMs
    this.terms = { ...this.terms, polling: { startMs, dueMs, limitMs } }
    this.limit()
  }

  /** The limit of the client applies again; it does not count what the polling took. */
  polled(): void {
    const { polling, ...terms } = this.terms
    if (polling === undefined) return
    this.terms = { ...terms, polledMs: terms.ownTimeout ? 0 : this.options.clock.now() - polling.startMs }
    this.limit()
  }

  /** Enters the limits that apply now; what is over time later only is not entered again. */
  limit(): void {
    if (this.#over) return
    this.dueMs = Math.min(this.deadlineMs, this.#attemptDueMs, this.#idleDueMs ?? Infinity)
    if (this.dueMs < Infinity) this.limits.enter(this)
  }

  /** No limit applies any more. */
  rest(): void {
    this.#over = true
    this.limits.leave(this)
  }

  flowing(): void {
    const { clock, idleTimeoutMs } = this.options
    if (idleTimeoutMs === false) return
    this.#idleDueMs = clock.now() + idleTimeoutMs
    this.limit()
  }

  resting(): void {
    this.#idleDueMs = undefined
    this.limit()
  }

  look(nowMs: number): void {
    if (this.deadlineMs <= nowMs) this.#end(nowMs)
    else if (this.latest !== undefined && this.#attemptDueMs <= nowMs) {
      this.#expire('attempt', this.latest, this.options.attemptTimeoutMs)
      this.limit()
    } else if (this.#idleDueMs !== undefined && this.#idleDueMs <= nowMs) this.#expire('idle', this, this.options.idleTimeoutMs)
    else this.limit()
  }

  /** A body that is taken as a stream is not bound by the limit of the client, nor is polling. */
  get #ownDueMs(): number {
    const { timeoutMs } = this.options
    const { ownTimeout, polling, polledMs = 0 } = this.terms
    if (timeoutMs === false || ((this.streams || polling !== undefined) && !ownTimeout)) return Infinity
    return this.startMs + timeoutMs + polledMs
  }

  get #attemptDueMs(): number {
    const { attemptTimeoutMs } = this.options
    if (attemptTimeoutMs === false || this.latest?.underWay !== true) return Infinity
    return this.latest.startMs + attemptTimeoutMs
  }

  #end(nowMs: number): void {
    const { polling } = this.terms
    if (this.#ownDueMs <= nowMs) this.#expire('call', this, this.options.timeoutMs)
    else if (polling !== undefined && polling.dueMs <= nowMs) this.#expire('poll', this, polling.limitMs)
    else this.#expire('deadline', this, Math.round(nowMs - this.startMs))
  }

  #expire(limit: TimeLimit, whom: Cancellation, limitMs: number | false): void {
    whom.cancel(new TimeoutError(limit, limitMs as number, this.facts()))
  }
}
