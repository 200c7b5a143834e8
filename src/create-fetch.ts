import { broken, compose, type Shared } from './compose.ts'
import { conclude, deliver, over } from './conclude.ts'
import { RefusedError } from './errors/failures.ts'
import type { Exchange } from './exchange.ts'
import { breakerControl } from './layers/breaker.ts'
import { Limits } from './limits.ts'
import { normalise } from './normalise.ts'
import { defaults } from './options/defaults.ts'
import { resolveClient } from './options/resolve.ts'
import { Origins } from './policy/origins.ts'
import { Connections } from './transport/connections.ts'
import type { Handler, Outcome, ResponseOutcome } from './types/exchange.ts'
import type { ClientOptions, ResolvedOptions, SteadFetch, SteadInit } from './types/options.ts'

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
  const { direct, repair, whole } = compose(options, shared)
  const limits = new Limits(options.clock)
  const call = (input: string | URL | Request, init?: SteadInit): Promise<Response> => {
    let begun: Exchange | undefined
    try {
      const exchange = normalise(input, init, options, limits)
      begun = exchange
      if (shared.connections.closed) throw over(exchange, new RefusedError('closed', 'the client is closed', exchange.facts()))
      if (exchange.options.resume !== undefined) return concluded(exchange, whole)
      // Chained, not awaited: an async function would hold twice the memory while the request is under way.
      return direct(exchange).then((outcome) => {
        if (isPlain(exchange, outcome)) return deliver(exchange, outcome.received)
        if (isSettled(outcome)) return conclude(exchange, outcome)
        exchange.unseen = outcome
        return concluded(exchange, repair)
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

/** What no layer would repair. */
function isSettled({ policy }: Outcome): boolean {
  return policy.kind === 'fail' || policy.kind === 'accept'
}

/** What needs no repair, and is delivered at once. */
function isPlain(exchange: Exchange, outcome: Outcome): outcome is ResponseOutcome {
  return outcome.kind === 'response' && outcome.policy.kind === 'accept' && exchange.terms.integrity === ''
}

/** Ends the call by what the repairing layers make of it. */
async function concluded(exchange: Exchange, handler: Handler): Promise<Response> {
  try {
    return await conclude(exchange, await handler(exchange))
  } catch (error) {
    return broken(exchange, error)
  }
}
