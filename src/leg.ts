import { Branch } from './branch.ts'
import type { Exchange } from './exchange.ts'
import type { CallFacts, HopRequest } from './types/exchange.ts'

/**
 * A part of a call that goes on after its response was delivered: a request of its own, with its own attempts and its own
 * limit for a silent body. What it sends stands in the trace of the call.
 */
export class Leg extends Branch {
  readonly #download: Exchange

  constructor(download: Exchange, request: HopRequest) {
    super(download, false)
    this.#download = download
    this.request = request
    this.redirects = download.redirects
    this.retries = 0
    this.terms = { ...download.terms, replayed: false }
    this.spentTokens = 0
  }

  /** That of the call, which has none for a body that is taken as a stream. */
  override get deadlineMs(): number {
    return this.#download.deadlineMs
  }

  override facts(): CallFacts {
    return this.#download.facts()
  }

  /** What the reader sees is decided once, at the end of the download. */
  override shown(error: unknown): unknown {
    return error
  }
}
