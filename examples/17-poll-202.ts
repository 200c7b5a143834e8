// Work that is accepted (202) and done later: its status monitor is asked until the result is there.
import { deepEqual } from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, poll, traceOf } from 'steadfetch'

let asked = 0
const server = createServer((request, response) => {
  request.resume()
  if (request.method === 'POST') response.writeHead(202, { location: '/jobs/1' }).end()
  else if (request.url === '/reports/1') response.setHeader('content-type', 'application/json').end('{"rows":3}')
  else {
    asked += 1
    if (asked < 3) response.writeHead(202, { 'retry-after': '0' }).end()
    else response.writeHead(303, { location: '/reports/1' }).end()
  }
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const api = createFetch({
  baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  on: { 202: poll({ intervalMs: 100, timeoutMs: 10_000 }) },
})

const report = await api('reports', { method: 'POST', json: { year: 2026 } })
deepEqual(await report.json(), { rows: 3 })
for (const { method, url, status } of traceOf(report)?.attempts ?? []) console.log(method, new URL(url).pathname, status)
await api.close()
server.close()
