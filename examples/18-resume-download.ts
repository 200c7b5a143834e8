// A download that is cut short goes on where it stopped: by Range with If-Range, and only with the very same representation.
import { equal } from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, traceOf } from 'steadfetch'

const file = randomBytes(5_000_000)
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const etag = `"${digest(file)}"`
let cuts = 2
const server = createServer((request, response) => {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const part = start > 0 && request.headers['if-range'] === etag
  const content = part ? file.subarray(start) : file
  if (part) response.setHeader('content-range', `bytes ${start}-${file.length - 1}/${file.length}`)
  response.writeHead(part ? 206 : 200, { etag, 'content-length': content.length })
  if (cuts === 0) response.end(content)
  else response.write(content.subarray(0, 1_500_000), () => setTimeout(() => response.destroy(), 50))
  cuts = Math.max(0, cuts - 1)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const api = createFetch({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, resume: true })

const response = await api('file')
const hash = createHash('sha256')
for await (const part of response.body ?? []) hash.update(part)
equal(`"${hash.digest('hex')}"`, etag)
console.log(
  '5 MB, whole, from',
  traceOf(response)
    ?.attempts.map(({ status }) => status)
    .join(', '),
)
await api.close()
server.close()
