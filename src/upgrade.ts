import { broken } from './compose.ts'
import { closedError, conclude, deliver, over } from './conclude.ts'
import { NetworkError } from './errors/failures.ts'
import type { Exchange } from './exchange.ts'
import { UpgradedResponse } from './http/upgraded.ts'
import type { Limits } from './limits.ts'
import { normalise } from './normalise.ts'
import { callKeys } from './options/resolve.ts'
import { bare, checkKeys, invalidOption } from './policy/checks.ts'
import { traced } from './traces.ts'
import type { Connections } from './transport/connections.ts'
import type { Handler, Outcome } from './types/exchange.ts'
import type { ResolvedOptions, SteadFetch } from './types/options.ts'
import type { Upgraded } from './types/upgrade.ts'

const keys = ['protocol', 'headers', 'signal', ...callKeys.filter((key) => key !== 'errors' && key !== 'expectContinue')]
/** RFC 9110 §7.8: a name, and a version if it has one. */
const protocolName = /^[\w!#$%&'*+\-.^`|~]+(?:\/[\w!#$%&'*+\-.^`|~]+)?$/

/** The member `upgrade` of a client. */
export function upgrader(
  options: ResolvedOptions,
  limits: Limits,
  connections: Connections,
  whole: Handler,
): SteadFetch['upgrade'] {
  return async (target, init) => {
    checkKeys('upgrade', init, keys)
    const { protocol, ...given } = bare(init)
    checkProtocol(protocol)
    if (options.transport !== undefined) throw new TypeError('upgrade: a transport cannot switch protocols')
    // There is no Response for a refusal to be returned as.
    const exchange = normalise(target, { ...given, errors: 'throw' }, options, limits, protocol)
    if (connections.closed) throw closedError(exchange)
    try {
      const outcome = await exchange.options.events.around(exchange, 'call.started', {}, () => whole(exchange))
      return await switched(exchange, outcome)
    } catch (error) {
      return broken(exchange, error)
    }
  }
}

async function switched(exchange: Exchange, outcome: Outcome): Promise<Upgraded> {
  if (outcome.kind === 'response' && outcome.policy.kind === 'accept' && outcome.received instanceof UpgradedResponse) {
    return taken(exchange, outcome.received)
  }
  const { status, body } = await conclude(exchange, outcome)
  body?.cancel().catch(() => {})
  if (outcome.kind === 'response') outcome.received.release(undefined)
  const summary = `the answer is ${status}, and the protocol was not switched`
  throw over(exchange, new NetworkError('protocol', 'maybe', summary, exchange.facts()))
}

function taken(exchange: Exchange, received: UpgradedResponse): Upgraded {
  if (exchange.cancelled) {
    received.release()
    throw over(exchange, exchange.reason)
  }
  deliver(exchange, received)
  const { status, headers } = received
  return traced({ status, protocol: received.field('upgrade') as string, headers, socket: received.take() }, exchange)
}

function checkProtocol(protocol: unknown): void {
  if (typeof protocol === 'string' && protocol.split(/, ?/).every((name) => protocolName.test(name))) return
  throw invalidOption('upgrade', 'protocol', "the name of a protocol, such as 'websocket'", protocol)
}
