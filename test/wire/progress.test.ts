import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { BodyError, createFetch, type UploadProgress } from '../../src/index.ts'
import { httpServer } from '../support/server.ts'

async function lengthOf(request: IncomingMessage): Promise<number> {
  let length = 0
  for await (const part of request) length += (part as Buffer).byteLength
  return length
}

const big = randomBytes(300_000)

describe('onUploadProgress', () => {
  test.each<[string, () => RequestInit['body'], number | undefined, number]>([
    ['text', () => 'ä'.repeat(100_000), 200_000, 200_000],
    ['bytes', () => big, 300_000, 300_000],
    ['a Blob', () => new Blob([big]), 300_000, 300_000],
    ['a stream', () => new Blob([big]).stream(), undefined, 300_000],
    ['nothing', () => '', 0, 0],
  ])('tells how far %s has come, with a Content-Length where its size is known', async (_name, body, totalBytes, sentBytes) => {
    const lengths: unknown[] = []
    await using server = await httpServer(async (request, response) => {
      lengths.push(request.headers['content-length'], await lengthOf(request))
      response.end('ok')
    })
    const api = createFetch()
    const seen: UploadProgress[] = []
    await api(server.origin, {
      method: 'POST',
      body: body() ?? null,
      duplex: 'half',
      onUploadProgress: (progress) => seen.push(progress),
    })
    expect(lengths).toEqual([totalBytes === undefined ? undefined : String(totalBytes), sentBytes])
    if (sentBytes > 0) expect(seen.at(-1)).toEqual({ sentBytes, totalBytes, attempt: 1 })
    expect(seen.map((progress) => progress.sentBytes)).toEqual(
      [...seen.map((progress) => progress.sentBytes)].sort((a, b) => a - b),
    )
    expect(seen.length).toBe(totalBytes === undefined ? seen.length : Math.ceil(sentBytes / 65_536))
    await api.close()
  })

  test('a form and the content of a Request are told of as well', async () => {
    await using server = await httpServer(async (request, response) => response.end(String(await lengthOf(request))))
    const api = createFetch()
    const form = new FormData()
    form.append('file', new Blob([big]), 'big')
    for (const content of [form, new Blob([big])]) {
      const seen: UploadProgress[] = []
      const request = new Request(server.origin, { method: 'POST', body: content })
      const response = await api(request, { onUploadProgress: (progress) => seen.push(progress) })
      expect(seen.at(-1)?.sentBytes).toBe(Number(await response.text()))
    }
    await api.close()
  })

  test('begins again with each attempt', async () => {
    let requests = 0
    await using server = await httpServer(async (request, response) => {
      requests += 1
      await lengthOf(request)
      response.writeHead(requests === 1 ? 503 : 200).end()
    })
    const api = createFetch({ random: () => 0 })
    const seen: UploadProgress[] = []
    await api(server.origin, { method: 'PUT', body: 'abc', onUploadProgress: (progress) => seen.push(progress) })
    expect(seen).toEqual([
      { sentBytes: 3, totalBytes: 3, attempt: 1 },
      { sentBytes: 3, totalBytes: 3, attempt: 2 },
    ])
    await api.close()
  })

  test('what it throws ends the call', async () => {
    await using server = await httpServer((request, response) => void request.resume().on('end', () => response.end()))
    const api = createFetch({ maxAttempts: 1 })
    const oops = new Error('oops')
    const error: unknown = await api(server.origin, {
      method: 'POST',
      body: 'abc',
      onUploadProgress: () => {
        throw oops
      },
    }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BodyError)
    expect((error as BodyError).cause).toBe(oops)
    await api.close()
  })
})

test('maxResponseBytes holds for what compressed content becomes, and the connection is given up', async () => {
  const { gzipSync } = await import('node:zlib')
  await using server = await httpServer((_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(1_000_000))),
  )
  const api = createFetch({ maxResponseBytes: 500_000 })
  const response = await api(server.origin)
  await expect(response.bytes()).rejects.toMatchObject({ kind: 'too large' })
  await api.close()
})
