// One deadline for all the work behind a request: services tell each other what is left of it.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, isTimeoutError, remainingMs, withDeadline } from 'steadfetch'

const field = 'request-timeout-ms'
const listen = async (server: ReturnType<typeof createServer>): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

// The service at the end never answers; it only sees how long it may take.
const stock = createServer((request) => console.log(`stock has ${within(request.headers[field])}`))
const stockApi = createFetch({ baseUrl: await listen(stock), deadlineField: field })

// The service between inherits the deadline of its caller; its own calls need no number of their own.
const orders = createServer((request, response) => {
  withDeadline(Number(request.headers[field] ?? 30_000), async () => {
    console.log(`orders has ${within(remainingMs())}`)
    const error = await stockApi('items/1').catch((reason: unknown) => reason)
    console.log(`orders gives up: ${isTimeoutError(error) ? error.kind : String(error)}`)
    response.writeHead(504).end()
  })
})
const api = createFetch({ baseUrl: await listen(orders), deadlineField: field, maxAttempts: 1 })

const error = await api('orders/1', { timeoutMs: 300 }).catch((reason: unknown) => reason)
console.log(`the caller gives up: ${isTimeoutError(error) ? error.kind : String((error as Error).message)}`)
await new Promise((resolve) => setTimeout(resolve, 50))
for (const server of [stock, orders]) {
  server.closeAllConnections()
  server.close()
}

function within(ms: unknown): string {
  return Number(ms) <= 300 ? 'at most 300 ms' : `${ms} ms`
}
