import type { Exchange } from '../exchange.ts'
import { accept } from '../policy/policies.ts'
import type { Layer, Outcome, Received } from '../types/exchange.ts'
import type { PolicyInput } from '../types/policy.ts'

/** Puts a substitute in the place of an outcome whose policy is a fallback. */
export const fallbackLayer: Layer = (next) => async (exchange) => {
  const outcome = await next(exchange)
  if (outcome.policy.kind !== 'fallback') return outcome
  const received = outcome.kind === 'response' ? outcome.received : undefined
  let substitute: Response | undefined
  try {
    substitute = await outcome.policy.substitute(inputOf(exchange, outcome))
    if (!(substitute instanceof Response)) throw new TypeError('fallback: the substitute is not a Response')
    if (received !== undefined && substitute === received.response) return { kind: 'response', received, policy: accept() }
    return { kind: 'substitute', response: substitute, policy: accept() }
  } finally {
    if (received === undefined) exchange.ended()
    else if (substitute !== received.response) release(exchange, received, substitute)
  }
}

function inputOf(exchange: Exchange, outcome: Outcome): PolicyInput {
  const { request, attempts } = exchange.facts()
  if (outcome.kind === 'failure') return { kind: 'failure', error: outcome.error, request, attempts }
  const response = outcome.kind === 'response' ? outcome.received.response : outcome.response
  return { kind: 'response', response, request, attempts }
}

/** Lets the replaced response go, unless its content is that of the substitute, or is being read for it. */
function release(exchange: Exchange, received: Received, substitute: Response | undefined): void {
  received.watch(exchange)
  const content = substitute instanceof Response ? substitute.body : null
  if (content === null || !received.gave(content)) received.body?.cancel(undefined)
}
