import type { CallFacts } from '../types/exchange.ts'
import type { SchemaIssue } from '../types/schema.ts'
import { codeOf, FetchFailure } from './fetch-failure.ts'
import { mark } from './steadfetch-error.ts'

/** What was wrong with content. */
export type BodyFailure = 'decode' | 'too large' | 'integrity' | 'source' | 'json' | 'schema' | 'changed'

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

  /** @internal */
  constructor(kind: BodyFailure, summary: string, facts: CallFacts, cause?: unknown, details: BodyDetails = {}) {
    super({ code: codeOf('BODY', kind), summary, retryable: false, facts, cause: cause ?? new Error(summary), more: details })
    this.kind = kind
  }

  /** Where content of kind `'json'` stops to be JSON, in characters. */
  get position(): number | undefined {
    return moreOf(this).position
  }

  /** The content around that, at most 60 characters; as content may be secret, neither inspect nor JSON shows it. */
  get excerpt(): string | undefined {
    return moreOf(this).excerpt
  }

  /** What the schema found wrong with content of kind `'schema'`; not shown either. */
  get issues(): readonly SchemaIssue[] | undefined {
    return moreOf(this).issues
  }
}

/** It is with what every error knows of itself, so that another call can tell of the same failure. */
function moreOf(error: BodyError): BodyDetails {
  return (FetchFailure.detailsOf(error)?.more ?? {}) as BodyDetails
}
