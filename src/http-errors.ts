import type { HttpError } from './errors/http-error.ts'
import type { Exchange } from './exchange.ts'
import { ErrorContent } from './http/excerpt.ts'
import { retryAfterMs } from './http/retry-after.ts'
import { errorClass, statusRow } from './status/table.ts'
import type { Bytes } from './types/body.ts'
import type { Received } from './types/exchange.ts'

/** The typed error of a response whose policy is to fail, with the start of its content. */
export function toHttpError(received: Received, excerpt: Bytes, exchange: Exchange): HttpError {
  const { status } = received
  const { phrase, repeat } = statusRow(status)
  const unnamed = phrase === '' || phrase.startsWith('(')
  const { notRepeated, options } = exchange
  return new (errorClass(status))({
    status,
    statusText: unnamed ? received.statusText : phrase,
    received,
    retryAfterMs: retryAfterMs(received, options.clock.wallTime),
    retryable: repeat !== 'never',
    content: new ErrorContent(excerpt, received.field('content-type')),
    notRepeated: notRepeated === 'attempts spent' ? null : notRepeated,
    facts: exchange.facts(),
  })
}
