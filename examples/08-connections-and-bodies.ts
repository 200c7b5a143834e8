// A unix socket, a download read part by part, content that is checked, and fetch as it is without any policy.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFetch, fetchStandard } from 'steadfetch'

const folder = mkdtempSync(join(tmpdir(), 'steadfetch-'))
const socketPath = join(folder, 'daemon.sock')
const server = createServer((request, response) => {
  response.statusCode = request.url === '/gone' ? 410 : 200
  if (request.url === '/log') for (let line = 1; line <= 3; line += 1) response.write(`line ${line}\n`)
  response.end('the end')
})
await new Promise<void>((resolve) => server.listen(socketPath, resolve))

// Certificates, proxies and HTTP/2 are set in `connect` or by a `dispatcher`, too.
const daemon = createFetch({ baseUrl: 'http://daemon.internal/', connect: { socketPath } })

// A body taken as a stream is read as fast as it is wanted, and bound by idleTimeoutMs.
let bytes = 0
for await (const part of (await daemon('log')).body ?? []) bytes += part.length
console.log(`${bytes} bytes of log`)

// Nobody sees a byte of content that is not what it should be.
const integrity = `sha256-${createHash('sha256').update('the end').digest('base64')}`
console.log(await (await daemon('release', { integrity })).text())
console.log(await daemon('log', { integrity }).catch((error: Error) => error.message))

// Every policy off: a failed status is a Response, a failure the plain TypeError of fetch.
const plain = daemon.extend(fetchStandard)
console.log((await plain('gone')).status)
await daemon.close()
server.close(() => rmSync(folder, { recursive: true }))
