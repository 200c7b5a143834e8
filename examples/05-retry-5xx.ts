// 5xx are repeated with full jitter, but only what is safe: idempotent methods, or an Idempotency-Key.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, retry, traceOf } from 'steadfetch'

const seen = new Map<string, number>()
const server = createServer((request, response) => {
  const visit = (seen.get(request.url ?? '') ?? 0) + 1
  seen.set(request.url ?? '', visit)
  request.resume().on('end', () => response.writeHead(visit < 3 ? 503 : 200).end(`after ${visit} attempts`))
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const api = createFetch({
  baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  on: { '5xx': retry({ baseMs: 20, capMs: 200 }) },
})

console.log('GET: ', await (await api('get')).text())
console.log('PUT: ', await (await api('put', { method: 'PUT', json: { a: 1 } })).text())
const refused = await api('post', { method: 'POST', json: { amount: 5 } }).catch((error: unknown) => error)
console.log('POST:', (refused as Error).name, '-', traceOf(refused)?.notRepeated)
const keyed = await api('pay', { method: 'POST', json: { amount: 5 }, headers: { 'idempotency-key': crypto.randomUUID() } })
console.log('POST with a key:', await keyed.text())
for (const { status, waitMs, waitReason } of traceOf(keyed)?.attempts ?? [])
  console.log('  ', status, Math.round(waitMs), 'ms', waitReason ?? '')
await api.close()
server.close()
