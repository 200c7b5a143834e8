// An HTTP cache: fresh responses answer by themselves, stale ones are validated by a 304 or stand in while the service is away.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFetch, traceOf } from 'steadfetch'

// The list of prices is fresh for a second; then the service is asked whether it has changed, and then it fails.
let requests = 0
let isAway = false
const server = createServer((request, response) => {
  requests += 1
  if (isAway) return response.writeHead(503).end()
  response.setHeader('etag', '"v1"').setHeader('cache-control', 'max-age=1, stale-if-error=60')
  if (request.headers['if-none-match'] === '"v1"') return response.writeHead(304).end()
  return response.end('a large list of prices')
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const api = createFetch({ baseUrl, cache: true })

async function ask(expected: RegExp): Promise<void> {
  const response = await api('prices')
  const status = traceOf(response)?.cache ?? ''
  assert.match(status, expected)
  console.log(`${response.status} ${await response.text()}, ${requests} requests so far: ${status}`)
}

await ask(/fwd=miss; fwd-status=200; stored/)
await ask(/hit; ttl=/)
await sleep(1_100)
await ask(/fwd=stale; fwd-status=304; stored/)
assert.equal(requests, 2)
isAway = true
await sleep(1_100)
await ask(/fwd=stale; fwd-status=503; ttl=-\d; detail=stale-if-error/)
await api.close()
server.closeAllConnections()
server.close()
