import type { HttpError } from './errors/http-error.ts'
import type { Exchange } from './exchange.ts'
import { decodeUtf8 } from './http/collect.ts'
import { parseProblem, readExcerpt } from './http/excerpt.ts'
import { retryAfterMs } from './http/retry-after.ts'
import { errorClass, statusRow } from './status/table.ts'
import type { Received } from './types/exchange.ts'

/** The typed error of a response whose policy is to fail; its connection is free afterwards. */
export async function toHttpError(received: Received, exchange: Exchange): Promise<HttpError> {
  const { clock } = exchange.options
  const { status } = received
  const body = decodeUtf8([await readExcerpt(received.body, clock)])
  const { phrase, repeat } = statusRow(status)
  const unnamed = phrase === '' || phrase.startsWith('(')
  const { notRepeated } = exchange
  return new (errorClass(status))({
    status,
    statusText: unnamed ? received.statusText : phrase,
    received,
    retryAfterMs: retryAfterMs(received, clock.wallTime),
    retryable: repeat !== 'never',
    problem: parseProblem(received.field('content-type'), body),
    body,
    notRepeated: notRepeated === 'attempts spent' ? null : notRepeated,
    facts: exchange.facts(),
  })
}
