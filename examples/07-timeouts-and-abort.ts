// Three time limits told apart, and the caller's own signal, whose reason comes back unchanged.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, isTimeoutError } from 'steadfetch'

const server = createServer((request, response) => {
  if (request.url === '/silent') return
  response.write('first part, ')
  if (request.url === '/drip') setInterval(() => response.write('.'), 50).unref()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const api = createFetch({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, maxAttempts: 1 })

const kinds = {
  'no header in time': () => api('silent', { attemptTimeoutMs: 100 }),
  'the whole call, body included': async () => (await api('drip', { timeoutMs: 300 })).text(),
  'a body that fell silent': async () => (await api('stalled', { idleTimeoutMs: 100 })).text(),
}
for (const [what, call] of Object.entries(kinds)) {
  const error = await call().catch((reason: unknown) => reason)
  if (isTimeoutError(error)) console.log(`${what}: ${error.kind}`)
}

const controller = new AbortController()
setTimeout(() => controller.abort(new Error('the user went away')), 50)
console.log(await api('silent', { signal: controller.signal }).catch((reason: Error) => reason.message))
await api.close()
server.closeAllConnections()
server.close()
