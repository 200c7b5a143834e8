// OAuth 2.0 client credentials (RFC 6749 §4.4): the token is asked for once, kept, and asked for anew when it is refused.
import { equal } from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, refresh } from 'steadfetch'

let issued = 0
let valid = ''
const server = createServer((request, response) => {
  if (request.url === '/token') {
    issued += 1
    valid = `token-${issued}`
    response.end(JSON.stringify({ access_token: valid, expires_in: 3600 }))
  } else if (valid !== '' && request.headers.authorization === `Bearer ${valid}`) response.end('an order')
  else response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const auth = createFetch({ baseUrl, headers: { authorization: `Basic ${btoa('orders:secret')}` } })
const token = refresh(async () => {
  const answer = await auth('token', { method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials' }) })
  const { access_token } = (await answer.json()) as { access_token: string }
  return { authorization: `Bearer ${access_token}` }
})
const api = createFetch({ baseUrl, on: { 401: token } })

await Promise.all(Array.from({ length: 100 }, (_, index) => api(`orders/${index}`)))
console.log(`100 callers, ${issued} token`)
valid = ''
await Promise.all(Array.from({ length: 100 }, (_, index) => api(`orders/${index}`)))
console.log(`the token expired, 100 callers more: ${issued} tokens`)
equal(issued, 2)
await Promise.all([api.close(), auth.close()])
server.close()
