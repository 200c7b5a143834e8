// Work that takes long: a 202 is followed to its outcome, by Location or by Operation-Location.
import assert from 'node:assert'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, isTimeoutError, OperationFailedError, poll, traceOf } from 'steadfetch'

const asked = new Map<string, number>()
const server = createServer((request, response) => {
  const path = request.url ?? ''
  const times = (asked.get(path) ?? 0) + 1
  asked.set(path, times)
  const json = (value: object) => response.setHeader('content-type', 'application/json').end(JSON.stringify(value))
  if (path === '/reports') response.writeHead(202, { location: '/jobs/1' }).end()
  else if (path === '/jobs/1' && times < 3) response.writeHead(202).end()
  else if (path === '/jobs/1') response.writeHead(303, { location: '/reports/1' }).end()
  else if (path === '/reports/1') json({ rows: 42 })
  else if (path === '/copies') response.writeHead(202, { 'operation-location': '/operations/1' }).end()
  else if (path === '/operations/1') json(times < 2 ? { status: 'Running' } : { status: 'Failed', error: { code: 'NoSpace' } })
  else response.writeHead(202, { location: '/endless' }).end()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const api = createFetch({
  baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  on: { 202: poll({ intervalMs: 20, timeoutMs: 5_000 }) },
})

// Polled until a 303 leads to the result.
const report = await api('reports', { method: 'POST', json: { year: 2026 } })
const waits = traceOf(report)?.attempts.filter(({ waitReason }) => waitReason === 'poll').length
console.log('report:', await report.json(), `after ${waits} polls`)
assert.equal(waits, 3)

// Work that fails in the end is an error, although its status is 200.
const failed = await api('copies', { method: 'POST', body: 'a' }).catch((error: unknown) => error)
assert(failed instanceof OperationFailedError)
console.log(failed.message.replace(/:\d+\//, '/').replace(/, \d+ ms/, ''), failed.operation)

// Work that takes too long is given up here; it may well go on there.
const late = await api('endless', { method: 'POST', on: { 202: poll({ intervalMs: 20, timeoutMs: 100 }) } }).catch(
  (error) => error,
)
assert(isTimeoutError(late))
console.log('endless:', late.kind, late.code, 'retryable:', late.retryable)

await api.close()
server.close()
