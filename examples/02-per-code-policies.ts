// A policy for every code: the most specific key wins, options of a call go before those of the client.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, explain, fail, fallback, follow, retry } from 'steadfetch'

let conflicts = 0
const server = createServer((request, response) => {
  if (request.url === '/missing') response.writeHead(404).end()
  else if (request.url === '/conflict') response.writeHead(++conflicts < 3 ? 409 : 200).end('resolved')
  else if (request.url === '/gone') response.writeHead(410, { location: '/new-home' }).end()
  else if (request.url === '/broken') response.writeHead(500).end()
  else response.end(`you are at ${request.url}`)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

const api = createFetch({
  baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  on: {
    404: 'accept',
    409: retry({ maxAttempts: 5, baseMs: 10 }),
    410: (outcome) => (outcome.response.headers.has('location') ? follow() : fail()),
    '5xx': fallback(() => Response.json({ cached: true }), { after: retry({ baseMs: 10 }) }),
  },
})
console.log('404 accepted:', (await api('missing')).status)
console.log('409 repeated:', await (await api('conflict')).text())
console.log('410 followed:', await (await api('gone')).text())
console.log('500 replaced:', await (await api('broken')).json())
console.log(
  'for one call:',
  await api('missing', { on: { 404: 'fail' } }).catch((error: Error) => error.message.replace(/:\d+/, '')),
)
console.log('explained:', explain(503).policy.kind, explain(503).repeat, explain(503).error)
await api.close()
server.close()
