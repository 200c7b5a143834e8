import { Cancellation } from './cancellation.ts'
import { traceCode } from './errors/steadfetch-error.ts'
import { Exchange } from './exchange.ts'
import type { AttemptRecord } from './types/exchange.ts'
import type { AttemptTrace } from './types/trace.ts'

const joined = new WeakSet<Exchange>()

/** Whether the call waited for a request that another one had begun. */
export function hasJoined(call: Exchange): boolean {
  return joined.has(call)
}

/**
 * One request for several calls: an exchange of its own, which ends with the last of them. Each of them keeps its own time
 * limits; those of the request are the longest of theirs.
 */
export class Flight extends Exchange {
  readonly #calls = new Set<Exchange>()
  #isAborted = false

  constructor(first: Exchange) {
    const { options, request, terms, startMs, repeatedOutside } = first
    const scope = repeatedOutside ? { clock: options.clock, dueMs: Infinity, repeated: true } : undefined
    super({ options: { ...options, timeoutMs: false }, request, requestStream: null, terms, scope, startMs }, first.limits)
    this.retries = first.retries
    this.redirects = first.redirects
    this.route = first.route
    this.waited = first.waited
    first.waited = null
  }

  override get deadlineMs(): number {
    let latestMs = this.#calls.size === 0 ? Infinity : 0
    for (const { deadlineMs } of this.#calls) latestMs = Math.max(latestMs, deadlineMs)
    return latestMs
  }

  override get maxDecodedBytes(): number | false {
    let most = 0
    for (const { maxDecodedBytes } of this.#calls) {
      if (maxDecodedBytes === false) return false
      most = Math.max(most, maxDecodedBytes)
    }
    return most
  }

  /** Whether it was an abort that made the last call leave. */
  override get aborted(): boolean {
    return this.#isAborted
  }

  override trail(attempt: AttemptRecord): AttemptRecord | undefined {
    for (const call of this.#calls) call.trail(new SharedAttempt(call, attempt))
    return super.trail(attempt)
  }

  /** Whoever is over time by then leaves by its own limit, and the last of them ends this. */
  override look(nowMs: number): void {
    for (const call of [...this.#calls]) if (call.deadlineMs <= nowMs) call.look(nowMs)
    if (!this.cancelled) super.look(nowMs)
  }

  /** One more call waits for it. */
  join(call: Exchange): void {
    if (this.#calls.size > 0 || this.latest !== undefined) {
      joined.add(call)
      // What was waited for before this request is told by its attempts; the next one of the call is another.
      call.waited = null
    }
    const attempts: AttemptRecord[] = []
    for (let attempt = this.latest; attempt !== undefined; attempt = attempt.previous) attempts.unshift(attempt)
    for (const attempt of attempts) call.trail(new SharedAttempt(call, attempt))
    this.#calls.add(call)
    call.limit()
  }

  /** The call has what it wanted, or waits no longer. */
  leave(call: Exchange): void {
    this.#calls.delete(call)
    this.#isAborted = call.aborted
    if (call.cancelled && call.latest instanceof SharedAttempt) call.latest.leave(call.reason)
  }

  /** What a call has of it when it is answered. */
  tell(call: Exchange): void {
    const { request, retries, notRepeated, route, terms } = this
    Object.assign(call, { request, retries, notRepeated, route })
    if (terms.replayed === true) call.terms = { ...call.terms, replayed: true }
  }

  /** Nobody is told anything more. */
  disband(): void {
    this.#calls.clear()
  }
}

/** An attempt of a flight as one of its calls remembers it; its limits are the flight's. */
class SharedAttempt extends Cancellation implements AttemptRecord {
  readonly previous: AttemptRecord | undefined
  readonly startMs: number
  readonly underWay = false
  readonly #call: Exchange
  readonly #attempt: AttemptRecord
  #left: { readonly error: string; readonly durationMs: number } | undefined

  constructor(call: Exchange, attempt: AttemptRecord) {
    super()
    this.#call = call
    this.#attempt = attempt
    this.startMs = attempt.startMs
    this.previous = call.latest
  }

  get durationMs(): number {
    return this.#left?.durationMs ?? this.#attempt.durationMs
  }

  /** The call ended before the attempt did. */
  leave(reason: unknown): void {
    if (!this.#attempt.underWay) return
    this.#left = { error: traceCode(reason), durationMs: this.#call.options.clock.now() - this.startMs }
  }

  /** A flight has no content. */
  forgetContent(): void {}

  trace(): AttemptTrace {
    return { ...this.#attempt.trace(), startMs: this.startMs - this.#call.startMs, ...this.#left }
  }
}
