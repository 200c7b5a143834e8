import { RefusedError } from './errors/failures.ts'
import type { Exchange } from './exchange.ts'
import { readExcerpt } from './http/excerpt.ts'
import { isLookedAt, limited } from './http/limited.ts'
import { errorDetails } from './http-errors.ts'
import { verified } from './integrity.ts'
import { failureKey } from './policy/classify.ts'
import { errorClass } from './status/table.ts'
import { tellEnd, traced } from './traces.ts'
import type { Bytes } from './types/body.ts'
import type { Outcome, Received } from './types/exchange.ts'
import { validated } from './validated.ts'

/** The only place where an outcome becomes a return or a throw. */
export function conclude(exchange: Exchange, outcome: Outcome): Response | Promise<Response> {
  if (outcome.kind === 'substitute') return traced(outcome.response, exchange)
  if (outcome.kind === 'failure') throw over(exchange, exchange.shown(outcome.error))
  const { received, policy, failure = errorClass(received.status) } = outcome
  const { errors, clock } = exchange.options
  if (policy.kind === 'accept' || policy.kind === 'follow' || policy.kind === 'poll' || errors !== 'throw') {
    return exchange.terms.integrity === '' ? deliver(exchange, received) : deliverVerified(exchange, received)
  }
  const excerpt = readExcerpt(received.body, clock)
  if (excerpt instanceof Promise || exchange.options.schema !== undefined) return throwLater(exchange, received, failure, excerpt)
  // A policy function may have taken the body, and left it.
  received.release(undefined)
  // Made here, not in a function of its own: its stack is to begin with the caller.
  throw over(exchange, new failure(errorDetails(received, excerpt, exchange)))
}

async function throwLater(
  exchange: Exchange,
  received: Received,
  failure: ReturnType<typeof errorClass>,
  excerpt: Bytes | Promise<Bytes>,
): Promise<never> {
  const content = await excerpt
  received.release(undefined)
  // The caller's own reason is thrown unchanged; of our limits the status tells more.
  if (exchange.cancelled && failureKey(exchange.reason) === undefined) throw over(exchange, exchange.reason)
  const fitting = exchange.options.schema && (await validated(exchange, received, content))
  throw over(exchange, new failure(errorDetails(received, content, exchange, fitting)))
}

async function deliverVerified(exchange: Exchange, received: Received): Promise<Response> {
  try {
    return deliver(exchange, await verified(exchange, received))
  } catch (error) {
    throw over(exchange, error)
  }
}

/** The error that ends the call; nothing of the call is left behind. */
export function over(exchange: Exchange, error: unknown): unknown {
  exchange.ended(error)
  return traced(error, exchange)
}

/** The error of a call of a client that was closed. */
export function closedError(exchange: Exchange): unknown {
  return over(exchange, new RefusedError('closed', 'the client is closed', exchange.facts()))
}

/** Hands the response out; the exchange watches over its body to the last byte. */
export function deliver(exchange: Exchange, given: Received): Response {
  const received = isLookedAt(exchange) ? held(exchange, given) : given
  exchange.delivered()
  received.redirected = exchange.redirects.hops.length > 0
  received.crossedOrigins = exchange.redirects.crossedOrigins
  received.watch(exchange)
  const { response } = received
  tellEnd(exchange, response)
  return response
}

function held(exchange: Exchange, received: Received): Received {
  try {
    return limited(exchange, received)
  } catch (error) {
    throw over(exchange, error)
  }
}
