// A download whose connection breaks is asked for the rest, and is never put together from two versions.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, isNetworkError, traceOf } from 'steadfetch'

let release = Buffer.alloc(1_000_000, 'first ')
const etagOf = (content: Buffer): string => `"${createHash('sha256').update(content).digest('base64url').slice(0, 12)}"`

// It serves ranges, and loses each connection after 300,000 bytes.
const server = createServer((request, response) => {
  const content = release
  const etag = etagOf(content)
  const isSame = request.headers['if-range'] === etag
  const from = isSame ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0
  const range = from > 0 ? { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` } : {}
  response.writeHead(from > 0 ? 206 : 200, { etag, 'content-length': content.length - from, ...range })
  const part = content.subarray(from, from + 300_000)
  response.write(part, () => {
    if (from + part.length === content.length) response.end()
    else response.socket?.end()
  })
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const api = createFetch({ baseUrl, resume: { baseMs: 20 } })

// One Response, one body; what happened behind it stands in the trace.
const response = await api('release.bin')
const bytes = await response.bytes()
console.log(`${bytes.length} bytes, ${Buffer.compare(bytes, release) === 0 ? 'as they should be' : 'WRONG'}`)
for (const { status, waitMs, waitReason } of traceOf(response)?.attempts ?? [])
  console.log('  ', status, Math.round(waitMs), 'ms', waitReason ?? '')

// The release is replaced in the middle of a download: the parts do not belong together, and that is an error.
const late = await api('release.bin')
release = Buffer.alloc(1_000_000, 'second ')
const error = await late.bytes().catch((thrown: unknown) => thrown)
if (!isNetworkError(error)) throw new Error('a mixture was delivered')
console.log(error.kind, '-', traceOf(error)?.notRepeated)
if (Buffer.compare(bytes, Buffer.alloc(1_000_000, 'first ')) !== 0) throw new Error('the download is not what was served')
await api.close()
server.close()
