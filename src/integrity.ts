import { BodyError } from './errors/body-error.ts'
import type { Exchange } from './exchange.ts'
import { collect, joined } from './http/collect.ts'
import { matchesIntegrity, parseIntegrity } from './http/integrity.ts'
import { revived } from './http/received.ts'
import type { Received } from './types/exchange.ts'

/**
 * The response with its content read and found to be what the call asked for (Fetch standard §4.1, Subresource
 * Integrity §3.3): nobody sees a byte before.
 *
 * @throws BodyError of kind `'integrity'` when it is not.
 */
export async function verified(exchange: Exchange, received: Received): Promise<Received> {
  received.watch(exchange)
  const { body } = received
  if (body === null) throw refusal(exchange, 'there is no content whose integrity could be checked')
  const bytes = joined(await collect(body, exchange))
  const integrity = parseIntegrity(exchange.terms.integrity)
  if (integrity !== undefined && !matchesIntegrity(bytes, integrity)) {
    throw refusal(exchange, 'the content is not what integrity demands')
  }
  return revived(received, bytes)
}

function refusal(exchange: Exchange, summary: string): unknown {
  return exchange.shown(new BodyError('integrity', summary, exchange.facts()))
}
