// What an error shows: masked targets, no fields, no content; with `details: 'development'` both, masked too.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, isHttpError } from 'steadfetch'

const server = createServer((_request, response) => {
  response.writeHead(403, { 'content-type': 'application/json', 'set-cookie': 'sid=s3cr3t' })
  response.end(JSON.stringify({ reason: 'not yours', session_token: 's3cr3t', patient: 's3cr3t' }))
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const api = createFetch({
  baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  headers: { authorization: 'Bearer s3cr3t', 'x-tenant': 's3cr3t' },
  redact: { fields: ['x-tenant'], parameters: ['patient'] }, // beside the usual names
})

for (const details of ['production', 'development'] as const) {
  try {
    await api('records?patient=s3cr3t&access_token=s3cr3t&page=2', { details })
  } catch (error) {
    if (!isHttpError(error)) throw error
    const logged = JSON.stringify(error, null, 1)
    console.log(`${details}:`, logged, logged.includes('s3cr3t') ? 'a secret was told' : 'no secret told')
    console.log(
      'to be read on purpose:',
      error.body.length,
      'characters,',
      error.headers.get('set-cookie')?.length,
      'of a cookie',
    )
  }
}
await api.close()
server.close()
