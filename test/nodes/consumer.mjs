// Imports every export of the installed package, and makes one call of each kind.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import * as steadfetch from 'steadfetch'

for (const [name, value] of Object.entries(steadfetch)) assert.notEqual(value, undefined, name)
assert.ok(Object.keys(steadfetch).length > 60, `${Object.keys(steadfetch).length} exports`)

const server = createServer((request, response) => {
  response.writeHead(request.url === '/missing' ? 404 : 200, { 'content-type': 'application/json' }).end('{"a":1}')
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${server.address().port}`
const response = await steadfetch.fetch(origin)
assert.ok(response instanceof Response)
assert.deepEqual(await response.json(), { a: 1 })
assert.equal(response.url, `${origin}/`)
assert.equal(response.clone === undefined, false)
await assert.rejects(steadfetch.fetch(`${origin}/missing`), steadfetch.NotFoundError)
const form = new FormData()
form.set('a', '1')
assert.equal((await steadfetch.fetch(origin, { method: 'POST', body: form })).status, 200)
server.close()
console.log(`${process.version}: ${Object.keys(steadfetch).length} exports`)
