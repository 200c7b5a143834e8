// Responses are kept as RFC 9111 allows: a fresh one needs no request, a stale one is asked about, a 304 renews it.
import { equal } from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, traceOf } from 'steadfetch'

let requests = 0
let isDown = false
const server = createServer((request, response) => {
  requests += 1
  if (isDown) return response.writeHead(503).end()
  response.setHeader('etag', '"v1"')
  response.setHeader('cache-control', 'max-age=1, stale-if-error=60')
  const unchanged = request.headers['if-none-match'] === '"v1"'
  return response.writeHead(unchanged ? 304 : 200).end(unchanged ? undefined : 'the catalogue')
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const api = createFetch({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cache: true, maxAttempts: 1 })

async function show(what: string): Promise<void> {
  const response = await api('catalogue')
  equal(await response.text(), 'the catalogue')
  console.log(`${what.padEnd(24)} ${traceOf(response)?.cache}`)
}

await show('the first call:')
await show('at once again:')
equal(requests, 1)
await new Promise((resolve) => setTimeout(resolve, 1_100))
await show('a second later:')
equal(requests, 2)
isDown = true
await new Promise((resolve) => setTimeout(resolve, 1_100))
await show('while the server is down:')
await api.close()
server.close()
