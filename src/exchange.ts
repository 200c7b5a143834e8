import { Cancellation } from './cancellation.ts'
import { isFetchFailure, type TimeLimit, TimeoutError } from './errors/failures.ts'
import { redactUrl } from './errors/redact.ts'
import type { Limited, Limits } from './limits.ts'
import type { Watcher } from './types/body.ts'
import type { AttemptRecord, ByteStream, CallFacts, Content, HopRequest, Outcome } from './types/exchange.ts'
import type { ResolvedOptions } from './types/options.ts'
import type { RedirectTrace, RefusalReason, WaitReason } from './types/trace.ts'

/** What a call asks for, read and checked. */
export interface Asked {
  readonly options: ResolvedOptions
  readonly request: HopRequest
  readonly requestStream: ByteStream | null
  readonly redirectMode: 'follow' | 'manual' | 'error'
  /** What the content must be, in the words of Subresource Integrity §3.5; empty when nothing is asked. */
  readonly integrity: string
  /** Whether this call, not the client, set `timeoutMs`. */
  readonly ownTimeout: boolean
  /** Whether this call, not the client, set `maxDecodedBytes`. */
  readonly ownMaxDecoded: boolean
}

const none: readonly never[] = []

/**
 * One call, from fetch to the last byte: its request, its options and what happened so far. It keeps its time limits,
 * and watches over the body that is delivered in the end.
 */
export class Exchange extends Cancellation implements Limited, Watcher {
  readonly options: ResolvedOptions
  readonly redirectMode: Asked['redirectMode']
  readonly integrity: string
  /** Monotonic milliseconds at the start of the call. */
  readonly startMs: number
  readonly #limits: Limits
  readonly #ownTimeout: boolean
  readonly #ownMaxDecoded: boolean
  #streaming = false
  #over = false
  #idleDueMs: number | undefined
  dueMs: number = Infinity
  place: number = -1
  /** The content of a Request, until it is read ahead. */
  requestStream: ByteStream | null
  /** The content of the call, whatever its current hop sends. */
  content: Content | null
  /** The request of the current hop; a redirect replaces it. */
  request: HopRequest
  /** The latest attempt, which knows the one before it. */
  latest: AttemptRecord | undefined
  redirects: readonly RedirectTrace[] = none
  /** Whether a redirect led to another origin. */
  crossedOrigins = false
  /** Attempts after the first of a hop; counted over the whole call. */
  retries = 0
  /** The wait to be noted on the next attempt. */
  waited: { readonly ms: number; readonly reason: WaitReason } | null = null
  notRepeated: RefusalReason | null = null
  /** How often the gate of the origin had been closed when the latest attempt passed it; null once it knows its outcome. */
  sentAtClosing: number | null = null
  /** Milliseconds from the start of the call until it was returned or thrown. */
  totalMs = 0
  /** An outcome that the repairing layers have not seen yet. */
  unseen: Outcome | null = null

  constructor(asked: Asked, limits: Limits) {
    super()
    const { options, request } = asked
    this.options = options
    this.request = request
    this.content = request.content
    this.requestStream = asked.requestStream
    this.redirectMode = asked.redirectMode
    this.integrity = asked.integrity
    this.#ownTimeout = asked.ownTimeout
    this.#ownMaxDecoded = asked.ownMaxDecoded
    this.#limits = limits
    this.startMs = options.clock.now()
  }

  /** Monotonic milliseconds at which the call ends; Infinity without a limit. */
  get deadlineMs(): number {
    const { timeoutMs } = this.options
    return timeoutMs === false || (this.#streaming && !this.#ownTimeout) ? Infinity : this.startMs + timeoutMs
  }

  /** Most bytes a body may become by decoding; a stream is bound only by a limit that the call itself set. */
  get maxDecodedBytes(): number | false {
    const { maxDecodedBytes } = this.options
    return this.#streaming && !this.#ownMaxDecoded && maxDecodedBytes !== false ? Infinity : maxDecodedBytes
  }

  /** The method, the target and the numbers so far, for an error. */
  facts(): CallFacts {
    const { method, href } = this.request
    return {
      request: { method, url: redactUrl(href) },
      attempts: this.#attempts(),
      elapsedMs: Math.round(this.options.clock.now() - this.startMs),
      exchange: this,
    }
  }

  /** Notes an attempt and starts its limit. */
  begin(attempt: AttemptRecord): void {
    this.latest = attempt
    this.add(attempt)
    this.limit()
  }

  /** Enters the limits that apply now; what is over time later only is not entered again. */
  limit(): void {
    if (this.#over) return
    this.dueMs = Math.min(this.deadlineMs, this.#attemptDueMs, this.#idleDueMs ?? Infinity)
    if (this.dueMs < Infinity) this.#limits.enter(this)
  }

  /** The call is returned or thrown now. */
  delivered(): void {
    this.totalMs = this.options.clock.now() - this.startMs
  }

  /** The caller takes the body as a stream: only limits that the call itself set go on. */
  streaming(): void {
    this.#streaming = true
    this.limit()
  }

  /** An error as the caller is to see it: fetch has one class for all, and the cause is that of the system. */
  shown(error: unknown): unknown {
    if (this.options.errors !== 'fetch' || !isFetchFailure(error)) return error
    return new TypeError('fetch failed', { cause: error.cause ?? error })
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

  /** The call is over, its body included: nothing that could end it is left behind. */
  ended(reason?: unknown): void {
    this.#over = true
    this.#limits.leave(this)
    this.unfollow()
    if (this.content !== null) this.#forgetContent(reason)
  }

  look(nowMs: number): void {
    if (this.deadlineMs <= nowMs) this.#expire('call', this, this.options.timeoutMs)
    else if (this.latest !== undefined && this.#attemptDueMs <= nowMs) {
      this.#expire('attempt', this.latest, this.options.attemptTimeoutMs)
      this.limit()
    } else if (this.#idleDueMs !== undefined && this.#idleDueMs <= nowMs) this.#expire('idle', this, this.options.idleTimeoutMs)
    else this.limit()
  }

  /** A response or an error that is kept is not to keep what was sent. */
  #forgetContent(reason: unknown): void {
    this.content?.discard(reason)
    this.content = null
    this.request = { ...this.request, content: null }
    for (let attempt = this.latest; attempt !== undefined; attempt = attempt.previous) attempt.forgetContent()
  }

  get #attemptDueMs(): number {
    const { attemptTimeoutMs } = this.options
    if (attemptTimeoutMs === false || this.latest?.underWay !== true) return Infinity
    return this.latest.startMs + attemptTimeoutMs
  }

  #attempts(): number {
    let count = 0
    for (let attempt = this.latest; attempt !== undefined; attempt = attempt.previous) count += 1
    return count
  }

  #expire(limit: TimeLimit, whom: Cancellation, limitMs: number | false): void {
    whom.cancel(new TimeoutError(limit, limitMs as number, this.facts()))
  }
}
