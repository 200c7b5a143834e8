import { traceCode } from '../errors/steadfetch-error.ts'
import type { Exchange } from '../exchange.ts'
import { callHealth } from '../policy/health.ts'
import type { Origins } from '../policy/origins.ts'
import { Tally } from '../policy/tally.ts'
import type { Layer, Outcome } from '../types/exchange.ts'
import type { HealthConfig, OriginHealth } from '../types/health.ts'
import type { ResolvedOptions } from '../types/options.ts'

/** Counts what became of each request, and tells when an origin begins to fail or does so no more. */
export function healthLayer(origins: Origins, config: HealthConfig): Layer {
  return (next) => (exchange) => {
    const tally = origins.of(exchange.request.origin).part(config, Tally)
    // Not awaited: it is the path of every call.
    return next(exchange).then((outcome) => counted(exchange, tally, outcome))
  }
}

function counted(exchange: Exchange, tally: Tally, outcome: Outcome): Outcome {
  const health = callHealth(exchange, outcome)
  // The caller's abort, and what was refused here, say nothing about the origin.
  if (outcome.kind === 'substitute' || (outcome.kind === 'failure' && health === 'unknown')) return outcome
  const { clock, events } = exchange.options
  const result = outcome.kind === 'response' ? String(outcome.received.status) : traceCode(outcome.error)
  const nowMs = clock.now()
  const change = tally.count(result, health === 'failing', nowMs)
  if (change !== undefined && events.hears(change)) events.tell(exchange, change, tally.health(nowMs))
  return outcome
}

/**
 * What became of the requests to each origin lately; the one that fails most first.
 *
 * @throws TypeError when the client does not count.
 */
export function healthOfAll(origins: Origins, { health, clock }: ResolvedOptions): readonly OriginHealth[] {
  if (health === undefined) throw new TypeError('health: the client does not count; set the option health')
  const nowMs = clock.now()
  const all = origins.parts(health, Tally).map((tally) => tally.health(nowMs))
  return all.filter(({ requests }) => requests > 0).sort((a, b) => b.failureRatio - a.failureRatio)
}
