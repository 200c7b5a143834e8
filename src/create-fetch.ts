import { RefusedError } from './errors/failures.ts'
import type { Exchange } from './exchange.ts'
import { readExcerpt } from './http/excerpt.ts'
import { errorDetails } from './http-errors.ts'
import { verified } from './integrity.ts'
import { attemptHandler, decisionLayer } from './layers/attempt.ts'
import { breakerControl, breakerLayer } from './layers/breaker.ts'
import { budgetLayer } from './layers/budget.ts'
import { concurrencyLayer } from './layers/concurrency.ts'
import { deadlineLayer } from './layers/deadline.ts'
import { endpointsLayer, routeLayer } from './layers/endpoints.ts'
import { fallbackLayer } from './layers/fallback.ts'
import { hedgeLayer } from './layers/hedge.ts'
import { gateLayer, pauseLayer } from './layers/pause.ts'
import { rateLimitLayer } from './layers/rate-limit.ts'
import { readAheadLayer } from './layers/read-ahead.ts'
import { redirectLayer } from './layers/redirect.ts'
import { retryLayer } from './layers/retry.ts'
import { throttleLayer } from './layers/throttle.ts'
import { Limits } from './limits.ts'
import { normalise } from './normalise.ts'
import { defaults } from './options/defaults.ts'
import { resolveClient } from './options/resolve.ts'
import { failureKey } from './policy/classify.ts'
import { Origins } from './policy/origins.ts'
import { errorClass } from './status/table.ts'
import { traced } from './traces.ts'
import { Connections } from './transport/connections.ts'
import type { Bytes } from './types/body.ts'
import type { Handler, Layer, Outcome, Received, ResponseOutcome } from './types/exchange.ts'
import type { ClientOptions, ResolvedOptions, SteadFetch, SteadInit } from './types/options.ts'

/** What a client shares with its children. */
interface Shared {
  readonly connections: Connections
  readonly origins: Origins
}

/** The path of a request: what every call passes, and what only a call in trouble passes. */
interface Path {
  /** Sends the request of the exchange once. */
  readonly direct: Handler
  /** Follows, pauses, retries and falls back; starts from the outcome that the exchange has `unseen`. */
  readonly repair: Handler
}

/**
 * Makes a fetch with its own policies, connections and per-origin state.
 *
 * @throws TypeError naming the option and the value, for an unknown or an invalid option.
 */
export function createFetch(options: ClientOptions = {}): SteadFetch {
  const resolved = resolveClient(defaults, options, 'createFetch')
  return client(resolved, { connections: new Connections(resolved), origins: new Origins() })
}

function client(options: ResolvedOptions, shared: Shared): SteadFetch {
  const { direct, repair } = compose(options, shared)
  const limits = new Limits(options.clock)
  const call = (input: string | URL | Request, init?: SteadInit): Promise<Response> => {
    let begun: Exchange | undefined
    try {
      const exchange = normalise(input, init, options, limits)
      begun = exchange
      if (shared.connections.closed) throw over(exchange, new RefusedError('closed', 'the client is closed', exchange.facts()))
      // Chained, not awaited: an async function would hold twice the memory while the request is under way.
      return direct(exchange).then((outcome) => {
        if (isPlain(exchange, outcome)) return deliver(exchange, outcome.received)
        return isSettled(outcome) ? conclude(exchange, outcome) : repaired(exchange, outcome, repair)
      })
    } catch (error) {
      return begun === undefined ? Promise.reject(error) : broken(begun, error)
    }
  }
  return Object.assign(call, {
    extend: (more: ClientOptions) => client(resolveClient(options, more, 'extend'), shared),
    close: () => shared.connections.close(),
    breaker: (origin: string | URL) => breakerControl(shared.origins, options, origin),
  })
}

async function broken(exchange: Exchange, error: unknown): Promise<never> {
  exchange.breakOff(error)
  throw error
}

/** What no layer would repair. */
function isSettled({ policy }: Outcome): boolean {
  return policy.kind === 'fail' || policy.kind === 'accept'
}

/** What needs no repair, and is delivered at once. */
function isPlain(exchange: Exchange, outcome: Outcome): outcome is ResponseOutcome {
  return outcome.kind === 'response' && outcome.policy.kind === 'accept' && exchange.terms.integrity === ''
}

/** Composes the layers, outermost first. */
function compose(options: ResolvedOptions, { connections, origins }: Shared): Path {
  const { retryBudget, throttle, breaker, concurrency, rateLimit, hedge, endpoints, deadlineField } = options
  const pause = pauseLayer(origins)
  const chain = through(
    [
      readAheadLayer,
      endpoints && routeLayer(origins, endpoints, breaker),
      hedge && hedgeLayer(origins, hedge),
      // The answers to hedges ask for pauses, too, whichever of them counts.
      hedge && pause,
      endpoints && endpointsLayer(origins, endpoints),
      throttle && throttleLayer(origins, throttle),
      gateLayer(origins),
      decisionLayer,
      rateLimit && rateLimitLayer(origins, rateLimit),
      breaker && breakerLayer(origins, breaker),
      concurrency && concurrencyLayer(origins, concurrency),
      retryBudget && budgetLayer(origins, retryBudget),
      deadlineField === undefined ? undefined : deadlineLayer(deadlineField),
    ],
    attemptHandler(connections.send(options)),
  )
  // Functions of the caller run in these layers; a second handler in the chain of every call would be memory for nothing.
  const asksMore = hedge ?? endpoints ?? throttle ?? rateLimit ?? breaker ?? concurrency
  const direct: Handler =
    asksMore === undefined ? chain : (exchange) => chain(exchange).catch((error: unknown) => broken(exchange, error))
  const again: Handler = (exchange) => {
    const { unseen } = exchange
    exchange.unseen = null
    return unseen === null ? direct(exchange) : Promise.resolve(unseen)
  }
  return {
    direct,
    repair: through([fallbackLayer, redirectLayer, retryLayer(origins, retryBudget), hedge ? undefined : pause], again),
  }
}

/** What is not configured is not in the chain. */
function through(layers: readonly (Layer | undefined)[], innermost: Handler): Handler {
  return layers.reduceRight<Handler>((next, layer) => layer?.(next) ?? next, innermost)
}

/** Ends the call by what the repairing layers make of the outcome. */
async function repaired(exchange: Exchange, outcome: Outcome, repair: Handler): Promise<Response> {
  exchange.unseen = outcome
  try {
    return await conclude(exchange, await repair(exchange))
  } catch (error) {
    return broken(exchange, error)
  }
}

/** The only place where an outcome becomes a return or a throw. */
function conclude(exchange: Exchange, outcome: Outcome): Response | Promise<Response> {
  if (outcome.kind === 'substitute') return traced(outcome.response, exchange)
  if (outcome.kind === 'failure') throw over(exchange, exchange.shown(outcome.error))
  const { received, policy } = outcome
  const { errors, clock } = exchange.options
  if (policy.kind === 'accept' || policy.kind === 'follow' || errors !== 'throw') {
    return exchange.terms.integrity === '' ? deliver(exchange, received) : deliverVerified(exchange, received)
  }
  const excerpt = readExcerpt(received.body, clock)
  if (excerpt instanceof Promise) return throwLater(exchange, received, excerpt)
  // A policy function may have taken the body, and left it.
  received.release(undefined)
  // Made here, not in a function of its own: its stack is to begin with the caller.
  throw over(exchange, new (errorClass(received.status))(errorDetails(received, excerpt, exchange)))
}

async function throwLater(exchange: Exchange, received: Received, excerpt: Promise<Bytes>): Promise<never> {
  const content = await excerpt
  received.release(undefined)
  // The caller's own reason is thrown unchanged; of our limits the status tells more.
  if (exchange.cancelled && failureKey(exchange.reason) === undefined) throw over(exchange, exchange.reason)
  throw over(exchange, new (errorClass(received.status))(errorDetails(received, content, exchange)))
}

async function deliverVerified(exchange: Exchange, received: Received): Promise<Response> {
  try {
    return deliver(exchange, await verified(exchange, received))
  } catch (error) {
    throw over(exchange, error)
  }
}

/** The error that ends the call; nothing of the call is left behind. */
function over(exchange: Exchange, error: unknown): unknown {
  exchange.ended(error)
  return traced(error, exchange)
}

/** Hands the response out; the exchange watches over its body to the last byte. */
function deliver(exchange: Exchange, received: Received): Response {
  exchange.delivered()
  received.redirected = exchange.redirects.hops.length > 0
  received.crossedOrigins = exchange.redirects.crossedOrigins
  received.watch(exchange)
  return received.response
}
