// While a server still works on its answer, an early hint (103) names what will be needed: fetch it, or connect, meanwhile.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, type Information } from 'steadfetch'

const workMs = 100
const server = createServer((request, response) => {
  if (request.url === '/style.css') {
    response.end('body { color: teal }')
    return
  }
  response.writeEarlyHints({
    link: ['</style.css>; rel=preload; as=style', "<https://cdn.example.com>; rel=preconnect; title*=UTF-8''M%C3%BCnchen"],
  })
  setTimeout(() => response.end('the page'), workMs)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const api = createFetch({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })

const hints: string[] = []
const preloaded = new Map<string, Promise<Response>>()

/** Takes what is worth an early start. */
function onInformation({ status, links }: Information): void {
  for (const { target, rel, as, params } of links) {
    hints.push(`${status}: ${rel.join(' ')} ${as ?? params.title} ${new URL(target).pathname}`)
    if (rel.includes('preload')) preloaded.set(target, api(target))
  }
}

const startMs = performance.now()
const page = await api('page', { onInformation })
const pageMs = performance.now() - startMs
console.log(hints)
const [style] = preloaded.values()
console.log(await page.text(), 'and', await (await style)?.text())
console.log('the page took', Math.round(pageMs), 'ms, its style none of its own')
assert.deepEqual(hints, ['103: preload style /style.css', '103: preconnect München /'])
assert.ok(pageMs >= workMs - 5, 'the hints came before the page')
await api.close()
server.close()
