import type { Exchange } from '../exchange.ts'
import { cancelledOutcome, refusedOutcome } from '../policy/classify.ts'
import { callHealth } from '../policy/health.ts'
import type { Origins } from '../policy/origins.ts'
import { Slots } from '../policy/slots.ts'
import type { FailureOutcome, Handler, Layer, Outcome } from '../types/exchange.ts'
import type { ConcurrencyConfig } from '../types/protection.ts'

/**
 * Sends an origin so many requests at a time, and lets the others wait, first come first served. A request holds its
 * slot until the header section of its response, or its failure: not to the end of the content, for a body that nobody
 * reads, or that is an endless stream of events, would hold it for ever. A hedge does not wait.
 */
export function concurrencyLayer(origins: Origins, config: ConcurrencyConfig): Layer {
  return (next) => (exchange) => {
    const slots = origins.of(exchange.request.origin).part(config, Slots)
    if (slots.take()) return sent(exchange, slots, next)
    // It would be sent in the slot that the answer to the first request gives back, when nobody needs it any more.
    if (exchange.isHedge) return Promise.resolve(refusal(exchange, 'queue full'))
    return queued(exchange, slots, config, next)
  }
}

/** Sends with a slot that is taken already, and gives it back whatever happens: the clock is the caller's, and may throw. */
function sent(exchange: Exchange, slots: Slots, next: Handler): Promise<Outcome> {
  const { clock } = exchange.options
  const { adaptive } = slots
  const failed = (error: unknown): never => {
    slots.give()
    throw error
  }
  let startMs = 0
  let answer: Promise<Outcome>
  try {
    if (adaptive !== undefined) startMs = clock.now()
    answer = next(exchange)
  } catch (error) {
    return failed(error)
  }
  return answer.then((outcome) => {
    if (adaptive === undefined) slots.give()
    else slots.giveAfter(outcome, callHealth(exchange, outcome), startMs, clock)
    return outcome
  }, failed)
}

/** Waits for a slot to be handed on; an outcome when it is not, or too late. */
async function queued(exchange: Exchange, slots: Slots, config: ConcurrencyConfig, next: Handler): Promise<Outcome> {
  const { line } = slots
  if (line.length >= config.maxQueued) return refusal(exchange, 'queue full')
  exchange.limit()
  const { clock, on } = exchange.options
  const arrivedMs = clock.now()
  const latestMs = config.maxQueueMs === false ? Infinity : arrivedMs + config.maxQueueMs
  // A call that has less time than that is cancelled by its own limit, of which its error then tells.
  const turn = await line.wait(clock, latestMs, exchange)
  if (turn === 'late') return refusal(exchange, 'queued too long')
  if (turn === 'called' && !exchange.cancelled) {
    return sent(exchange, slots, (called) => {
      called.noteWait(clock.now() - arrivedMs, 'queue')
      return next(called)
    })
  }
  // Cancelled in the moment it was called: the slot is the next one's.
  if (turn === 'called') slots.give()
  return cancelledOutcome(exchange.reason, on)
}

function refusal(exchange: Exchange, kind: 'queue full' | 'queued too long'): FailureOutcome {
  const why = kind === 'queue full' ? 'as many calls wait as may' : 'the call has waited as long as it may'
  return refusedOutcome(exchange, kind, `the origin has as many requests to answer as it may, and ${why}`)
}
