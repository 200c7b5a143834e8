// node --expose-gc test/soak/download.ts: one large download through the built package; prints how far memory rose.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createFetch } from 'steadfetch'

const { values } = parseArgs({
  options: { megabytes: { type: 'string', default: '1024' }, 'pause-ms': { type: 'string', default: '0' } },
})
const bytes = Number(values.megabytes) * 1_048_576
/** Memory is looked at each time so much has been read. */
const everyBytes = 33_554_432

/** Bytes that somebody holds. */
function inUse(): number {
  // The second one waits for what the first one has let go of.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const server = fork(fileURLToPath(new URL('download-server.ts', import.meta.url)), { execArgv: [] })
const [port] = (await once(server, 'message')) as [number]
const api = createFetch()
await (await api(`http://127.0.0.1:${port}/1`)).text()

const startMs = performance.now()
const before = inUse()
let highest = before
const look = (): void => {
  highest = Math.max(highest, inUse())
}
const { body } = await api(`http://127.0.0.1:${port}/${bytes}`)
await new Promise((resolve) => setTimeout(resolve, Number(values['pause-ms'])))
look()
let read = 0
let looked = 0
for (const reader = (body as ReadableStream<Uint8Array>).getReader(); ; ) {
  const { done, value } = await reader.read()
  if (done) break
  read += value.length
  if (read < looked + everyBytes) continue
  looked = read
  look()
}
const seconds = Math.round(performance.now() - startMs) / 1_000
await api.close()
server.disconnect()
console.log(JSON.stringify({ whole: read === bytes, seconds, growth: highest - before }))
