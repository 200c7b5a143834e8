import { outcomeHealth } from '../policy/health.ts'
import type { Origins } from '../policy/origins.ts'
import { RetryBudget } from '../policy/retry-budget.ts'
import type { Layer } from '../types/exchange.ts'
import type { RetryBudgetConfig } from '../types/protection.ts'

/**
 * Gives back to the retry budget of an origin what a success is worth: what the retry took that led to it, or one token.
 * A full budget takes nothing, and calls pass straight through.
 */
export function budgetLayer(origins: Origins, config: RetryBudgetConfig): Layer {
  return (next) => (exchange) => {
    const budget = origins.ofService(exchange.request).part(config, RetryBudget)
    if (budget.full) return next(exchange)
    return next(exchange).then((outcome) => {
      if (outcomeHealth(outcome) !== 'well') return outcome
      budget.give(exchange.spentTokens === 0 ? 1 : exchange.spentTokens)
      exchange.spentTokens = 0
      return outcome
    })
  }
}
