// A second request for a slow answer: whichever comes first counts, the other one is cancelled.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, traceOf } from 'steadfetch'

// Every tenth answer takes a second.
let requests = 0
const server = createServer((_request, response) => {
  requests += 1
  setTimeout(() => response.end('{}'), requests % 10 === 5 ? 1_000 : 5)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const plain = createFetch({ baseUrl })
const hedged = createFetch({ baseUrl, hedge: { afterMs: 50 } })

for (const [name, api] of Object.entries({ plain, hedged })) {
  requests = 0
  let slowestMs = 0
  for (let call = 0; call < 20; call += 1) slowestMs = Math.max(slowestMs, traceOf(await api('items'))?.totalMs ?? 0)
  console.log(`${name}: slowest of 20 calls ${slowestMs < 500 ? 'under' : 'over'} 500 ms, ${requests} requests`)
}
await Promise.all([plain.close(), hedged.close()])
server.closeAllConnections()
server.close()
