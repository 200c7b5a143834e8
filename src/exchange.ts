import { isFetchFailure } from './errors/failures.ts'
import { redactUrl } from './errors/redact.ts'
import type { Limits } from './limits.ts'
import { Timed } from './timed.ts'
import type { Watcher } from './types/body.ts'
import type {
  Asked,
  AttemptRecord,
  ByteStream,
  CallFacts,
  Content,
  HopRequest,
  Outcome,
  Redirects,
  Route,
} from './types/exchange.ts'
import type { RefusalReason, WaitReason } from './types/trace.ts'

const none: Redirects = { hops: [], crossedOrigins: false }

/**
 * One call, from fetch to the last byte: its request, its options and what happened so far. It keeps its time limits,
 * and watches over the body that is delivered in the end.
 */
export class Exchange extends Timed implements Watcher {
  /** The content of a Request, until it is read ahead. */
  requestStream: ByteStream | null
  /** The content of the call, whatever its current hop sends. */
  content: Content | null
  /** The request of the current hop; a redirect replaces it, and so does the choice of an endpoint. */
  request: HopRequest
  redirects: Redirects = none
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
  /** Tokens that the latest retry took from the retry budget. */
  spentTokens = 0
  /** Which of several endpoints it has been to; undefined without any. */
  route: Route | undefined

  constructor(asked: Asked, limits: Limits) {
    super(asked, limits)
    const { request } = asked
    this.request = request
    this.content = request.content
    this.requestStream = asked.requestStream
  }

  /** Most bytes a body may become by decoding; a stream is bound only by a limit that the call itself set. */
  get maxDecodedBytes(): number | false {
    const { maxDecodedBytes } = this.options
    return this.streams && !this.terms.ownMaxDecoded && maxDecodedBytes !== false ? Infinity : maxDecodedBytes
  }

  /** The call that this is a way of. */
  get root(): Exchange {
    return this
  }

  /** Whether it is a second way of a call to be tried. */
  get isHedge(): boolean {
    return false
  }

  facts(): CallFacts {
    const { method, href } = this.request
    let attempts = 0
    for (let attempt = this.latest; attempt !== undefined; attempt = attempt.previous) attempts += 1
    return {
      request: { method, url: redactUrl(href, this.options.redact) },
      attempts,
      elapsedMs: Math.round(this.options.clock.now() - this.startMs),
      exchange: this,
    }
  }

  /** Notes an attempt and starts its limit; gives the one before it. */
  begin(attempt: AttemptRecord): AttemptRecord | undefined {
    const previous = this.trail(attempt)
    this.add(attempt)
    this.limit()
    return previous
  }

  /** Notes an attempt as the latest; gives the one before it. */
  trail(attempt: AttemptRecord): AttemptRecord | undefined {
    const previous = this.latest
    this.latest = attempt
    return previous
  }

  /** Notes that the next attempt was waited for; of several waits the longest gives the reason. */
  noteWait(ms: number, reason: WaitReason): void {
    const longest = this.waited !== null && this.waited.ms > ms ? this.waited.reason : reason
    this.waited = { ms: ms + (this.waited?.ms ?? 0), reason: longest }
  }

  /** The call is returned or thrown now. */
  delivered(): void {
    this.totalMs = this.options.clock.now() - this.startMs
  }

  /** The caller takes the body as a stream: only limits that the call itself set go on. */
  streaming(): void {
    this.streams = true
    this.limit()
  }

  /** An error as the caller is to see it: fetch has one class for all, and the cause is that of the system. */
  shown(error: unknown): unknown {
    if (this.options.errors !== 'fetch' || !isFetchFailure(error)) return error
    return new TypeError('fetch failed', { cause: error.cause ?? error })
  }

  /** A function of the caller threw, such as its clock: the call ends with that, and leaves no response open. */
  breakOff(error: unknown): void {
    this.cancel(error)
    this.ended(error)
  }

  /** The call is over, its body included: nothing that could end it is left behind. */
  ended(reason?: unknown): void {
    this.rest()
    this.unfollow()
    if (this.content !== null) this.#forgetContent(reason)
  }

  /** A response or an error that is kept is not to keep what was sent. */
  #forgetContent(reason: unknown): void {
    this.content?.discard(reason)
    this.content = null
    const { content } = this.request
    if (content !== null) this.request = { ...this.request, content: null, forgotten: content.type }
    for (let attempt = this.latest; attempt !== undefined; attempt = attempt.previous) attempt.forgetContent()
  }
}
