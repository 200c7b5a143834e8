// A span per call and per attempt, and metrics that a Prometheus server scrapes.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { createFetch, retry } from 'steadfetch'
import { instrument } from 'steadfetch/otel'

// A service that fails twice, then sends its callers elsewhere; and the page of the metrics.
let asked = 0
const prometheus = new PrometheusExporter({ preventServerStart: true })
const server = createServer((request, response) => {
  if (request.url === '/metrics') prometheus.getMetricsRequestHandler(request, response)
  else if (request.url === '/orders') response.end('[]')
  else if (++asked <= 2) response.writeHead(503).end()
  else response.writeHead(302, { location: '/orders' }).end()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

// What a service has anyway: a context manager, and where spans and metrics go.
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
const spans = new InMemorySpanExporter()
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
const meterProvider = new MeterProvider({ readers: [prometheus] })

const api = createFetch({ baseUrl, on: { 503: retry({ baseMs: 20 }) } })
instrument(api, { tracerProvider, meterProvider })
console.log('answer:', await (await api('old-orders?token=secret')).text())

const finished = spans.getFinishedSpans()
const call = finished.find(({ name }) => name === 'GET call')
for (const { name, attributes, parentSpanContext } of [call, ...finished.filter((span) => span !== call)].filter(
  (span) => !!span,
)) {
  const { 'http.response.status_code': status, 'http.request.resend_count': resends, 'url.full': url } = attributes
  console.log(
    parentSpanContext === undefined ? name : `  └ ${name}`,
    status,
    url,
    resends === undefined ? '' : `resend ${resends}`,
  )
}
const page = await (await fetch(`${baseUrl}/metrics`)).text()
for (const line of page.split('\n')) {
  if (/^http_client_request_duration_count|^steadfetch_(?:retries|budget)/.test(line)) console.log(line)
}
assert.equal(finished.length, 5)
assert.match(page, /http_client_request_duration_count\{[^}]*http_response_status_code="503"[^}]*\} 2/)
assert.match(page, /steadfetch_retries_total\{[^}]*\} 2/)
await api.close()
server.close()
