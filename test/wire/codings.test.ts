import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { BodyError } from '../../src/index.ts'
import { httpServer, type LocalServer } from '../support/server.ts'
import { caught, client } from '../support/wire.ts'

const text = Array.from({ length: 5_000 }, (_nothing, index) => `line ${index * 7919}`).join('\n')
const plain = Buffer.from(text)

function coded(coding: string, content: Uint8Array, status = 200): Promise<LocalServer> {
  return httpServer((_request, response) => {
    response.writeHead(status, { 'content-encoding': coding, 'content-length': String(content.length) }).end(content)
  })
}

/** Node.js 22 takes zstd that is cut short for whole. */
const zstd = Number(process.versions.node.split('.')[0]) >= 24

const everyCoding: [string, string, Buffer][] = [
  ['gzip', 'gzip', gzipSync(plain)],
  ['x-gzip', 'x-gzip', gzipSync(plain)],
  ['GZIP in capitals', 'GZIP', gzipSync(plain)],
  ['gzip of several members', 'gzip', Buffer.concat([gzipSync(plain.subarray(0, 1_000)), gzipSync(plain.subarray(1_000))])],
  ['deflate', 'deflate', deflateSync(plain)],
  ['raw deflate, as some servers send it', 'deflate', deflateRawSync(plain)],
  ['br', 'br', brotliCompressSync(plain)],
  ['zstd', 'zstd', zstdCompressSync(plain)],
  ['identity', 'identity', plain],
  ['a chain of two', 'deflate, gzip', gzipSync(deflateSync(plain))],
  [
    'a chain of five',
    'gzip, br, zstd, deflate, gzip',
    gzipSync(deflateSync(zstdCompressSync(brotliCompressSync(gzipSync(plain))))),
  ],
]
const codings = everyCoding.filter(([, coding]) => zstd || !coding.includes('zstd'))

describe('content codings', () => {
  it.each(codings)('%s is decoded', async (_name, coding, content) => {
    await using server = await coded(coding, content)
    const response = await client()(server.origin)
    expect(await response.text()).toBe(text)
    expect(server.requests).toHaveLength(1)
  })

  it('the ones that can be decoded are asked for, unless the caller asks for others or for a range', async () => {
    const asked: unknown[] = []
    await using server = await httpServer((request, response) => {
      asked.push(request.headers['accept-encoding'])
      response.end()
    })
    const api = client()
    await api(server.origin)
    await api(server.origin, { headers: { 'accept-encoding': 'br' } })
    await api(server.origin, { headers: { range: 'bytes=0-9' } })
    expect(asked).toEqual([zstd ? 'gzip, deflate, br, zstd' : 'gzip, deflate, br', 'br', 'identity'])
  })

  it('an unknown coding is left as it is', async () => {
    await using server = await coded('dcb', plain)
    expect(await (await client()(server.origin)).text()).toBe(text)
  })

  const cut: [string, string, Buffer][] = codings.filter(([name]) => name !== 'identity' && name !== 'gzip of several members')
  it.each(cut)('%s that is cut short is a BodyError, never a short body', async (_name, coding, content) => {
    for (const length of [content.length - 1, Math.floor(content.length / 2), 1]) {
      await using server = await coded(coding, content.subarray(0, length))
      const response = await client()(server.origin)
      expect(response.status).toBe(200)
      const error = await caught(response.text())
      expect(error).toBeInstanceOf(BodyError)
      expect(error).toMatchObject({ kind: 'decode', code: 'ERR_STEADFETCH_BODY_DECODE' })
      expect(server.requests).toHaveLength(1)
    }
  })

  it.each(['gzip', 'deflate', 'br', ...(zstd ? ['zstd'] : [])])('%s that is none is a BodyError', async (coding) => {
    await using server = await coded(coding, Buffer.from('\x07 this is not coded at all'))
    const response = await client()(server.origin)
    expect(await caught(response.text())).toMatchObject({ name: 'BodyError', kind: 'decode' })
  })

  it.skipIf(zstd)('zstd is left as it is where the platform cannot tell that it was cut short', async () => {
    const content = zstdCompressSync(plain)
    await using server = await coded('zstd', content)
    expect(Buffer.from(await (await client()(server.origin)).bytes())).toEqual(content)
  })

  it('a stream of a body that is cut short fails after its start', async () => {
    const whole = gzipSync(Buffer.alloc(3_000_000, text))
    await using server = await coded('gzip', whole.subarray(0, whole.length - 10))
    const response = await client()(server.origin)
    let read = 0
    const error = await caught(
      (async () => {
        for await (const part of response.body ?? []) read += (part as Uint8Array).length
      })(),
    )
    expect(error).toBeInstanceOf(BodyError)
    expect(read).toBeGreaterThan(0)
  })

  it('six codings are refused', async () => {
    await using server = await coded('gzip, gzip, gzip, gzip, gzip, gzip', gzipSync(plain))
    const error = await caught(client()(server.origin).then((response) => response.text()))
    expect(error).toBeInstanceOf(BodyError)
    expect(error).toMatchObject({ kind: 'decode', attempts: 1 })
    expect((error as Error).message).toContain('more than 5')
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
  })

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('%s with %i has nothing to decode', async (method, status) => {
    await using server = await httpServer((_request, response) =>
      response.writeHead(status, { 'content-encoding': 'gzip' }).end(),
    )
    const response = await client()(server.origin, { method })
    expect([response.status, response.body, await response.text()]).toEqual([status, null, ''])
    expect(response.headers.get('content-encoding')).toBe('gzip')
  })

  it('an empty body with a coding is empty', async () => {
    await using server = await coded('gzip', new Uint8Array())
    expect(await (await client()(server.origin)).text()).toBe('')
  })

  it('the body of an error is decoded', async () => {
    await using server = await coded('br', brotliCompressSync('{"title":"No"}'), 404)
    expect(await caught(client()(server.origin))).toMatchObject({ status: 404, body: '{"title":"No"}' })
  })

  it('a body that grows a hundredfold is not read ahead of the caller, and can be cancelled', async () => {
    const zeros = Buffer.alloc(150_000_000)
    await using server = await coded('gzip', gzipSync(zeros, { level: 1 }))
    const before = process.memoryUsage().arrayBuffers
    const response = await client()(server.origin)
    const reader = response.body?.getReader() ?? expect.unreachable()
    const read = (await reader.read()).value?.length ?? 0
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000)
    await reader.cancel()
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
    expect(read).toBeLessThan(zeros.length)
  })
})
