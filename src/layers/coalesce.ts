import type { Exchange } from '../exchange.ts'
import { isSafe } from '../http/methods.ts'
import { askPolicy } from '../policy/ask.ts'
import { Flights, isJoinable } from '../policy/flights.ts'
import type { Keyring } from '../policy/keyring.ts'
import type { Origins } from '../policy/origins.ts'
import { changedBy, serviceOf } from '../policy/service.ts'
import { type Arrival, Sharing } from '../policy/sharing.ts'
import type { CoalesceConfig } from '../types/coalesce.ts'
import type { Handler, Layer, Outcome } from '../types/exchange.ts'

/** Sends identical GET and HEAD requests that are under way at the same time once, and answers all with what comes of it. */
export function coalesceLayer(origins: Origins, config: CoalesceConfig, keyring: Keyring | undefined): Layer {
  return (next) => (exchange) => {
    const { request, options, cancelled } = exchange
    const flights = origins.of(serviceOf(request, options)).part(config, Flights<Sharing>)
    if (!isSafe(request.method)) return changing(exchange, flights, next)
    if (cancelled || !isJoinable(exchange)) return next(exchange)
    const key = flights.keyOf(exchange, keyring?.sources(exchange) ?? [])
    if (flights.isApart(key, options.clock.now())) return next(exchange)
    const known = flights.get(key)
    if (known?.admits === true) return answered(exchange, known, known.board(exchange), next)
    const sharing = new Sharing(exchange, key, flights, config.maxBytes, next)
    const arrival = sharing.board(exchange)
    sharing.start()
    return answered(exchange, sharing, arrival, next)
  }
}

/** After a change nobody joins what was asked before it. */
async function changing(exchange: Exchange, flights: Flights<Sharing>, next: Handler): Promise<Outcome> {
  const { request, options } = exchange
  let outcome: Outcome | undefined
  try {
    outcome = await next(exchange)
    return outcome
  } finally {
    flights.outdate(changedBy(request, outcome?.kind === 'response' ? outcome.received : undefined, options))
  }
}

/** What a call comes to; its policies are its own, and its functions run in its own context. */
async function answered(call: Exchange, sharing: Sharing, arrival: Promise<Arrival>, next: Handler): Promise<Outcome> {
  const outcome = await arrival
  if (outcome === 'alone') return next(call)
  return call === sharing.first ? outcome : askPolicy(call, outcome)
}
