// Replace fetch: the signature is the same, failed statuses throw, safe requests are repeated.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fetch } from 'steadfetch'

const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  if (request.method === 'POST') request.pipe(response)
  else response.end(JSON.stringify({ id: 1, name: 'Ada' }))
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const response = await fetch(`${origin}/users/1`)
console.log(response.status, await response.json())

// Everything of RequestInit works; `json` is a shorthand for content and its Content-Type.
const created = await fetch(new URL('/users', origin), { method: 'POST', json: { name: 'Grace' } })
console.log(created.headers.get('content-type'), await created.json())

// A global Request too, and it can be assigned wherever a fetch is wanted.
const standard: typeof globalThis.fetch = fetch
console.log((await standard(new Request(origin, { method: 'HEAD' }))).ok)
server.close()
