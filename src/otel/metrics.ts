import type { Meter } from '@opentelemetry/api'
import type { EventOf, SteadFetch, Unsubscribe } from '../index.ts'
import { requestAttributes, resultAttributes } from './attributes.ts'

/** Seconds, as the semantic conventions advise. */
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
/** What the gauge of a breaker shows. */
const states = { 'breaker.closed': 0, 'breaker.halfOpened': 1, 'breaker.opened': 2 } as const

/** Durations of attempts and calls, and counts of what was done about trouble. */
export function measureCalls(client: SteadFetch, meter: Meter): Unsubscribe[] {
  const histogram = (name: string, description: string) =>
    meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: boundaries } })
  const attempts = histogram('http.client.request.duration', 'Duration of HTTP client requests.')
  const calls = histogram('steadfetch.call.duration', 'Duration of calls, all attempts and waits included.')
  const attemptEnded = (hasFailed: boolean) => (event: EventOf<'attempt.failed'>) => {
    const { request, result } = event
    attempts.record(result.durationMs / 1_000, { ...requestAttributes(request), ...resultAttributes(result, hasFailed) })
  }
  return [
    client.on('attempt.succeeded', attemptEnded(false)),
    client.on('attempt.failed', attemptEnded(true)),
    client.on('call.ended', (event) => {
      const attributes = { ...requestAttributes(event.request), ...resultAttributes(event, event.error !== undefined) }
      calls.record(event.trace.totalMs / 1_000, attributes)
    }),
    ...countTrouble(client, meter),
    ...showOrigins(client, meter),
  ]
}

function countTrouble(client: SteadFetch, meter: Meter): Unsubscribe[] {
  const counter = (name: string, description: string) => meter.createCounter(`steadfetch.${name}`, { description })
  const retries = counter('retries', 'Requests that were sent again.')
  const refusals = counter('retries.refused', 'Failures that were not repeated although their policy would have.')
  const pauses = counter('pauses', 'Pauses that an origin asked for.')
  const hedges = counter('hedges', 'Requests that were sent a second time as their answer took long.')
  const cache = counter('cache', 'What the cache did.')
  return [
    client.on('retry.scheduled', ({ request, status, error, reason }) => {
      const attributes = { ...requestAttributes(request), ...resultAttributes({ ...present({ status, error }) }, true) }
      retries.add(1, { ...attributes, 'steadfetch.reason': reason })
    }),
    client.on('retry.refused', ({ request, why }) => {
      refusals.add(1, { ...requestAttributes(request), 'steadfetch.reason': why })
    }),
    client.on('pause.started', ({ origin, status }) => {
      pauses.add(1, { 'steadfetch.origin': origin, 'http.response.status_code': status })
    }),
    client.on('hedge.sent', ({ request }) => hedges.add(1, { ...requestAttributes(request), 'steadfetch.result': 'sent' })),
    client.on('hedge.won', ({ request }) => hedges.add(1, { ...requestAttributes(request), 'steadfetch.result': 'won' })),
    ...(['cache.hit', 'cache.stale', 'cache.revalidated', 'cache.stored'] as const).map((name) =>
      client.on(name, ({ request }) => {
        cache.add(1, { ...requestAttributes(request), 'steadfetch.result': name.slice('cache.'.length) })
      }),
    ),
  ]
}

/** What is known of an origin, as it changes. */
function showOrigins(client: SteadFetch, meter: Meter): Unsubscribe[] {
  const breaker = meter.createGauge('steadfetch.breaker.state', { description: '0 closed, 1 half-open, 2 open.' })
  const budget = meter.createGauge('steadfetch.budget.tokens', { description: 'What is left of the retry budget.' })
  const tokensOf = ({ request, tokens }: EventOf<'retry.refused'> | EventOf<'retry.scheduled'>): void => {
    const origin = URL.parse(request.url)?.origin
    if (tokens !== undefined && origin !== undefined) budget.record(tokens, { 'steadfetch.origin': origin })
  }
  return [
    client.on('retry.scheduled', tokensOf),
    client.on('retry.refused', tokensOf),
    ...(Object.keys(states) as (keyof typeof states)[]).map((name) =>
      client.on(name, ({ origin }) => breaker.record(states[name], { 'steadfetch.origin': origin })),
    ),
  ]
}

function present(result: { readonly status: number | undefined; readonly error: string | undefined }): {
  status?: number
  error?: string
} {
  const { status, error } = result
  return { ...(status === undefined ? {} : { status }), ...(error === undefined ? {} : { error }) }
}
