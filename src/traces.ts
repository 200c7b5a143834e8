import { factsOf } from './errors/failures.ts'
import { traceCode } from './errors/steadfetch-error.ts'
import type { Exchange } from './exchange.ts'
import { hasJoined } from './flight.ts'
import { receivedOf } from './http/response.ts'
import { cacheStatusOf } from './policy/cache-status.ts'
import type { AttemptTrace, Trace } from './types/trace.ts'

/** For what is not ours: a substitute, the reason of the caller's signal. */
const remembered = new WeakMap<object, Exchange>()

/** Keeps the exchange the result came from, at its end; Responses and errors of our own know it by themselves. */
export function traced<Result>(result: Result, exchange: Exchange): Result {
  exchange.delivered()
  if (typeof result === 'object' && result !== null && factsOf(result)?.exchange !== exchange) remembered.set(result, exchange)
  tellEnd(exchange, result)
  return result
}

/** Tells that a call was returned or thrown. */
export function tellEnd(exchange: Exchange, result: unknown): void {
  const { events } = exchange.options
  const { root } = exchange
  if (root !== exchange || !events.hears('call.ended') || told.has(root)) return
  told.add(root)
  const { status } = Object(result) as { status?: unknown }
  const came = typeof status === 'number' ? { status } : {}
  const failed = result instanceof Response ? {} : { error: traceCode(result) }
  events.tell(exchange, 'call.ended', { ...came, ...failed, trace: traceOfExchange(exchange) })
}

/** The calls whose end was told. */
const told = new WeakSet<Exchange>()

/** What happened in the call that gave this response or error; undefined for anything else. */
export function traceOf(result: unknown): Trace | undefined {
  const exchange = exchangeOf(result)
  return exchange && traceOfExchange(exchange)
}

/** The call that gave this response or error; undefined for anything else. */
export function exchangeOf(result: unknown): Exchange | undefined {
  if (typeof result !== 'object' || result === null) return undefined
  return remembered.get(result) ?? factsOf(result)?.exchange ?? (receivedOf(result)?.watcher as Exchange | undefined)
}

function traceOfExchange(exchange: Exchange): Trace {
  const { redirects, notRepeated, totalMs } = exchange
  const attempts: AttemptTrace[] = []
  for (let attempt = exchange.latest; attempt !== undefined; attempt = attempt.previous) attempts.unshift(attempt.trace())
  const cache = cacheStatusOf(exchange)
  return {
    attempts,
    redirects: [...redirects.hops],
    totalMs,
    ...(notRepeated === null ? {} : { notRepeated }),
    ...(cache === undefined ? {} : { cache }),
    ...(hasJoined(exchange) ? ({ coalesced: true } as const) : {}),
  }
}
