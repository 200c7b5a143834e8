import { unlessCancelled } from '../cancellation.ts'
import type { Exchange } from '../exchange.ts'
import { cancelledOutcome, policyInput } from '../policy/classify.ts'
import { accept } from '../policy/policies.ts'
import type { Layer, Received } from '../types/exchange.ts'
import type { FallbackPolicy, PolicyInput } from '../types/policy.ts'

/** Puts a substitute in the place of an outcome whose policy is a fallback. */
export const fallbackLayer: Layer = (next) => async (exchange) => {
  const outcome = await next(exchange)
  if (outcome.policy.kind !== 'fallback') return outcome
  const received = outcome.kind === 'response' ? outcome.received : undefined
  let substitute: Response | undefined
  try {
    substitute = await unlessCancelled(asked(exchange, outcome.policy, policyInput(exchange, outcome)), exchange)
    if (substitute === undefined && exchange.cancelled) return cancelledOutcome(exchange.reason, exchange.options.on)
    if (!(substitute instanceof Response)) throw new TypeError('fallback: the substitute is not a Response')
    if (received !== undefined && substitute === received.response) return { kind: 'response', received, policy: accept() }
    return { kind: 'substitute', response: substitute, policy: accept() }
  } finally {
    if (received === undefined) exchange.ended()
    else if (substitute !== received.response) release(exchange, received, substitute)
  }
}

async function asked(exchange: Exchange, policy: FallbackPolicy, input: PolicyInput): Promise<Response> {
  return exchange.within(() => policy.substitute(input))
}

/** Lets the replaced response go, but for what the substitute is made of: its stream, or a clone of it. */
function release(exchange: Exchange, received: Received, substitute: Response | undefined): void {
  received.watch(exchange)
  if (substitute === undefined) received.release(undefined)
  else if (substitute.body === null || !received.gave(substitute.body)) received.body?.cancel(undefined)
}
