// How many requests a server can work on at a time is found out from its response times; more would only queue there.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ClientOptions, createFetch, traceOf } from 'steadfetch'

const [workers, workMs, callers] = [4, 10, 40]
const queue: (() => void)[] = []
let working = 0
let atATime = 0

/** Works on four requests at a time; the others wait. */
function work(): void {
  while (working < workers && queue.length > 0) {
    const finish = queue.shift()
    working += 1
    setTimeout(() => {
      working -= 1
      finish?.()
      work()
    }, workMs)
  }
}

const server = createServer((_request, response) => {
  queue.push(() => response.end('ok'))
  atATime = Math.max(atATime, working + queue.length)
  work()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

/** Many callers, each with one call after the other; what was seen of the last 200 calls. */
async function load(calls: number, options: ClientOptions): Promise<{ atATime: number; responseMs: number }> {
  const api = createFetch({ baseUrl, ...options })
  const durations: number[] = []
  let left = calls
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      if (left === 200) atATime = 0
      const response = await api('')
      await response.text()
      durations.push(traceOf(response)?.attempts[0]?.durationMs ?? 0)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  await api.close()
  const last = durations.slice(-200)
  return { atATime, responseMs: Math.round(last.reduce((sum, ms) => sum + ms, 0) / last.length) }
}

const without = await load(300, {})
const adaptive = await load(1_200, { concurrency: { initialLimit: 10 } })
console.log('without a limit:', without.atATime, 'requests at a time, answered after', without.responseMs, 'ms')
console.log('with an adaptive one:', adaptive.atATime, 'requests at a time, answered after', adaptive.responseMs, 'ms')
assert.equal(without.atATime, callers)
assert.ok(adaptive.atATime < callers / 2, 'fewer are under way')
assert.ok(adaptive.responseMs < without.responseMs / 2, 'and are answered sooner')
server.close()
