import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { traceOf } from '../../src/index.ts'
import { bytesOf } from '../support/identical.ts'
import { httpServer } from '../support/server.ts'
import { caught, client } from '../support/wire.ts'

const megabyte = 1_048_576
const part = Buffer.from(bytesOf(megabyte))

/** A server of fifty MiB that tells how much of them it could write, and which of its connections are in use. */
async function large(megabytes: number, fields: Record<string, string> = {}) {
  const state = { writtenBytes: 0, closed: 0 }
  const server = await httpServer((_request, response) => {
    response.writeHead(200, fields)
    response.on('close', () => {
      state.closed += 1
    })
    let left = megabytes
    const more = (): void => {
      if (response.destroyed) return
      if (left === 0) return void response.end()
      left -= 1
      state.writtenBytes += part.length
      if (response.write(part)) setImmediate(more)
      else response.once('drain', more)
    }
    more()
  })
  return Object.assign(server, { state })
}

async function digestOf(stream: ReadableStream<Uint8Array> | null, afterPart: (bytes: number) => Promise<void> = async () => {}) {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const read of stream as unknown as AsyncIterable<Uint8Array>) {
    hash.update(read)
    bytes += read.length
    await afterPart(bytes)
  }
  return [bytes, hash.digest('hex')]
}

const expected = (megabytes: number): [number, string] => {
  const hash = createHash('sha256')
  for (let index = 0; index < megabytes; index += 1) hash.update(part)
  return [megabytes * megabyte, hash.digest('hex')]
}

test('a hundred calls at once are one request', async () => {
  await using server = await httpServer((_request, response) => {
    setTimeout(() => response.end('content'), 50)
  })
  const api = client({ coalesce: true })
  const responses = await Promise.all(Array.from({ length: 100 }, () => api(server.origin)))
  expect(await Promise.all(responses.map((response) => response.text()))).toEqual(Array.from({ length: 100 }, () => 'content'))
  expect(server.requests).toEqual(['GET /'])
  expect(responses.filter((response) => traceOf(response)?.coalesced === true)).toHaveLength(99)
})

test('a slow and a fast reader of 50 MiB get all of them from one connection, which is read no further than is kept', async () => {
  await using server = await large(50)
  const api = client({ coalesce: { maxBytes: megabyte }, timeoutMs: false })
  const [slow, fast] = (await Promise.all([api(server.origin), api(server.origin)])) as [Response, Response]
  let fastBytes = 0
  let slowBytes = 0
  let widest = 0
  const [slowDigest, fastDigest] = await Promise.all([
    digestOf(slow.body, async (bytes) => {
      slowBytes = bytes
      if (bytes > fastBytes - megabyte / 2) await new Promise((resolve) => setTimeout(resolve, 5))
    }),
    digestOf(fast.body, async (bytes) => {
      fastBytes = bytes
      widest = Math.max(widest, fastBytes - slowBytes)
    }),
  ])
  expect([slowDigest, fastDigest]).toEqual([expected(50), expected(50)])
  expect([server.requests.length, server.connections.length]).toEqual([1, 1])
  // What is kept, what the stream of the slow one has read ahead, and the parts on their way.
  expect(widest).toBeGreaterThan(megabyte / 2)
  expect(widest).toBeLessThan(1.5 * megabyte)
  expect(await (await api(server.origin)).body?.cancel()).toBeUndefined()
})

test('a reader who stops does not let the origin write on, and its socket is free once all have left', async () => {
  await using server = await large(50)
  const api = client({ coalesce: { maxBytes: megabyte } })
  const controllers = [new AbortController(), new AbortController()]
  const responses = await Promise.all(controllers.map(({ signal }) => api(server.origin, { signal })))
  const readers = responses.map((response) => response.body?.getReader())
  await readers[0]?.read()
  const greedy = caught(
    (async () => {
      while (!(await readers[1]?.read())?.done);
      throw new Error('came to the end')
    })(),
  )
  await new Promise((resolve) => setTimeout(resolve, 300))
  const { writtenBytes } = server.state
  expect(writtenBytes).toBeLessThan(20 * megabyte)
  controllers[0]?.abort()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(server.state.closed).toBe(0)
  controllers[1]?.abort(new Error('enough'))
  expect(await greedy).toMatchObject({ message: expect.stringMatching(/enough|came to the end/) })
  await expect.poll(() => server.connections.every(({ destroyed }) => destroyed) || server.state.closed > 0).toBe(true)
  expect(server.requests).toHaveLength(1)
})

test('coded content is decoded once for all', async () => {
  const { gzipSync } = await import('node:zlib')
  const coded = gzipSync(part)
  await using server = await httpServer((_request, response) => {
    response.setHeader('content-encoding', 'gzip')
    setTimeout(() => response.end(coded), 30)
  })
  const api = client({ coalesce: true })
  const calls = Array.from({ length: 5 }, async () => Buffer.from(await (await api(server.origin)).arrayBuffer()).equals(part))
  expect(await Promise.all(calls)).toEqual([true, true, true, true, true])
  expect(server.requests).toHaveLength(1)
})

test('a connection that breaks off is told to every reader in an error of its own', async () => {
  await using server = await httpServer((_request, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('some')
    setTimeout(() => response.destroy(), 50)
  })
  const api = client({ coalesce: true })
  const errors = await Promise.all([1, 2, 3].map(async () => caught((await api(server.origin)).text())))
  expect(new Set(errors).size).toBe(3)
  for (const error of errors) expect(error).toMatchObject({ name: 'NetworkError', kind: 'truncated', attempts: 1 })
  expect(server.requests).toHaveLength(1)
})
