import type { HttpError } from './errors/http-error.ts'
import { parseProblem, readExcerpt } from './http/excerpt.ts'
import { retryAfterMs } from './http/retry-after.ts'
import { errorClass, statusRow } from './status/table.ts'
import type { Exchange } from './types/exchange.ts'

/** The typed error of a response whose policy is to fail; its connection is free afterwards. */
export async function toHttpError(response: Response, exchange: Exchange): Promise<HttpError> {
  const { clock } = exchange.options
  const { status, headers } = response
  const body = new TextDecoder().decode(await readExcerpt(response, clock))
  const { phrase, repeat } = statusRow(status)
  const unnamed = phrase === '' || phrase.startsWith('(')
  const { notRepeated } = exchange
  return new (errorClass(status))({
    status,
    statusText: unnamed ? response.statusText : phrase,
    headers,
    retryAfterMs: retryAfterMs(headers, clock.wallTime),
    retryable: repeat !== 'never',
    problem: parseProblem(headers.get('content-type'), body),
    body,
    notRepeated: notRepeated === 'attempts spent' ? null : notRepeated,
    facts: exchange.facts(),
  })
}
