// The main job at work: every class of status on real HTTP traffic, one line each.
import { createFetch, explain, fallback, isHttpError, retry, SteadfetchError, type SteadInit, traceOf } from 'steadfetch'
import { startServer } from './server.ts'

const stops: [path: string, note: string, init?: SteadInit][] = [
  ['/early-hints', '103 surfaced, then 200'],
  ['/status/200', 'delivered'],
  ['/status/204', 'delivered, no content'],
  ['/moved', '301 followed'],
  ['/form', 'POST, 303 followed with GET', { method: 'POST', body: 'a=1' }],
  ['/unchanged', 'own condition: 304 delivered', { headers: { 'if-none-match': '"v1"' } }],
  ['/circle', 'redirect loop ends after 20 hops'],
  ['/away', 'redirect to ftp: refused'],
  ['/status/400', 'thrown'],
  ['/status/401', 'thrown'],
  ['/status/403', 'thrown'],
  ['/status/404', 'thrown'],
  ['/status/404', '404: accept, for this call', { on: { 404: 'accept' } }],
  ['/status/418', 'thrown, no class of its own'],
  ['/problem', 'problem details read'],
  ['/status/408', 'repeated'],
  ['/limited', 'origin paused, then repeated'],
  ['/status/500', 'repeated in vain'],
  ['/status/500', 'POST is not repeated', { method: 'POST', body: '{}' }],
  ['/status/500', 'POST with a key is', { method: 'POST', body: '{}', headers: { 'idempotency-key': 'order-17' } }],
  ['/flaky', '503, 503, then 200'],
  ['/status/501', 'thrown, not worth a repeat'],
  ['/status/502', 'fallback after the retries', { on: { 502: fallback(new Response('cached'), { after: retry() }) } }],
  ['/reset', 'connection lost, repeated'],
  ['/dead', 'connection lost every time'],
  ['/silent', 'attempts time out', { attemptTimeoutMs: 200 }],
  ['/drip', 'the body never ends', { timeoutMs: 300 }],
]

const server = await startServer()
const client = createFetch({ baseUrl: server.origin })
const rows: string[][] = []
for (const [path, note, init = {}] of stops) rows.push(await visit(path, note, init))
const calm = createFetch({ baseUrl: server.origin, errors: 'return' })
rows.push(await visit('/status/503', "errors: 'return'", {}, calm))
rows.push(await visit('/maintenance', 'Retry-After of an hour: no wait'))
rows.push(await visit('/status/200', 'the origin asked for a pause'))
print(['request', 'built-in policy', 'what happened', 'attempts', 'waited', 'outcome'], rows)
await Promise.all([client.close(), calm.close()])
server.stop()

async function visit(path: string, note: string, init: SteadInit = {}, fetch = client): Promise<string[]> {
  let result: unknown
  let outcome: string
  try {
    const response = await fetch(path, init)
    result = response
    const size = (await response.text()).length
    outcome = `${response.status} with ${size} characters`
  } catch (error) {
    result ??= error
    outcome = describe(error)
  }
  const attempts = traceOf(result)?.attempts ?? []
  const waitedMs = attempts.reduce((sum, attempt) => sum + attempt.waitMs, 0)
  const status = attempts[0]?.status
  const policy = status === undefined ? 'network: retry' : `${status}: ${explain(status).policy.kind}`
  return [`${init.method ?? 'GET'} ${path}`, policy, note, String(attempts.length), `${Math.round(waitedMs)} ms`, outcome]
}

function describe(error: unknown): string {
  if (isHttpError(error, 422)) return `${error.name}: ${error.problem?.detail}`
  return error instanceof SteadfetchError ? error.name : `unexpected: ${String(error)}`
}

function print(head: string[], lines: string[][]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)))
  const show = (line: string[]): string =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  console.log([show(head), widths.map((width) => '-'.repeat(width)).join('  '), ...lines.map(show)].join('\n'))
}
