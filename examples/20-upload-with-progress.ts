// How far an upload has come, a limit for what comes back, and its content checked by a schema.
import { deepEqual, equal } from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, isHttpError, type StandardSchema } from 'steadfetch'

const server = createServer(async (request, response) => {
  let bytes = 0
  for await (const part of request) bytes += (part as Buffer).byteLength
  if (request.url === '/files') response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ bytes }))
  else response.writeHead(422, { 'content-type': 'application/problem+json' }).end('{"title":"no name","fields":["name"]}')
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const api = createFetch({ baseUrl, maxResponseBytes: 1_000_000 })

/** Any library of standardschema.dev does; this is the smallest one. */
function schema<Output>(accepts: (value: Output) => boolean): StandardSchema<unknown, Output> {
  const validate = (value: unknown): { value: Output } | { issues: { message: string }[] } =>
    accepts(value as Output) ? { value: value as Output } : { issues: [{ message: 'is not what was promised' }] }
  return { '~standard': { version: 1, vendor: 'example', validate } }
}
const stored = schema<{ bytes: number }>(({ bytes }) => typeof bytes === 'number')
const invalid = schema<{ fields: string[] }>(({ fields }) => Array.isArray(fields))

const steps: number[] = []
const response = await api('files', {
  method: 'POST',
  body: new Blob([new Uint8Array(300_000)]),
  onUploadProgress: ({ sentBytes, totalBytes = 0 }) => steps.push(Math.round((sentBytes / totalBytes) * 100)),
  schema: stored,
})
const { bytes } = await response.json()
equal(bytes, 300_000)
console.log('sent:', steps.map((percent) => `${percent} %`).join(', '))

const error: unknown = await api('people', { method: 'POST', json: {}, schema: { 422: invalid } }).catch(
  (reason: unknown) => reason,
)
if (!isHttpError(error, 422, invalid)) throw error
deepEqual(error.data.fields, ['name'])
console.log('refused:', error.problem?.title, error.data.fields)
await api.close()
server.close()
