import { Exchange } from './exchange.ts'
import type { AttemptRecord } from './types/exchange.ts'

/** One of several ways a call is tried at the same time; what it sends stands in the trace of the call. */
export class Branch extends Exchange {
  readonly #call: Exchange
  readonly #isHedge: boolean

  constructor(call: Exchange, isHedge: boolean) {
    super(call, call.limits)
    this.#call = call
    this.#isHedge = isHedge
    this.streams = call.streams
    this.redirects = call.redirects
    this.retries = call.retries
    this.waited = isHedge ? null : call.waited
    this.spentTokens = call.spentTokens
    this.route = call.route
    call.add(this)
  }

  override get root(): Exchange {
    return this.#call.root
  }

  override get isHedge(): boolean {
    return this.#isHedge
  }

  override get aborted(): boolean {
    return this.#call.aborted
  }

  override get deadlineMs(): number {
    return this.#call.deadlineMs
  }

  override get maxDecodedBytes(): number | false {
    return this.#call.maxDecodedBytes
  }

  override trail(attempt: AttemptRecord): AttemptRecord | undefined {
    super.trail(attempt)
    return this.#call.trail(attempt)
  }

  /** The call ends by its own limits, and takes this along. */
  override look(nowMs: number): void {
    if (this.#call.deadlineMs <= nowMs) this.#call.look(nowMs)
    if (!this.cancelled) super.look(nowMs)
  }

  /** It is not wanted any more: what it sent is cancelled. */
  drop(reason: unknown): void {
    this.rest()
    this.#call.remove(this)
    this.cancel(reason)
    this.#forgetContent()
  }

  /** What came of it is what came of the call, whose limits go on. */
  prevail(): void {
    this.rest()
    const { request, sentAtClosing, spentTokens, route } = this
    Object.assign(this.#call, { request, sentAtClosing, spentTokens, route, waited: null })
    this.#call.limit()
    this.#forgetContent()
  }

  /** The trace keeps it, and is not to keep what was sent; the content is that of the call, which discards it. */
  #forgetContent(): void {
    this.content = null
    this.request = { ...this.request, content: null }
  }
}
