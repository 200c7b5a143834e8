import { accept } from '../policy/policies.ts'
import type { Exchange, Layer, Outcome } from '../types/exchange.ts'
import type { PolicyInput } from '../types/policy.ts'

/** Puts a substitute in the place of an outcome whose policy is a fallback. */
export const fallbackLayer: Layer = (next) => async (exchange) => {
  const outcome = await next(exchange)
  if (outcome.policy.kind !== 'fallback') return outcome
  let substitute: Response | undefined
  try {
    substitute = await outcome.policy.substitute(inputOf(exchange, outcome))
    if (!(substitute instanceof Response)) throw new TypeError('fallback: the substitute is not a Response')
    return { kind: 'response', response: substitute, policy: accept() }
  } finally {
    if (outcome.kind === 'response' && outcome.response !== substitute) release(outcome.response)
  }
}

function inputOf(exchange: Exchange, outcome: Outcome): PolicyInput {
  const { request, attempts } = exchange.facts()
  if (outcome.kind === 'failure') return { kind: 'failure', error: outcome.error, request, attempts }
  return { kind: 'response', response: outcome.response, request, attempts }
}

/** Lets the replaced response go, unless its content is being read for the substitute. */
function release(response: Response): void {
  if (!response.bodyUsed && response.body?.locked === false) response.body.cancel().catch(() => {})
}
