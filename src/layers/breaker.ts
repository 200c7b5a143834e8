import type { Exchange } from '../exchange.ts'
import { retryAfterMs } from '../http/retry-after.ts'
import { isHttp } from '../http/target.ts'
import { Breaker } from '../policy/breaker.ts'
import { refusedOutcome } from '../policy/classify.ts'
import { callHealth } from '../policy/health.ts'
import type { Origins } from '../policy/origins.ts'
import type { FailureOutcome, Handler, Layer, Outcome } from '../types/exchange.ts'
import type { ResolvedOptions } from '../types/options.ts'
import type { BreakerConfig, BreakerControl } from '../types/protection.ts'

/** Refuses calls to an origin that fails. While it is closed, a call costs its count alone. */
export function breakerLayer(origins: Origins, config: BreakerConfig): Layer {
  return (next) => (exchange) => {
    const breaker = origins.of(exchange.request.origin).part(config, Breaker)
    if (!breaker.closed) return guarded(exchange, breaker, next)
    const { generation } = breaker
    // Not awaited: it is the path of every call. A rejection passes by: it counts as nothing, and no place is taken.
    return next(exchange).then((outcome) => counted(exchange, breaker, generation, outcome))
  }
}

/** Refuses the call, or sends it as a probe, which gives its place back whatever happens. */
async function guarded(exchange: Exchange, breaker: Breaker, next: Handler): Promise<Outcome> {
  const before = breaker.generation
  if (!breaker.admit(exchange.options.clock.now())) return refusal(exchange, breaker)
  if (breaker.generation !== before) tell(exchange, breaker)
  const { generation } = breaker
  try {
    return counted(exchange, breaker, generation, await next(exchange))
  } catch (error) {
    // A function of the caller threw: one that handles the call, or a source of time or chance, before anything was counted.
    breaker.giveBack(generation)
    throw error
  }
}

/** Counts what the outcome says about the origin. */
function counted(exchange: Exchange, breaker: Breaker, generation: number, outcome: Outcome): Outcome {
  const { clock, random } = exchange.options
  const health = callHealth(exchange, outcome)
  const before = breaker.generation
  if (health === 'well') breaker.succeeded(generation, clock.now())
  else if (health === 'failing') {
    const askedMs = outcome.kind === 'response' ? retryAfterMs(outcome.received, clock.wallTime) : undefined
    breaker.failed(generation, { nowMs: clock.now(), askedMs, random })
  } else breaker.giveBack(generation)
  if (breaker.generation !== before) tell(exchange, breaker)
  return outcome
}

/** Tells of a change, where somebody listens. */
function tell(exchange: Exchange, breaker: Breaker): void {
  const { clock, events } = exchange.options
  const { origin } = exchange.request
  const nowMs = clock.now()
  const state = breaker.state(nowMs)
  if (state === 'isolated') return
  const name = ({ open: 'breaker.opened', 'half-open': 'breaker.halfOpened', closed: 'breaker.closed' } as const)[state]
  if (!events.hears(name)) return
  if (state === 'open') events.tell(exchange, 'breaker.opened', { origin, openMs: breaker.remainingMs(nowMs) ?? 0 })
  else events.tell(exchange, name, { origin, openMs: 0 })
}

function refusal(exchange: Exchange, breaker: Breaker): FailureOutcome {
  const nowMs = exchange.options.clock.now()
  const state = breaker.state(nowMs)
  const [kind, why] =
    state === 'isolated'
      ? (['isolated', 'the circuit breaker of the origin was opened by hand'] as const)
      : (['breaker open', state === 'open' ? 'the origin fails' : 'the origin failed, and is being probed'] as const)
  return refusedOutcome(exchange, kind, why, breaker.remainingMs(nowMs))
}

/**
 * The circuit breaker of an origin in the hands of the caller. It is looked up each time: a quiet one may be forgotten.
 *
 * @throws TypeError when the client has none, or for what is no http or https URL.
 */
export function breakerControl(origins: Origins, options: ResolvedOptions, origin: string | URL): BreakerControl {
  const { breaker: config, clock } = options
  if (config === undefined) throw new TypeError('breaker: the client has none; set the option breaker')
  const url = URL.parse(String(origin))
  // What was given is not shown: it may have credentials in it.
  if (url === null || !isHttp(url)) throw new TypeError('breaker: origin must be an http or https URL')
  const breaker = (): Breaker => origins.of(url.origin).part(config, Breaker)
  return {
    get state() {
      return breaker().state(clock.now())
    },
    isolate: () => breaker().isolate(),
    close: () => breaker().close(),
  }
}
