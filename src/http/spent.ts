import type { Exchange } from '../exchange.ts'
import type { Outcome } from '../types/exchange.ts'
import { readExcerpt } from './excerpt.ts'
import { revived } from './received.ts'

/** Frees the connection of a response that may not be delivered; its status and the start of its content are kept. */
export async function spent(exchange: Exchange, outcome: Outcome): Promise<Outcome> {
  if (outcome.kind !== 'response') return outcome
  const excerpt = await readExcerpt(outcome.received.body, exchange.options.clock, exchange.deadlineMs)
  outcome.received.release(undefined)
  return { ...outcome, received: revived(outcome.received, excerpt) }
}
