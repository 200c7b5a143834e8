import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { request } from 'undici'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { ClientOptions, SteadFetch } from '../../src/index.ts'
import { instrument } from '../../src/otel/index.ts'
import { httpServer, type LocalServer } from '../support/server.ts'
import { caught, client, soon } from '../support/wire.ts'

const exporter = new InMemorySpanExporter()
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })

beforeEach(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  exporter.reset()
})
afterEach(() => {
  context.disable()
  propagation.disable()
})

function instrumented(options: ClientOptions = {}): SteadFetch {
  const api = client({ on: { 503: soon }, ...options })
  onTestFinished(instrument(api, { tracerProvider, meterProvider: false }))
  return api
}

/** A server that fails twice, then redirects to a page that is there; it keeps the trace contexts it was sent. */
async function troubled(): Promise<LocalServer & { readonly parents: (string | undefined)[] }> {
  const parents: (string | undefined)[] = []
  const server = await httpServer(({ url, headers }, response) => {
    parents.push(headers.traceparent as string | undefined)
    if (url === '/there') response.end('there')
    else if (parents.length <= 2) response.writeHead(503).end()
    else response.writeHead(302, { location: '/there' }).end()
  })
  return Object.assign(server, { parents })
}

/** The span of the call, then the others as they ended. */
const spans = (): ReadableSpan[] => exporter.getFinishedSpans().toSorted((a, b) => Number(isCall(b)) - Number(isCall(a)))
const isCall = ({ name }: ReadableSpan): boolean => name.endsWith(' call')

describe('the spans of a call with two retries and a redirect', () => {
  it('are one for the call and one in it per attempt, with the conventional attributes', async () => {
    await using server = await troubled()
    const api = instrumented()
    expect(await (await api(`${server.origin}/a?token=hidden`)).text()).toBe('there')
    const [call, ...attempts] = spans()
    const { port } = new URL(server.origin)
    const common = {
      'http.request.method': 'GET',
      'server.address': '127.0.0.1',
      'server.port': Number(port),
      'url.scheme': 'http',
    }
    expect(call).toMatchObject({ name: 'GET call', kind: SpanKind.INTERNAL, parentSpanContext: undefined })
    expect(call?.attributes).toEqual({
      ...common,
      'url.full': `${server.origin}/a?token=***`,
      'http.response.status_code': 200,
      'steadfetch.attempts': 4,
    })
    expect(call?.events.map(({ name }) => name)).toEqual(['retry', 'retry', 'redirect'])
    expect(attempts.map(({ name, kind }) => [name, kind])).toEqual(Array(4).fill(['GET', SpanKind.CLIENT]))
    const parent = call?.spanContext().spanId
    expect(attempts.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual(Array(4).fill(parent))
    expect(attempts.map(({ attributes }) => attributes['http.request.resend_count'])).toEqual([undefined, 1, 2, 3])
    expect(attempts.map(({ attributes }) => [attributes['http.response.status_code'], attributes['error.type']])).toEqual([
      [503, '503'],
      [503, '503'],
      [302, undefined],
      [200, undefined],
    ])
    expect(attempts.map(({ status }) => status.code)).toEqual([
      ...[SpanStatusCode.ERROR, SpanStatusCode.ERROR],
      ...[SpanStatusCode.UNSET, SpanStatusCode.UNSET],
    ])
    expect(JSON.stringify(spans().map(({ attributes, events }) => [attributes, events]))).not.toContain('hidden')
  })

  it('are what the server is told of, each of its attempt', async () => {
    await using server = await troubled()
    await instrumented()(`${server.origin}/a`)
    const [, ...attempts] = spans()
    const sent = attempts.map((span) => `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`)
    expect(server.parents).toEqual(sent)
  })

  it('are part of the trace that the caller is in', async () => {
    await using server = await troubled()
    const api = instrumented()
    const own = tracerProvider.getTracer('test').startSpan('own')
    await context.with(trace.setSpan(context.active(), own), () => api(`${server.origin}/a`))
    own.end()
    const call = spans().find(({ name }) => name === 'GET call')
    expect(call?.parentSpanContext?.spanId).toBe(own.spanContext().spanId)
    expect(new Set(spans().map((span) => span.spanContext().traceId)).size).toBe(1)
  })

  it('are not doubled by the instrumentation of undici, which goes on for others', async () => {
    const instrumentation = new UndiciInstrumentation()
    instrumentation.setTracerProvider(tracerProvider)
    instrumentation.enable()
    onTestFinished(() => instrumentation.disable())
    await using server = await troubled()
    await instrumented()(`${server.origin}/a`)
    expect(spans()).toHaveLength(5)
    expect(server.parents.every((parent) => /^00-\w{32}-\w{16}-01$/.test(parent ?? ''))).toBe(true)
    exporter.reset()
    const { body } = await request(`${server.origin}/there`)
    await body.dump()
    await expect.poll(() => spans().length).toBe(1)
  })
})

describe('a span', () => {
  it('of a call that fails says with what', async () => {
    await using server = await httpServer((_request, response) => response.writeHead(404).end())
    await caught(instrumented()(server.origin))
    const [call, attempt] = spans()
    expect(call?.attributes).toMatchObject({ 'error.type': '404', 'http.response.status_code': 404 })
    expect(call?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'ERR_STEADFETCH_HTTP_404' })
    expect(attempt?.attributes).toMatchObject({ 'error.type': '404' })
  })

  it('of an attempt without an answer has the code of its failure', async () => {
    await caught(instrumented({ maxAttempts: 1 })('http://127.0.0.1:65000/'))
    const [call, attempt] = spans()
    expect([call, attempt].map((span) => span?.attributes['error.type'])).toEqual(Array(2).fill('ERR_STEADFETCH_NETWORK_CONNECT'))
  })

  it('ends when the call is aborted, and when a function of the caller throws', async () => {
    await using server = await httpServer(() => {})
    await caught(instrumented()(server.origin, { signal: AbortSignal.timeout(50) }))
    expect(spans()).toHaveLength(2)
    exporter.reset()
    await using failing = await httpServer((_request, response) => response.writeHead(500).end())
    const own = new Error('own')
    const on = {
      500: () => {
        throw own
      },
    }
    expect(await caught(instrumented()(failing.origin, { on }))).toBe(own)
    expect(spans()).toHaveLength(2)
  })

  it('of functions of the caller is not suppressed', async () => {
    await using server = await httpServer((_request, response) => response.writeHead(418).end())
    const tracer = tracerProvider.getTracer('test')
    const on = {
      418: async () => {
        tracer.startSpan('of the policy').end()
        return 'accept' as const
      },
    }
    await instrumented()(server.origin, { on })
    const [call, , own] = spans()
    expect([own?.name, own?.parentSpanContext?.spanId]).toEqual(['of the policy', call?.spanContext().spanId])
  })

  it('has a method that is known, or none', async () => {
    await using server = await httpServer((_request, response) => response.end())
    await instrumented()(server.origin, { method: 'PROPFIND' })
    expect(spans().map(({ name, attributes }) => [name, attributes['http.request.method']])).toEqual([
      ['HTTP call', '_OTHER'],
      ['HTTP', '_OTHER'],
    ])
  })

  it('is no more made once the instrumentation is taken away', async () => {
    await using server = await httpServer((_request, response) => response.end())
    const api = client()
    const remove = instrument(api, { tracerProvider, meterProvider: false })
    await api(server.origin)
    remove()
    await api(server.origin)
    expect(spans()).toHaveLength(2)
  })
})

describe('the metrics of a client', () => {
  it('tell durations by status, retries by reason, and the state of an origin', async () => {
    const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 1_000_000 })
    const meterProvider = new MeterProvider({ readers: [reader] })
    onTestFinished(() => meterProvider.shutdown())
    await using server = await httpServer(({ url }, response) => response.writeHead(url === '/there' ? 200 : 503).end())
    const breaker = { consecutiveFailures: 2, openMs: 50, probes: 1 }
    const api = client({ on: { 503: soon }, maxAttempts: 2, breaker })
    onTestFinished(instrument(api, { tracerProvider: false, meterProvider }))
    await caught(api(`${server.origin}/a`))
    await expect.poll(() => api.breaker(server.origin).state).toBe('half-open')
    await api(`${server.origin}/there`)
    await reader.forceFlush()
    const metrics = metricExporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
    const points = (name: string) => metrics.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? []
    const durations = points('http.client.request.duration').map(({ attributes, value }) => [
      attributes['http.response.status_code'],
      attributes['error.type'],
      (value as { count: number }).count,
    ])
    expect(durations).toEqual([
      [503, '503', 2],
      [200, undefined, 1],
    ])
    expect(points('steadfetch.call.duration')).toHaveLength(2)
    expect(points('steadfetch.retries').map(({ attributes, value }) => [attributes['steadfetch.reason'], value])).toContainEqual([
      'backoff',
      expect.any(Number),
    ])
    expect(points('steadfetch.breaker.state')).toMatchObject([{ attributes: { 'steadfetch.origin': server.origin } }])
    expect(points('steadfetch.budget.tokens')).toMatchObject([{ value: expect.any(Number) }])
  })
})
