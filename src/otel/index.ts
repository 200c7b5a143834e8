import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import type { SteadFetch, Unsubscribe } from '../index.ts'
import { measureCalls } from './metrics.ts'
import { traceCalls } from './spans.ts'

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** Where spans go; `false` for none. Default: the global one. */
  readonly tracerProvider?: TracerProvider | false
  /** Where metrics go; `false` for none. Default: the global one. */
  readonly meterProvider?: MeterProvider | false
}

/**
 * Tells OpenTelemetry of the calls of a client and of those that are extended from it: a span per call and in it one per
 * attempt, whose context is sent along; and metrics, by the semantic conventions for HTTP clients. What is sent for a call
 * starts no second span in instrumentations of undici. Gives what takes it all away again.
 */
export function instrument(client: SteadFetch, options: InstrumentOptions = {}): Unsubscribe {
  const { tracerProvider = trace, meterProvider = metrics } = options
  const removals = [
    ...(tracerProvider === false ? [] : traceCalls(client, tracerProvider.getTracer('steadfetch'))),
    ...(meterProvider === false ? [] : measureCalls(client, meterProvider.getMeter('steadfetch'))),
  ]
  return () => {
    for (const remove of removals) remove()
  }
}
