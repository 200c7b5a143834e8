// A session in a cookie jar, and a POST that is safe to repeat because of its Idempotency-Key.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch } from 'steadfetch'

// A server that forgets to answer the first of two POSTs, but not what it did.
const done = new Map<string, string>()
const server = createServer((request, response) => {
  const { cookie, 'idempotency-key': key } = request.headers
  request.resume().on('end', () => {
    if (request.url === '/login') response.writeHead(303, { location: '/', 'set-cookie': ['sid=1; HttpOnly', 'lang=en'] }).end()
    else if (cookie !== 'sid=1; lang=en') response.writeHead(403).end()
    else if (request.method === 'GET') response.end('logged in')
    else if (done.has(String(key))) response.end(done.get(String(key)))
    else {
      done.set(String(key), `order ${done.size + 1}`)
      response.writeHead(503).end()
    }
  })
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

// The least of a jar; `new CookieJar()` of tough-cookie knows about paths, domains and expiry, too.
const kept = new Map<string, string>()
const cookies = {
  getCookieString: (url: string) => (url.startsWith(baseUrl) ? [...kept.values()].join('; ') : ''),
  setCookie: (cookie: string) => kept.set(cookie.split('=', 1)[0] ?? '', cookie.split(';', 1)[0] ?? ''),
}
const api = createFetch({ baseUrl, cookies, idempotencyKey: true })

console.log('after a redirect:', await (await api('login', { method: 'POST', json: { user: 'x' } })).text())
const order = await (await api('orders', { method: 'POST', json: { quantity: 1 } })).text()
console.log('after a 503:', order, 'of', done.size, '- its key was', [...done.keys()][0])
assert.deepEqual([order, done.size], ['order 1', 1])
await api.close()
server.close()
