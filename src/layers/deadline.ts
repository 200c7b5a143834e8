import { TimeoutError } from '../errors/failures.ts'
import { delivered } from '../http/response.ts'
import type { Exchange, Layer } from '../types/exchange.ts'

/**
 * Ends the call after `timeoutMs`, and watches its body to the last byte: `idleTimeoutMs` always, `timeoutMs` unless
 * the body is taken as a stream and the limit is the client's, not the call's own.
 */
export const deadlineLayer: Layer = (next) => async (exchange) => {
  const { options, cancellation } = exchange
  const { clock, idleTimeoutMs } = options
  const stopTimer = armDeadline(exchange)
  const end = (reason?: unknown): void => {
    stopTimer()
    cancellation.untie()
    exchange.content?.discard(reason)
  }
  const outcome = await next(exchange).catch((error: unknown) => {
    end(error)
    throw error
  })
  if (outcome.kind === 'failure') {
    end(outcome.error)
    return outcome
  }
  const watch = {
    clock,
    cancellation,
    idleTimeoutMs,
    idleError: () => new TimeoutError('idle', idleTimeoutMs as number, exchange.facts()),
    onEnd: end,
    onStream: () => {
      if (!exchange.ownTimeout) stopTimer()
    },
  }
  const { method, url } = exchange.request
  return { ...outcome, response: delivered(outcome.response, method, url, exchange.redirects.length > 0, watch) }
}

function armDeadline(exchange: Exchange): () => void {
  const { timeoutMs, clock } = exchange.options
  if (timeoutMs === false) return () => {}
  return clock.after(timeoutMs, () => {
    exchange.cancellation.cancel(new TimeoutError('call', timeoutMs, exchange.facts()))
  })
}
