import type { Exchange } from './exchange.ts'
import { receivedOf } from './http/response.ts'
import type { Trace } from './types/trace.ts'

/** Beside the errors, not on them: a trace is never logged by accident and goes when its error goes. */
const remembered = new WeakMap<object, Exchange>()

/** Keeps the exchange an error or a substitute came from; a Response of our own knows it by itself. */
export function rememberTrace(result: unknown, exchange: Exchange): void {
  exchange.delivered()
  if (typeof result === 'object' && result !== null) remembered.set(result, exchange)
}

/** What happened in the call that gave this response or error; undefined for anything else. */
export function traceOf(result: unknown): Trace | undefined {
  if (typeof result !== 'object' || result === null) return undefined
  const exchange = remembered.get(result) ?? (receivedOf(result)?.watcher as Exchange | undefined)
  if (exchange === undefined) return undefined
  const { attempts, redirects, notRepeated, totalMs } = exchange
  const trace = { attempts: attempts.map((attempt) => attempt.trace()), redirects: [...redirects], totalMs }
  return notRepeated === null ? trace : { ...trace, notRepeated }
}
