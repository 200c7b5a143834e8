// One 429 with Retry-After holds every caller of the origin; a probe goes first, the others follow spread out.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, traceOf } from 'steadfetch'

let startMs = 0
let refused = 0
const server = createServer((_request, response) => {
  startMs ||= performance.now()
  if (performance.now() - startMs >= 1_000) return response.end('ok')
  refused += 1
  return response.writeHead(429, { 'retry-after': '1' }).end()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const api = createFetch({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })

const first = api('first')
await new Promise((resolve) => setTimeout(resolve, 100)) // by now the first call has seen its 429
const others = Array.from({ length: 9 }, (_, index) => api(`other/${index}`))
const responses = await Promise.all([first, ...others])

console.log('answered:', responses.filter(({ ok }) => ok).length, 'of 10; refused by the server:', refused)
for (const response of responses.slice(0, 3)) {
  const last = traceOf(response)?.attempts.at(-1)
  console.log(
    new URL(response.url).pathname,
    'waited about',
    Math.round((last?.waitMs ?? 0) / 100) * 100,
    'ms:',
    last?.waitReason,
  )
}
await api.close()
server.close()
