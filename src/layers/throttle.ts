import type { Exchange } from '../exchange.ts'
import { refusedOutcome } from '../policy/classify.ts'
import { callHealth } from '../policy/health.ts'
import type { Origins } from '../policy/origins.ts'
import { Throttle } from '../policy/throttle.ts'
import type { Handler, Layer, Outcome } from '../types/exchange.ts'
import type { ThrottleConfig } from '../types/protection.ts'

/** Refuses a part of the calls to an origin that rejects nearly all; each attempt of a call has its own chance. */
export function throttleLayer(origins: Origins, config: ThrottleConfig): Layer {
  return (next) => (exchange) => {
    const throttle = origins.of(exchange.request.origin).part(config, Throttle)
    const ratio = throttle.calm ? 0 : throttle.refusalRatio(exchange.options.clock.now())
    if (ratio > 0) return drawn(exchange, throttle, ratio, next)
    // Not awaited: it is the path of every call.
    return next(exchange).then((outcome) => counted(exchange, throttle, outcome))
  }
}

/** Refuses the call by chance. Asynchronous, so that a source of chance that throws ends the call and not its caller. */
async function drawn(exchange: Exchange, throttle: Throttle, ratio: number, next: Handler): Promise<Outcome> {
  if (exchange.options.random() >= ratio) return counted(exchange, throttle, await next(exchange))
  throttle.refused(exchange.options.clock.now())
  return refusedOutcome(exchange, 'throttled', 'the origin rejects nearly all requests')
}

/** Counts what the outcome says about the origin. */
function counted(exchange: Exchange, throttle: Throttle, outcome: Outcome): Outcome {
  const health = callHealth(exchange, outcome)
  if (health === 'well') throttle.accepted(exchange.options.clock.now())
  else if (health !== 'unknown') throttle.rejected(exchange.options.clock.now())
  return outcome
}
