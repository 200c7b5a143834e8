import type { RequestFacts } from '../types/trace.ts'
import { causeOf, type ErrorDetails, messageOf, type SteadfetchErrorLike } from './steadfetch-error.ts'

/** The code of an error of this branch and kind. */
export function codeOf(branch: string, kind: string): `ERR_STEADFETCH_${string}` {
  return `ERR_STEADFETCH_${branch}_${kind.toUpperCase().replaceAll(' ', '_')}`
}

/** A failure that is also a TypeError, as the failures of fetch are (Fetch standard, "network error"). */
export abstract class FetchFailure extends TypeError implements SteadfetchErrorLike {
  readonly code: string
  readonly retryable: boolean
  readonly request: RequestFacts
  readonly attempts: number
  readonly elapsedMs: number
  readonly #details: ErrorDetails

  constructor(details: ErrorDetails) {
    super(messageOf(details), causeOf(details))
    const { code, retryable, facts } = details
    this.code = code
    this.retryable = retryable
    this.request = facts.request
    this.attempts = facts.attempts
    this.elapsedMs = facts.elapsedMs
    this.#details = details
  }

  /** @internal */
  static detailsOf(error: object): ErrorDetails | undefined {
    return #details in error ? error.#details : undefined
  }
}
