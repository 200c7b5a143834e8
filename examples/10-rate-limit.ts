// The quota an origin tells of in its RateLimit fields is kept, so that no 429 comes; beside it a limit of our own.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ClientOptions, createFetch, traceOf } from 'steadfetch'

const [limit, windowMs] = [10, 1_000]
let endMs = 0
let used = 0
let refused = 0
const server = createServer((_request, response) => {
  const nowMs = performance.now()
  if (nowMs >= endMs) {
    endMs = nowMs + windowMs
    used = 0
  }
  used += 1
  if (used > limit) refused += 1
  response.setHeader('ratelimit-policy', `"default";q=${limit};w=${windowMs / 1_000}`)
  response.setHeader('ratelimit', `"default";r=${Math.max(0, limit - used)};t=${Math.ceil((endMs - nowMs) / 1_000)}`)
  response.writeHead(used > limit ? 429 : 200).end()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

async function load(options: ClientOptions): Promise<{ refused: number; waitedMs: number }> {
  const api = createFetch({ baseUrl, errors: 'return', ...options })
  refused = 0
  await api('first') // tells what is left
  const responses = await Promise.all(Array.from({ length: 15 }, (_, index) => api(`call/${index}`)))
  const waits = responses
    .flatMap((response) => traceOf(response)?.attempts ?? [])
    .filter((attempt) => attempt.waitReason === 'rate limit')
  await api.close()
  return { refused, waitedMs: Math.max(0, ...waits.map(({ waitMs }) => waitMs)) }
}

const without = await load({ maxAttempts: 1 })
console.log('without rateLimit: refused', without.refused, 'times by the server')
assert.ok(without.refused > 0)

await new Promise((resolve) => setTimeout(resolve, windowMs))
const following = await load({ rateLimit: true })
console.log('rateLimit: true:   refused', following.refused, 'times; the last call waited', Math.round(following.waitedMs), 'ms')
assert.equal(following.refused, 0)

await new Promise((resolve) => setTimeout(resolve, windowMs))
const own = await load({ rateLimit: { limit: 9, burst: 1, followServer: false } })
console.log('9 per second:      refused', own.refused, 'times; the last call waited', Math.round(own.waitedMs), 'ms')
assert.equal(own.refused, 0)
server.close()
