// A token is got when a 401 asks for one, once for all callers that wait, and goes to the origin of the API alone.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, refresh, traceOf } from 'steadfetch'

// A server of both: tokens for client credentials (RFC 6749 §4.4), and an API behind them (RFC 6750).
let issued = 0
let good: string | undefined
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    if (request.url === '/token') {
      good = `token-${++issued}`
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ access_token: good, token_type: 'Bearer', expires_in: 3_600 }))
    } else if (request.headers.authorization === `Bearer ${good}`) response.end(`welcome with ${good}`)
    else response.writeHead(401, { 'www-authenticate': 'Bearer realm="api", error="invalid_token"' }).end()
  })
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const tokens = createFetch({ baseUrl, headers: { authorization: `Basic ${btoa('client:secret')}` } })
const bearer = refresh(
  async ({ challenges }) => {
    console.log('  asked for a token, because of', challenges[0]?.params.error ?? 'nothing yet')
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    const { access_token } = (await (await tokens('token', { method: 'POST', body })).json()) as { access_token: string }
    return { authorization: `Bearer ${access_token}` }
  },
  // Before the first request, and a minute before each token expires.
  { eager: true, maxAgeMs: 3_540_000 },
)
const api = createFetch({ baseUrl, on: { 401: bearer } })

console.log('first call:', await (await api('orders/1')).text())
good = undefined
console.log('the token is taken back; a hundred calls at once:')
const answers = await Promise.all(Array.from({ length: 100 }, (_, id) => api(`orders/${id}`, { method: 'POST', json: { id } })))
const texts = await Promise.all(answers.map((answer) => answer.text()))
console.log('  all of them:', [...new Set(texts)].join())
for (const { status, waitReason } of traceOf(answers[0])?.attempts ?? []) console.log('  ', status, waitReason ?? '')
assert.deepEqual([issued, [...new Set(texts)]], [2, ['welcome with token-2']])
await api.close()
await tokens.close()
server.close()
