// Targets that come from outside, such as those of webhooks: nothing of one's own network may be asked.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { createFetch, isRefusedError, publicOnly } from 'steadfetch'

const requests: string[] = []
const server = createServer((request, response) => {
  requests.push(`${request.headers.host} ${request.url}`)
  if (request.url === '/moved') response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end()
  else response.writeHead(200, { connection: 'close' }).end('hello')
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo

// A DNS of this example: one name has a private address beside the one of the server, another changes its mind.
let rebound = false
const addresses: Record<string, () => string[]> = {
  'hooks.example.com': () => ['10.0.0.1', '127.0.0.1'],
  'rebinding.example.com': () => [rebound ? '10.0.0.1' : '127.0.0.1'],
}
const lookup: LookupFunction = (name, _options, callback) =>
  callback(
    null,
    (addresses[name]?.() ?? []).map((address) => ({ address, family: 4 })),
  )

// In production `targets: publicOnly` does; the server of this example is on loopback, so that set is left out.
const deny = publicOnly.deny.filter((set) => set !== 'loopback')
const webhooks = createFetch({ targets: { ...publicOnly, deny }, connect: { lookup }, maxAttempts: 1 })

async function deliver(target: string): Promise<string> {
  try {
    return await (await webhooks(target)).text()
  } catch (error) {
    if (isRefusedError(error)) return error.kind
    throw error
  }
}

console.log('a name, at the one of its addresses that is allowed:', await deliver(`http://hooks.example.com:${port}/`))
console.log('a redirect to the metadata of the cloud:', await deliver(`http://hooks.example.com:${port}/moved`))
console.log('a name that is let go once:', await deliver(`http://rebinding.example.com:${port}/`))
rebound = true
console.log('and leads elsewhere then:', await deliver(`http://rebinding.example.com:${port}/`))
const hidden = [
  'http://3232235777/',
  'http://0xa9fea9fe/',
  'http://[::ffff:10.0.0.1]/',
  'http://[64:ff9b::10.0.0.1]/',
  'http://redis:6379/',
]
for (const target of hidden) console.log(`${target}:`, await deliver(target))

assert.deepEqual(requests, [`hooks.example.com:${port} /`, `hooks.example.com:${port} /moved`, `rebinding.example.com:${port} /`])
for (const target of hidden) assert.equal(await deliver(target), 'target forbidden')

// Who gets the client may add rules, and take none away.
const strict = webhooks.extend({ targets: { ports: [443], schemes: ['https'] } })
await assert.rejects(strict(`http://hooks.example.com:${port}/`), { code: 'ERR_STEADFETCH_REFUSED_TARGET_FORBIDDEN' })
assert.throws(() => webhooks.extend({ targets: false }), TypeError)
await webhooks.close()
server.close()
