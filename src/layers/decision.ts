import type { Exchange } from '../exchange.ts'
import { askPolicy } from '../policy/ask.ts'
import type { Handler, Outcome } from '../types/exchange.ts'

/**
 * Asks the policy functions of the caller. They may take their time, and call the same origin: what an attempt holds,
 * such as its place among the requests that may be under way, must have been given back.
 */
export function decisionLayer(next: Handler): Handler {
  return (exchange) => (exchange.options.asksFunctions ? decided(exchange, next) : next(exchange))
}

async function decided(exchange: Exchange, next: Handler): Promise<Outcome> {
  return askPolicy(exchange, await next(exchange))
}
