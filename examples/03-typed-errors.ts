// One class per registered status, problem details (RFC 9457), and failures told apart.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, isHttpError, isNetworkError, isTimeoutError, NotFoundError, ServerError } from 'steadfetch'

const server = createServer((request, response) => {
  if (request.url === '/orders') {
    response.writeHead(422, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ title: 'Invalid order', detail: 'quantity must be positive', pointer: '#/quantity' }))
  } else if (request.url === '/reset') request.socket.destroy()
  else if (request.url !== '/silent') response.writeHead(Number(request.url?.slice(1)), { 'x-request-id': 'r-17' }).end('sorry')
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const api = createFetch({
  baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  attemptTimeoutMs: 100,
  maxAttempts: 2,
})

for (const path of ['404', 'orders', '500', 'reset', 'silent']) {
  try {
    await api(path, { method: path === 'orders' ? 'POST' : 'GET' })
  } catch (error) {
    if (error instanceof NotFoundError) console.log('not found:', error.body, error.headers.get('x-request-id'))
    else if (isHttpError(error, 422)) console.log('invalid:', error.problem?.detail, error.problem?.pointer)
    else if (error instanceof ServerError) console.log('their fault:', error.name, error.attempts, 'attempts')
    else if (isNetworkError(error)) console.log('network:', error.kind, error.code)
    else if (isTimeoutError(error)) console.log('too slow:', error.kind, error.attempts, 'attempts')
    else throw error
  }
}
await api.close()
server.close()
