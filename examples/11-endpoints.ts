// Several endpoints for one client: calls go to the better of two, and to another at once when one fails.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, traceOf } from 'steadfetch'

const servers = ['a', 'b', 'c'].map((name) =>
  createServer((request, response) => request.resume().on('end', () => response.end(name))),
)
for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const api = createFetch({
  endpoints: servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`),
})

/** Who answers thirty calls, and how many attempts that took. */
async function thirty(): Promise<{ answers: Record<string, number>; attempts: number }> {
  const answers: Record<string, number> = {}
  let attempts = 0
  for (let call = 0; call < 30; call += 1) {
    const response = await api('users/1')
    const name = await response.text()
    answers[name] = (answers[name] ?? 0) + 1
    attempts += traceOf(response)?.attempts.length ?? 0
  }
  return { answers, attempts }
}

console.log('all are well:  ', await thirty())
servers[2]?.closeAllConnections()
servers[2]?.close()
const without = await thirty()
console.log('c is stopped:  ', without)
assert.equal(without.answers.c, undefined)
assert.ok(without.attempts <= 36)

// Nothing was sent to the one that is gone: then even a POST may go to another.
const posted = await api('orders', { method: 'POST', json: { amount: 5 } })
console.log('a POST:        ', posted.status, 'from', await posted.text())
await api.close()
for (const server of servers) server.close()
