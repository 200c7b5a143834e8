import type { CallFacts } from '../types/exchange.ts'
import type { SchemaIssue } from '../types/schema.ts'
import { codeOf, FetchFailure } from './fetch-failure.ts'
import { mark } from './steadfetch-error.ts'

/** What was wrong with content. */
export type BodyFailure = 'decode' | 'too large' | 'integrity' | 'source' | 'json' | 'schema'

/** What a {@link BodyError} tells beside its message. */
interface BodyDetails {
  readonly position?: number
  readonly excerpt?: string
  readonly issues?: readonly SchemaIssue[]
}

/** Content that could not be read: a wrong content coding, what is no JSON, the caller's own stream that failed. */
export class BodyError extends FetchFailure {
  static {
    mark(this.prototype, 'body')
  }

  readonly kind: BodyFailure
  readonly #details: BodyDetails

  /** @internal */
  constructor(kind: BodyFailure, summary: string, facts: CallFacts, cause?: unknown, details: BodyDetails = {}) {
    super({ code: codeOf('BODY', kind), summary, retryable: false, facts, cause: cause ?? new Error(summary) })
    this.kind = kind
    this.#details = details
  }

  /** Where content of kind `'json'` stops to be JSON, in characters. */
  get position(): number | undefined {
    return this.#details.position
  }

  /** The content around that, at most 60 characters; as content may be secret, neither inspect nor JSON shows it. */
  get excerpt(): string | undefined {
    return this.#details.excerpt
  }

  /** What the schema found wrong with content of kind `'schema'`; not shown either. */
  get issues(): readonly SchemaIssue[] | undefined {
    return this.#details.issues
  }
}
