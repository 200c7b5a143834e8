import type { HttpErrorDetails } from './errors/http-error.ts'
import { redactText } from './errors/redact-text.ts'
import type { Exchange } from './exchange.ts'
import { ErrorContent } from './http/excerpt.ts'
import { retryAfterMs } from './http/retry-after.ts'
import { statusRow } from './status/table.ts'
import type { Bytes } from './types/body.ts'
import type { Received } from './types/exchange.ts'
import type { Validated } from './validated.ts'

/** What the typed error of a response is made of, which has failed by its policy. */
export function errorDetails(received: Received, excerpt: Bytes, exchange: Exchange, validated?: Validated): HttpErrorDetails {
  const { status } = received
  const { phrase, repeat } = statusRow(status)
  const unnamed = phrase === '' || phrase.startsWith('(')
  const { notRepeated, options } = exchange
  return {
    status,
    statusText: unnamed ? redactText(received.statusText, options.redact) : phrase,
    received,
    retryAfterMs: retryAfterMs(received, options.clock.wallTime),
    retryable: repeat !== 'never',
    content: new ErrorContent(excerpt, received.field('content-type')),
    notRepeated: notRepeated === 'attempts spent' ? null : notRepeated,
    validated,
    facts: exchange.facts(),
  }
}
