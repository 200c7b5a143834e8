// Every attempt of a client as an HTTP archive, which browsers and Postman import, and a request as a command for curl.
import { equal, ok } from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, isHttpError, recordHar, retry, toCurl } from 'steadfetch'

let requests = 0
const server = createServer((request, response) => {
  requests += 1
  if (request.url === '/orders')
    response.writeHead(422, { 'content-type': 'application/problem+json' }).end('{"title":"no name"}')
  else if (request.url?.startsWith('/old')) response.writeHead(302, { location: '/new?signature=5f3a' }).end()
  else response.writeHead(requests === 1 ? 503 : 200, { 'content-type': 'application/json' }).end('{"access_token":"8c1d"}')
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const api = createFetch({
  baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  headers: { authorization: 'Bearer 77e2' },
  on: { 503: retry({ baseMs: 1 }) },
})

const recorder = recordHar(api, { content: true })
await (await api('users/1')).json()
await (await api('old')).text()
const error: unknown = await api('orders', { method: 'POST', json: { name: '' } }).catch((reason: unknown) => reason)
recorder.stop()

const { entries } = recorder.archive().log
for (const { request, response, timings, _call, _attempt, _waitReason } of entries) {
  const { blocked, connect, wait } = timings
  const where = `${request.method} ${new URL(request.url).pathname} ${response.status}`
  console.log(
    `call ${_call}, attempt ${_attempt}: ${where}, ${[blocked, connect, wait].map((ms) => ms.toFixed(1)).join(' + ')} ms`,
    _waitReason ?? '',
  )
}
equal(entries.length, 5)
equal(entries[1]?._waitReason, 'backoff')
equal(entries[1]?.response.content.text, '{"access_token":"***"}')
ok(!/77e2|5f3a|8c1d/.test(JSON.stringify(entries)))
// writeFileSync('orders.har', JSON.stringify(recorder.archive())) is a file for the network panel of a browser.

if (!isHttpError(error, 422)) throw error
console.log(toCurl(error))
console.log(toCurl(entries.at(-1)))
await api.close()
server.close()
