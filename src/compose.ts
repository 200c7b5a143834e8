import type { Cancellation } from './cancellation.ts'
import type { Exchange } from './exchange.ts'
import { attemptHandler } from './layers/attempt.ts'
import { breakerLayer } from './layers/breaker.ts'
import { budgetLayer } from './layers/budget.ts'
import { cacheLayer } from './layers/cache.ts'
import { coalesceLayer } from './layers/coalesce.ts'
import { concurrencyLayer } from './layers/concurrency.ts'
import { cookiesLayer } from './layers/cookies.ts'
import { credentialsLayer } from './layers/credentials.ts'
import { deadlineLayer } from './layers/deadline.ts'
import { decisionLayer } from './layers/decision.ts'
import { endpointsLayer, routeLayer } from './layers/endpoints.ts'
import { fallbackLayer } from './layers/fallback.ts'
import { healthLayer } from './layers/health.ts'
import { hedgeLayer } from './layers/hedge.ts'
import { gateLayer, pauseLayer } from './layers/pause.ts'
import { pollLayer } from './layers/poll.ts'
import { rateLimitLayer } from './layers/rate-limit.ts'
import { readAheadLayer } from './layers/read-ahead.ts'
import { redirectLayer } from './layers/redirect.ts'
import { aheadLayer, refreshLayer } from './layers/refresh.ts'
import { resumeLayer } from './layers/resume.ts'
import { retryLayer } from './layers/retry.ts'
import { targetsLayer } from './layers/targets.ts'
import { throttleLayer } from './layers/throttle.ts'
import { Keyring } from './policy/keyring.ts'
import type { Origins } from './policy/origins.ts'
import { tellEnd } from './traces.ts'
import type { Connections } from './transport/connections.ts'
import type { Handler, Layer } from './types/exchange.ts'
import type { ResolvedOptions } from './types/options.ts'

/** What a client shares with its children. */
export interface Shared {
  readonly connections: Connections
  readonly origins: Origins
  /** What is sent for nobody's call; ends when the client is closed. */
  readonly background: Cancellation
}

/** The path of a request: what every call passes, and what only a call in trouble passes. */
export interface Path {
  /** Sends the request of the exchange once. */
  readonly direct: Handler
  /** Follows, pauses, retries and falls back; starts from the outcome that the exchange has `unseen`. */
  readonly repair: Handler
  /** Both in one, for calls in which a layer that repairs has something to do before the request is sent. */
  readonly whole: Handler
}

/** Composes the layers; it alone knows them all. */
export function compose(options: ResolvedOptions, shared: Shared): Path {
  const { origins, background } = shared
  const { hedge, retryBudget, cache, coalesce } = options
  const keyring = options.refreshes ? new Keyring(origins, options.on) : undefined
  const pause = pauseLayer(origins)
  const direct = directPath(options, shared, pause, keyring)
  const again: Handler = (exchange) => {
    const { unseen } = exchange
    exchange.unseen = null
    return unseen === null ? direct(exchange) : Promise.resolve(unseen)
  }
  const layers = [
    fallbackLayer,
    pollLayer,
    redirectLayer,
    cache && cacheLayer({ config: cache, origins, keyring }, background),
    coalesce ? coalesceLayer(origins, coalesce, keyring) : undefined,
    resumeLayer(origins, retryBudget),
    keyring && refreshLayer(keyring),
    retryLayer(origins, retryBudget),
    hedge ? undefined : pause,
  ]
  return { direct, repair: through(layers, again), whole: through(layers, direct) }
}

/** What every call passes, outermost first. */
function directPath(
  options: ResolvedOptions,
  { connections, origins }: Shared,
  pause: Layer,
  keyring: Keyring | undefined,
): Handler {
  const { retryBudget, throttle, breaker, health, concurrency, rateLimit, hedge, endpoints, deadlineField, cookies, targets } =
    options
  const chain = through(
    [
      endpoints === undefined && targets ? targetsLayer(targets) : undefined,
      readAheadLayer,
      keyring && aheadLayer(keyring),
      endpoints && routeLayer(origins, endpoints, breaker),
      hedge && hedgeLayer(origins, hedge),
      // The answers to hedges ask for pauses, too, whichever of them counts.
      hedge && pause,
      endpoints && endpointsLayer(origins, endpoints),
      // It is the endpoint that is asked, not the service whose name the target has.
      endpoints && targets && targetsLayer(targets),
      throttle && throttleLayer(origins, throttle),
      gateLayer(origins),
      decisionLayer,
      rateLimit && rateLimitLayer(origins, rateLimit),
      breaker && breakerLayer(origins, breaker),
      concurrency && concurrencyLayer(origins, concurrency),
      health && healthLayer(origins, health),
      retryBudget && budgetLayer(origins, retryBudget),
      cookies && cookiesLayer(cookies),
      keyring && credentialsLayer(keyring),
      deadlineField === undefined ? undefined : deadlineLayer(deadlineField),
    ],
    attemptHandler(connections.send(options)),
  )
  // Functions of the caller run in these layers; a second handler in the chain of every call would be memory for nothing.
  const asksMore = hedge ?? endpoints ?? throttle ?? rateLimit ?? breaker ?? concurrency ?? cookies ?? keyring
  return asksMore === undefined ? chain : (exchange) => chain(exchange).catch((error: unknown) => broken(exchange, error))
}

/** A function of the caller threw: the call ends with that. */
export async function broken(exchange: Exchange, error: unknown): Promise<never> {
  exchange.breakOff(error)
  tellEnd(exchange.root, error)
  throw error
}

/** What is not configured is not in the chain. */
function through(layers: readonly (Layer | undefined)[], innermost: Handler): Handler {
  return layers.reduceRight<Handler>((next, layer) => layer?.(next) ?? next, innermost)
}
