// Redirects by RFC 9110: methods, hops, and no credential or content for another origin.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, RedirectError, traceOf } from 'steadfetch'

const other = createServer((request, response) => response.end(`authorization: ${request.headers.authorization ?? 'none'}`))
await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`
const server = createServer((request, response) => {
  const to = (status: number, location: string) => response.writeHead(status, { location }).end()
  if (request.url === '/old') to(301, '/new')
  else if (request.url === '/form') to(303, '/new')
  else if (request.url === '/elsewhere') to(307, elsewhere)
  else if (request.url === '/circle') to(302, '/circle')
  else response.end(`${request.method} ${request.url}`)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const api = createFetch({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })

const moved = await api('old')
console.log(await moved.text(), moved.redirected, traceOf(moved)?.redirects.length, 'hop')
console.log(await (await api('form', { method: 'POST', body: 'a=1' })).text())
console.log(await (await api('elsewhere', { headers: { authorization: 'Bearer secret' } })).text())
for (const [path, init] of [
  ['circle', {}],
  ['elsewhere', { method: 'POST', body: 'private' }],
  ['old', { redirect: 'error' }],
] as const) {
  const error = await api(path, init).catch((reason: unknown) => reason)
  if (error instanceof RedirectError) console.log(path, '->', error.code)
}
console.log('by hand:', (await api('old', { redirect: 'manual' })).headers.get('location'))
await api.close()
server.close()
other.close()
