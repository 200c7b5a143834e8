import { isRefusedError } from '../errors/failures.ts'
import type { Exchange } from '../exchange.ts'
import { retryAfterMs } from '../http/retry-after.ts'
import { Breaker } from '../policy/breaker.ts'
import type { Endpoint } from '../policy/endpoint.ts'
import { EndpointRoute, Endpoints, type IsHeld } from '../policy/endpoints.ts'
import { callHealth } from '../policy/health.ts'
import type { Origins } from '../policy/origins.ts'
import { fail } from '../policy/policies.ts'
import type { FailureOutcome, Handler, Layer, Outcome, Received } from '../types/exchange.ts'
import type { BreakerConfig, EndpointsConfig } from '../types/protection.ts'

/**
 * Begins the way of a call among the endpoints, anew for each redirect; above the hedges, so that they share it. Requests to
 * other origins have none.
 */
export function routeLayer(origins: Origins, config: EndpointsConfig, breaker: BreakerConfig | undefined): Layer {
  const endpoints = endpointsOf(origins, config)
  // What may be probed is not held, else nobody would find out that it is well again.
  const isHeld: IsHeld = (origin, nowMs) => {
    const state = origins.of(origin)
    return state.gate.holds(nowMs) || (breaker !== undefined && state.part(breaker, Breaker).refuses(nowMs))
  }
  return (next) => (exchange) => {
    exchange.route = routeOf(exchange, endpoints, isHeld)
    return next(exchange)
  }
}

/** Sends each request to the endpoint that promises most, and keeps account of what comes of it. */
export function endpointsLayer(origins: Origins, config: EndpointsConfig): Layer {
  const endpoints = endpointsOf(origins, config)
  return (next) =>
    function send(exchange): Promise<Outcome> {
      const { route, request, options } = exchange
      if (!(route instanceof EndpointRoute)) return next(exchange)
      let endpoint: Endpoint
      try {
        endpoint = route.next(request.origin, options.random)
      } catch (error) {
        return Promise.resolve({ kind: 'failure', error, sent: 'no', policy: fail() } satisfies FailureOutcome)
      }
      const { origin } = endpoint
      const href = origin + request.href.slice(request.origin.length)
      exchange.request = { ...request, href, origin, service: request.service ?? options.baseUrl?.origin ?? request.origin }
      return accounted(endpoints, endpoint, exchange, next).then((outcome) =>
        isRefused(outcome) && route.others > 0 && !exchange.cancelled ? send(exchange) : outcome,
      )
    }
}

/** A limit or a breaker of one endpoint refused the request: nothing was sent, and another one may take it at once. */
function isRefused(outcome: Outcome): boolean {
  return outcome.kind === 'failure' && outcome.sent === 'no' && isRefusedError(outcome.error)
}

/** Shared by a client and its children; never forgotten, since it is always busy. */
function endpointsOf(origins: Origins, config: EndpointsConfig): Endpoints {
  return origins.of(config.origins[0] as string).part(config, Endpoints)
}

/** The way of the request among the endpoints; undefined when it goes elsewhere. */
function routeOf(exchange: Exchange, endpoints: Endpoints, isHeld: IsHeld): EndpointRoute | undefined {
  const { request, options, redirects } = exchange
  const { href, origin } = request
  const named = endpoints.at(origin) !== undefined
  // The origin of a blob: URL is that of who made it, but it is not there that it is fetched.
  if (!(named || origin === options.baseUrl?.origin) || !href.startsWith(origin)) return undefined
  const before = exchange.route instanceof EndpointRoute ? exchange.route : undefined
  if (before?.redirects === redirects.hops.length) return before
  // One that redirects to another by name is not asked again at once: it might only say the same.
  const tried = named && before?.tried.includes(origin) === false ? before.tried : []
  const route = new EndpointRoute(endpoints, options.clock, isHeld, redirects.hops.length, tried)
  if (before !== undefined) route.inherit(before)
  return route
}

/** Whatever becomes of the request, it is no longer under way afterwards. */
function accounted(endpoints: Endpoints, endpoint: Endpoint, exchange: Exchange, next: Handler): Promise<Outcome> {
  const { latest } = exchange
  const { clock, random } = exchange.options
  endpoint.begin()
  const ended = (outcome: Outcome): Outcome => {
    endpoint.end()
    const attempt = exchange.latest
    const sentMs = attempt === latest ? undefined : attempt?.startMs
    const health = callHealth(exchange, outcome)
    const result = { health, sentMs, durationMs: attempt?.durationMs ?? 0 }
    if (health !== 'well' && outcome.kind === 'response') heed(exchange, endpoint, outcome.received)
    endpoints.note(endpoint, result, clock.now(), random)
    return outcome
  }
  const failed = (error: unknown): never => {
    endpoint.end()
    throw error
  }
  let outcome: Promise<Outcome>
  try {
    outcome = next(exchange)
  } catch (error) {
    return failed(error)
  }
  return outcome.then(ended, failed)
}

/** A call that goes on elsewhere does not come back sooner than it was asked to. */
function heed({ route, options }: Exchange, { origin }: Endpoint, received: Received): void {
  const { clock } = options
  const askedMs = retryAfterMs(received, clock.wallTime)
  if (askedMs !== undefined && route instanceof EndpointRoute) route.wait(origin, askedMs)
}
