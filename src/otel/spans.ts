import {
  context,
  createContextKey,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { EventOf, SteadFetch, Unsubscribe } from '../index.ts'
import { methodOf, requestAttributes, resultAttributes } from './attributes.ts'

/** What instrumentations of other clients look at before they start a span of their own. */
const suppressed = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

/** One span per call, and one in it per attempt, which is told to the server. */
export function traceCalls(client: SteadFetch, tracer: Tracer): Unsubscribe[] {
  const calls = new Map<number, Span>()
  const attempts = new Map<string, Span>()
  const key = ({ call, attempt }: { readonly call: number; readonly attempt: number }): string => `${call}.${attempt}`
  const attemptEnded = (hasFailed: boolean) => (event: EventOf<'attempt.failed'>) => {
    const span = attempts.get(key(event))
    attempts.delete(key(event))
    span?.setAttributes(resultAttributes(event.result, hasFailed))
    if (hasFailed) span?.setStatus({ code: SpanStatusCode.ERROR })
    span?.end()
  }
  return [
    client.on('call.started', ({ call, request, wrap }) => {
      const attributes = { ...requestAttributes(request), 'url.full': request.url }
      const span = tracer.startSpan(`${methodOf(request)} call`, { kind: SpanKind.INTERNAL, attributes })
      calls.set(call, span)
      wrap((run) => context.with(trace.setSpan(context.active(), span), run))
    }),
    client.on('attempt.started', (event) => {
      const span = attemptSpan(tracer, event)
      attempts.set(key(event), span)
      const own = trace.setSpan(context.active(), span)
      const fields: Record<string, string> = {}
      propagation.inject(own, fields)
      for (const [name, value] of Object.entries(fields)) event.setField(name, value)
      event.wrap((run) => context.with(own.setValue(suppressed, true), run))
    }),
    client.on('attempt.succeeded', attemptEnded(false)),
    client.on('attempt.failed', attemptEnded(true)),
    client.on('retry.scheduled', ({ call, waitMs, reason }) => {
      calls.get(call)?.addEvent('retry', { 'steadfetch.wait_ms': waitMs, 'steadfetch.reason': reason })
    }),
    client.on('retry.refused', ({ call, why }) => calls.get(call)?.addEvent('retry refused', { 'steadfetch.reason': why })),
    client.on('redirect.followed', ({ call, status, to }) => {
      calls.get(call)?.addEvent('redirect', { 'http.response.status_code': status, 'url.full': to })
    }),
    client.on('call.ended', (event) => {
      const { call, error, trace } = event
      const span = calls.get(call)
      calls.delete(call)
      span?.setAttributes({ ...resultAttributes(event, error !== undefined), 'steadfetch.attempts': trace.attempts.length })
      if (trace.cache !== undefined) span?.setAttribute('steadfetch.cache', trace.cache)
      if (error !== undefined) span?.setStatus({ code: SpanStatusCode.ERROR, message: error })
      span?.end()
    }),
  ]
}

function attemptSpan(tracer: Tracer, { request, attempt }: EventOf<'attempt.started'>): Span {
  const resends = attempt === 1 ? {} : { 'http.request.resend_count': attempt - 1 }
  const attributes = { ...requestAttributes(request), 'url.full': request.url, ...resends }
  return tracer.startSpan(methodOf(request), { kind: SpanKind.CLIENT, attributes })
}
