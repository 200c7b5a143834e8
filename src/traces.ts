import type { Exchange } from './types/exchange.ts'
import type { Trace } from './types/trace.ts'

interface Remembered {
  readonly exchange: Exchange
  readonly totalMs: number
}

/** Beside the results, not on them: a trace is never logged by accident and goes when its result goes. */
const remembered = new WeakMap<object, Remembered>()

/** Keeps the exchange a response or an error came from. */
export function rememberTrace(result: unknown, exchange: Exchange): void {
  if (typeof result !== 'object' || result === null) return
  remembered.set(result, { exchange, totalMs: exchange.options.clock.now() - exchange.startMs })
}

/** What happened in the call that gave this response or error; undefined for anything else. */
export function traceOf(result: unknown): Trace | undefined {
  const found = typeof result === 'object' && result !== null ? remembered.get(result) : undefined
  if (found === undefined) return undefined
  const { attempts, redirects, notRepeated } = found.exchange
  const trace = { attempts: attempts.map((attempt) => ({ ...attempt })), redirects: [...redirects], totalMs: found.totalMs }
  return notRepeated === null ? trace : { ...trace, notRepeated }
}
