// Calls that ask for the same at the same time: one request, and each of them gets all of the answer.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, traceOf } from 'steadfetch'

let requests = 0
const server = createServer((_request, response) => {
  requests += 1
  setTimeout(() => response.end(`answer ${requests}`), 50)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const api = createFetch({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, coalesce: true })

const responses = await Promise.all(Array.from({ length: 100 }, () => api('rates')))
const texts = new Set(await Promise.all(responses.map((response) => response.text())))
const joined = responses.filter((response) => traceOf(response)?.coalesced === true).length
console.log(`100 calls: ${requests} request, ${joined} joined it, all got "${[...texts].join()}"`)
assert.deepEqual([requests, joined, texts.size], [1, 99, 1])

// Other credentials make another request.
await Promise.all(['a', 'b', 'a', 'b'].map((token) => api('rates', { headers: { authorization: `Bearer ${token}` } })))
console.log(`4 calls of two users: ${requests - 1} requests`)
assert.equal(requests, 3)

// One caller who gives up does not take the others along.
const hurried = api('rates', { timeoutMs: 10 }).catch((error: Error) => error.name)
const patient = api('rates')
console.log(`hurried: ${await hurried}, patient: ${await (await patient).text()}, ${requests - 3} request`)
assert.equal(requests, 4)

await api.close()
server.close()
