import { describe, expect, it } from 'vitest'
import type { SteadInit } from '../../src/index.ts'
import { httpServer } from '../support/server.ts'
import { caught, client } from '../support/wire.ts'

const secret = 's3cr3t'

function lockedStream(): ReadableStream {
  const stream = new ReadableStream()
  stream.getReader()
  return stream
}

async function readStream(): Promise<ReadableStream> {
  const stream = new Blob(['abc']).stream()
  const reader = stream.getReader()
  await reader.read()
  reader.releaseLock()
  return stream
}

/** Requests that cannot be sent, and what their error says. */
const cases: [string, () => SteadInit | Promise<SteadInit>, RegExp][] = [
  ['GET with content', () => ({ body: secret }), /GET request cannot have content/],
  ['HEAD with content', () => ({ method: 'head', body: secret }), /HEAD request cannot have content/],
  ['GET with json', () => ({ json: { secret } }), /GET request cannot have content/],
  ['body beside json', () => ({ method: 'PUT', body: secret, json: 1 }), /body and json/],
  ['json without a form', () => ({ method: 'PUT', json: () => secret }), /json/],
  ['a locked stream', () => ({ method: 'PUT', body: lockedStream() }), /locked/],
  ['a stream that was read before', async () => ({ method: 'PUT', body: await readStream() }), /read before/],
  ['a method that is no token', () => ({ method: 'GET /x' }), /method/],
  ['a method with a line break', () => ({ method: 'GET\r\nx: y' }), /method/],
  ['the method CONNECT', () => ({ method: 'connect' }), /CONNECT/],
  ['the method TRACE', () => ({ method: 'TRACE' }), /TRACE/],
  ['a field name with a space', () => ({ headers: { 'a b': secret } }), /field name/],
  ['a field name with a line break', () => ({ headers: { 'a\r\nb': secret } }), /field name/],
  ['an empty field name', () => ({ headers: { '': secret } }), /field name/],
  ['a field value with a line break', () => ({ headers: { 'x-a': `${secret}\r\nx-b: 1` } }), /x-a/],
  ['a field value with a NUL', () => ({ headers: [['x-a', `${secret}\0`]] }), /x-a/],
  ['a field value beyond latin-1', () => ({ headers: { authorization: `${secret}€` } }), /authorization/],
  ['Transfer-Encoding', () => ({ method: 'PUT', headers: { 'transfer-encoding': 'chunked' } }), /transfer-encoding/],
  ['a signal that is none', () => ({ signal: { secret } as unknown as AbortSignal }), /signal/],
  ['a redirect mode that is none', () => ({ redirect: 'perhaps' as RequestRedirect }), /redirect/],
]

describe('a request that cannot be sent', () => {
  it.each(cases)('%s is a TypeError before anything is sent', async (_name, init, message) => {
    await using server = await httpServer((_request, response) => response.end())
    const error = await caught(client()(server.origin, await init()))
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).toMatch(message)
    expect(String((error as Error).stack)).not.toContain(secret)
    expect(server.requests).toEqual([])
    expect(server.connections).toHaveLength(0)
  })

  it.each([
    ['a URL that is none', 'http://[s3cr3t'],
    ['a relative target without a baseUrl', '/users?token=s3cr3t'],
    ['an empty target', ''],
    ['another scheme', 'ftp://127.0.0.1/s3cr3t'],
    ['a data URL without a comma', 'data:s3cr3t'],
    ['a forbidden port', 'http://127.0.0.1:25/s3cr3t'],
    ['a port that is none', 'http://127.0.0.1:99999/s3cr3t'],
  ])('%s is a TypeError', async (_name, target) => {
    const error = await caught(client()(target))
    expect(error).toBeInstanceOf(TypeError)
    expect(String((error as Error).stack)).not.toContain(secret)
  })

  it('a target with credentials is a TypeError that does not show them', async () => {
    await using server = await httpServer((_request, response) => response.end())
    const target = server.origin.replace('//', `//me:${secret}@`)
    for (const input of [target, new URL(target)]) {
      const error = await caught(client()(input))
      expect(error).toBeInstanceOf(TypeError)
      expect(String((error as Error).stack)).not.toContain(secret)
    }
    expect(server.connections).toHaveLength(0)
  })

  it('a Request whose content was read is a TypeError', async () => {
    await using server = await httpServer((_request, response) => response.end())
    const request = new Request(server.origin, { method: 'PUT', body: 'abc' })
    await request.text()
    const error = await caught(client()(request))
    expect(error).toBeInstanceOf(TypeError)
    expect(server.connections).toHaveLength(0)
  })

  it('a Request is used up by a call, as fetch does it', async () => {
    await using server = await httpServer((_request, response) => response.end())
    const request = new Request(server.origin, { method: 'PUT', body: 'abc' })
    const api = client()
    await api(request)
    expect(request.bodyUsed).toBe(true)
    expect(await caught(api(request))).toBeInstanceOf(TypeError)
    expect(server.requests).toEqual(['PUT /'])
  })

  it('an option that is none is a TypeError', async () => {
    await using server = await httpServer((_request, response) => response.end())
    expect(await caught(client()(server.origin, { timeoutMs: 0 }))).toBeInstanceOf(TypeError)
    expect(await caught(client()(server.origin, { maxAttempts: 1.5 }))).toBeInstanceOf(TypeError)
    expect(server.connections).toHaveLength(0)
  })
})
