import { Cancellation } from './cancellation.ts'
import { broken, compose, type Path, type Shared } from './compose.ts'
import { closedError, conclude, deliver } from './conclude.ts'
import { Events, keepEvents } from './events.ts'
import type { Exchange } from './exchange.ts'
import { breakerControl } from './layers/breaker.ts'
import { healthOfAll } from './layers/health.ts'
import { Limits } from './limits.ts'
import { normalise } from './normalise.ts'
import { defaults } from './options/defaults.ts'
import { resolveClient } from './options/resolve.ts'
import { Origins } from './policy/origins.ts'
import { Connections, fetchBrand } from './transport/connections.ts'
import type { Handler, Outcome, ResponseOutcome } from './types/exchange.ts'
import type { ClientOptions, ResolvedOptions, SteadFetch, SteadInit } from './types/options.ts'
import { upgrader } from './upgrade.ts'

/**
 * Makes a fetch with its own policies, connections and per-origin state.
 *
 * @throws TypeError naming the option and the value, for an unknown or an invalid option.
 */
export function createFetch(options: ClientOptions = {}): SteadFetch {
  const resolved = resolveClient(defaults, options, 'createFetch')
  return client(resolved, { connections: new Connections(resolved), origins: new Origins(), background: new Cancellation() })
}

function client(resolved: ResolvedOptions, shared: Shared): SteadFetch {
  const options = { ...resolved, events: new Events(resolved.events) }
  const usual = compose(options, shared)
  let refreshing = options.refreshes ? usual : undefined
  /** The path of a call, which may ask for new credentials although its client does not. */
  const pathOf = ({ options: asked }: Exchange): Path => {
    if (!asked.refreshes) return usual
    refreshing ??= compose({ ...options, refreshes: true }, shared)
    return refreshing
  }
  const limits = new Limits(options.clock)
  const sent = (exchange: Exchange): Promise<Response> => {
    if (shared.connections.closed) return Promise.reject(closedError(exchange))
    const path = pathOf(exchange)
    if (asksMore(exchange.options)) return concluded(exchange, path.whole)
    // Chained, not awaited: an async function would hold twice the memory while the request is under way.
    return path.direct(exchange).then((outcome) => {
      if (isPlain(exchange, outcome)) return deliver(exchange, outcome.received)
      return isSettled(outcome) ? conclude(exchange, outcome) : repaired(exchange, outcome, path.repair)
    })
  }
  const call = (input: string | URL | Request, init?: SteadInit): Promise<Response> => {
    let begun: Exchange | undefined
    try {
      const exchange = normalise(input, init, options, limits)
      begun = exchange
      if (!options.events.hears('call.started')) return sent(exchange)
      return options.events.around(exchange, 'call.started', {}, () => sent(exchange))
    } catch (error) {
      return begun === undefined ? Promise.reject(error) : broken(begun, error)
    }
  }
  return Object.assign(keepEvents(call, options.events), {
    [fetchBrand]: true as const,
    extend: (more: ClientOptions) => client(resolveClient(options, more, 'extend'), shared),
    close: () => {
      shared.background.cancel(new Error('the client is closed'))
      return shared.connections.close()
    },
    upgrade: upgrader(options, limits, shared.connections, usual.whole),
    on: options.events.on.bind(options.events) as Events['on'],
    health: () => healthOfAll(shared.origins, options),
    breaker: (origin: string | URL) => breakerControl(shared.origins, options, origin),
  })
}

/** Whether a layer that repairs has something to do before the request is sent. */
function asksMore({ cache, coalesce, resume }: ResolvedOptions): boolean {
  return cache !== undefined || Boolean(coalesce) || resume !== undefined
}

/** What no layer would repair. */
function isSettled({ policy }: Outcome): boolean {
  return policy.kind === 'fail' || policy.kind === 'accept'
}

/** What needs no repair, and is delivered at once. */
function isPlain(exchange: Exchange, outcome: Outcome): outcome is ResponseOutcome {
  return outcome.kind === 'response' && outcome.policy.kind === 'accept' && exchange.terms.integrity === ''
}

/** Ends the call by what the repairing layers make of the outcome. */
function repaired(exchange: Exchange, outcome: Outcome, repair: Handler): Promise<Response> {
  exchange.unseen = outcome
  return concluded(exchange, repair)
}

/** Ends the call by what a handler makes of it. */
async function concluded(exchange: Exchange, handler: Handler): Promise<Response> {
  try {
    return await conclude(exchange, await handler(exchange))
  } catch (error) {
    return broken(exchange, error)
  }
}
