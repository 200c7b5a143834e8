import { RefusedError } from './errors/failures.ts'
import { toHttpError } from './http-errors.ts'
import { attemptHandler } from './layers/attempt.ts'
import { deadlineLayer } from './layers/deadline.ts'
import { fallbackLayer } from './layers/fallback.ts'
import { pauseLayer } from './layers/pause.ts'
import { readAheadLayer } from './layers/read-ahead.ts'
import { redirectLayer } from './layers/redirect.ts'
import { retryLayer } from './layers/retry.ts'
import { normalise } from './normalise.ts'
import { defaults } from './options/defaults.ts'
import { resolveClient } from './options/resolve.ts'
import { Origins } from './policy/origins.ts'
import { rememberTrace } from './traces.ts'
import { Connections } from './transport/connections.ts'
import type { Exchange, Handler, Layer, Outcome } from './types/exchange.ts'
import type { ClientOptions, ResolvedOptions, SteadFetch, SteadInit } from './types/options.ts'

/** What a client shares with its children. */
interface Shared {
  readonly connections: Connections
  readonly origins: Origins
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
  const handle = compose(options, shared)
  const call = async (input: string | URL | Request, init?: SteadInit): Promise<Response> => {
    const exchange = normalise(input, init ?? {}, options)
    if (shared.connections.closed) throw new RefusedError('closed', 'the client is closed', exchange.facts())
    return conclude(exchange, await handle(exchange))
  }
  return Object.assign(call, {
    extend: (more: ClientOptions) => client(resolveClient(options, more, 'extend'), shared),
    close: () => shared.connections.close(),
  })
}

/** The path of a request, outermost first. */
function compose(options: ResolvedOptions, { connections, origins }: Shared): Handler {
  const layers: Layer[] = [fallbackLayer, deadlineLayer, readAheadLayer, redirectLayer, retryLayer, pauseLayer(origins)]
  const send = connections.send(options)
  return layers.reduceRight<Handler>((next, layer) => layer(next), attemptHandler(send))
}

/** The only place where an outcome becomes a return or a throw. */
async function conclude(exchange: Exchange, outcome: Outcome): Promise<Response> {
  if (outcome.kind === 'failure') {
    rememberTrace(outcome.error, exchange)
    throw outcome.error
  }
  const { response, policy } = outcome
  if (policy.kind === 'accept' || policy.kind === 'follow' || exchange.options.errors === 'return') {
    rememberTrace(response, exchange)
    return response
  }
  const error = await toHttpError(response, exchange)
  rememberTrace(error, exchange)
  throw error
}
