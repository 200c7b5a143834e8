import { type Cancellable, Cancellation } from './cancellation.ts'
import { TimeoutError } from './errors/failures.ts'
import { redactUrl } from './errors/redact.ts'
import { Limits, type WatchedLimit } from './limits.ts'
import type { Watcher } from './types/body.ts'
import type { AttemptRecord, ByteStream, CallFacts, Content, HopRequest, Outcome } from './types/exchange.ts'
import type { ResolvedOptions } from './types/options.ts'
import type { RedirectTrace, RefusalReason, WaitReason } from './types/trace.ts'

/** What a call asks for, read and checked. */
export interface Asked {
  readonly options: ResolvedOptions
  readonly request: HopRequest
  /** The content of a Request, not read yet. */
  readonly requestStream: ByteStream | null
  readonly redirectMode: 'follow' | 'manual' | 'error'
  /** Whether this call, not the client, set `timeoutMs`. */
  readonly ownTimeout: boolean
  /** Whether this call, not the client, set `maxDecodedBytes`. */
  readonly ownMaxDecoded: boolean
}

const none: readonly never[] = []

/**
 * One call, from fetch to the last byte: its request, its options and what happened so far. It keeps the time limits,
 * and watches over the body that is delivered in the end.
 */
export class Exchange implements Watcher {
  readonly options: ResolvedOptions
  /** The content of a Request, until it is read ahead. */
  requestStream: ByteStream | null
  readonly redirectMode: Asked['redirectMode']
  readonly cancellation: Cancellation = new Cancellation()
  /** Monotonic milliseconds at the start of the call. */
  readonly startMs: number
  readonly #asked: Asked
  #streaming = false
  readonly #limits: Limits
  #attempt: Cancellable | undefined
  /** The content of the call, whatever its current hop sends. */
  content: Content | null
  /** The request of the current hop; a redirect replaces it. */
  request: HopRequest
  attempts: readonly AttemptRecord[] = none
  redirects: readonly RedirectTrace[] = none
  /** Attempts after the first of a hop; counted over the whole call. */
  retries = 0
  /** The wait to be noted on the next attempt. */
  waited: { readonly ms: number; readonly reason: WaitReason } | null = null
  notRepeated: RefusalReason | null = null
  /** How often the gate of the origin had been closed when the latest attempt passed it; null once it knows what came of it. */
  sentAtClosing: number | null = null
  /** Milliseconds from the start of the call until it was returned or thrown. */
  totalMs = 0
  /** An outcome that the repairing layers have not seen yet. */
  unseen: Outcome | null = null

  constructor(asked: Asked) {
    const { options, request, requestStream, redirectMode } = asked
    this.#asked = asked
    this.options = options
    this.request = request
    this.content = request.content
    this.requestStream = requestStream
    this.redirectMode = redirectMode
    this.startMs = options.clock.now()
    this.#limits = new Limits(options.clock, (limit) => this.#expire(limit))
  }

  /** Monotonic milliseconds at which the call ends; Infinity without a limit. */
  get deadlineMs(): number {
    const { timeoutMs } = this.options
    return timeoutMs === false ? Infinity : this.startMs + timeoutMs
  }

  /** Most bytes a body may become by decoding; a stream is bound only by a limit that the call itself set. */
  get maxDecodedBytes(): number | false {
    return this.#streaming && !this.#asked.ownMaxDecoded ? Infinity : this.options.maxDecodedBytes
  }

  /** The method, the target and the numbers so far, for an error. */
  facts(): CallFacts {
    const { method, target } = this.request
    return {
      request: { method, url: redactUrl(target.href) },
      attempts: this.attempts.length,
      elapsedMs: Math.round(this.options.clock.now() - this.startMs),
    }
  }

  /** Starts the limit of the whole call; again is no harm. */
  limitCall(): void {
    this.#limits.set('call', this.deadlineMs)
  }

  /** Notes an attempt and starts its limit. */
  begin(attempt: Cancellable & AttemptRecord, nowMs: number): void {
    const { attemptTimeoutMs } = this.options
    this.attempts = this.attempts === none ? [attempt] : [...this.attempts, attempt]
    this.#attempt = attempt
    this.cancellation.add(attempt)
    // The shorter limit first: the other then needs no timer of its own.
    if (attemptTimeoutMs !== false) this.#limits.set('attempt', nowMs + attemptTimeoutMs)
    this.limitCall()
  }

  /** The call is returned or thrown now. */
  delivered(): void {
    this.totalMs = this.options.clock.now() - this.startMs
  }

  /** The attempt has its outcome; a body may still be on its way. */
  settled(): void {
    this.#limits.set('attempt', Infinity)
    this.#attempt = undefined
  }

  /** The caller takes the body as a stream: only a limit that the call itself set goes on. */
  streaming(): void {
    this.#streaming = true
    if (!this.#asked.ownTimeout) this.#limits.set('call', Infinity)
  }

  flowing(): void {
    const { clock, idleTimeoutMs } = this.options
    if (idleTimeoutMs !== false) this.#limits.set('idle', clock.now() + idleTimeoutMs)
  }

  resting(): void {
    this.#limits.set('idle', Infinity)
  }

  /** The call is over, its body included: nothing that could end it is left behind. */
  ended(reason?: unknown): void {
    this.#limits.stop()
    this.cancellation.unfollow()
    this.content?.discard(reason)
  }

  #expire(limit: WatchedLimit): void {
    const { timeoutMs, attemptTimeoutMs, idleTimeoutMs } = this.options
    const limitMs = { call: timeoutMs, attempt: attemptTimeoutMs, idle: idleTimeoutMs }[limit] as number
    const error = new TimeoutError(limit, limitMs, this.facts())
    if (limit === 'attempt') this.#attempt?.cancel(error)
    else this.cancellation.cancel(error)
  }
}
