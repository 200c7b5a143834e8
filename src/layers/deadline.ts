import { withField } from '../http/fields.ts'
import type { Layer } from '../types/exchange.ts'

/** Tells the origin in a field how many milliseconds it has to answer: what is left of the call, or the limit of the attempt. */
export function deadlineLayer(name: string): Layer {
  return (next) => (exchange) => {
    const { clock, attemptTimeoutMs } = exchange.options
    const leftMs = Math.min(exchange.deadlineMs - clock.now(), attemptTimeoutMs === false ? Infinity : attemptTimeoutMs)
    if (leftMs < Infinity) {
      const fields = withField(exchange.request.fields, name, String(Math.max(0, Math.floor(leftMs))))
      exchange.request = { ...exchange.request, fields }
    }
    return next(exchange)
  }
}
