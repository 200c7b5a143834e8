// An origin that fails is left alone for a while, then probed by a few calls; one that rejects nearly all gets fewer calls.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFetch, isRefusedError } from 'steadfetch'

let isWell = false
let arrived = 0
const server = createServer((_request, response) => {
  arrived += 1
  response.writeHead(isWell ? 200 : 500).end()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

/** How the call ended, in a word. */
const outcome = (call: Promise<Response>): Promise<string> =>
  call.then(
    ({ status }) => String(status),
    (error) => (isRefusedError(error) ? error.kind : String(error.status)),
  )

const api = createFetch({
  baseUrl,
  maxAttempts: 1,
  breaker: {
    minVolume: 4,
    openMs: 200,
    probes: 2,
    onChange: ({ from, to, openMs }) => console.log(`   ${from} -> ${to}${to === 'open' ? ` for ${Math.round(openMs)} ms` : ''}`),
  },
})
const breaker = api.breaker(baseUrl)

for (let call = 1; call <= 6; call += 1) console.log(`call ${call}:`, await outcome(api('orders')))
assert.equal(arrived, 4)
assert.equal(breaker.state, 'open')

isWell = true
await sleep(250)
assert.equal(breaker.state, 'half-open')
console.log('probes:', await outcome(api('orders')), await outcome(api('orders')))
assert.equal(breaker.state, 'closed')

// By hand, as for a migration: nothing is sent until it is closed.
breaker.isolate()
assert.equal(await outcome(api('orders')), 'isolated')
breaker.close()
assert.equal(await outcome(api('orders')), '200')

// The adaptive throttle lets a part of the calls through all the time, and more as soon as some succeed.
isWell = false
arrived = 0
const throttled = api.extend({ breaker: false, throttle: true })
const outcomes: string[] = []
for (let call = 1; call <= 200; call += 1) outcomes.push(await outcome(throttled('orders')))
const refused = outcomes.filter((word) => word === 'throttled').length
console.log(`of 200 calls ${arrived} were sent, ${refused} were throttled`)
assert.equal(arrived + refused, 200)
assert.ok(refused > 100)
await api.close()
server.close()
