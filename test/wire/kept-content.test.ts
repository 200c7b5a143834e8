import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { recordHar } from '../../src/index.ts'
import { httpServer } from '../support/server.ts'
import { caught, client } from '../support/wire.ts'

const size = 4_000_000

/** Asks for a collection, which Node.js offers only when told to. */
const collect: () => void = (() => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc')
})()

/** Bytes of buffers that are still held after a collection. */
async function heldBytes(): Promise<number> {
  for (let turn = 0; turn < 3; turn += 1) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return process.memoryUsage().arrayBuffers
}

it('a Response that was read, and an error, keep neither what was received nor what was sent', async () => {
  await using server = await httpServer((request, response) => {
    request.resume()
    request.once('end', () => response.writeHead(request.method === 'POST' ? 404 : 200).end(Buffer.alloc(size, 'a')))
  })
  const before = await heldBytes()
  const kept: unknown[] = []
  for (let index = 0; index < 5; index += 1) {
    const response = await client()(server.origin)
    expect((await response.text()).length).toBe(size)
    kept.push(response, await caught(client()(server.origin, { method: 'POST', body: Buffer.alloc(size) })))
  }
  const after = await heldBytes()
  expect(kept).toHaveLength(10)
  expect(after - before).toBeLessThan(size)
})

it('what was recorded keeps neither, and of contents no more than it is asked for', async () => {
  await using server = await httpServer((request, response) => {
    request.resume()
    request.once('end', () => response.writeHead(request.method === 'POST' ? 404 : 200).end(Buffer.alloc(size, 'a')))
  })
  const before = await heldBytes()
  const fetch = client()
  const recorders = [recordHar(fetch), recordHar(fetch, { content: true })]
  const kept: unknown[] = []
  for (let index = 0; index < 5; index += 1) {
    const response = await fetch(server.origin)
    expect((await response.text()).length).toBe(size)
    kept.push(response, await caught(fetch(server.origin, { method: 'POST', body: Buffer.alloc(size) })))
  }
  const after = await heldBytes()
  expect(recorders.map((recorder) => recorder.archive().log.entries.length)).toEqual([10, 10])
  expect(after - before).toBeLessThan(size)
})

it('a hedged call keeps nothing of what was sent, neither of the request that won nor of the one that lost', async () => {
  let requests = 0
  await using server = await httpServer((request, response) => {
    requests += 1
    const isSecond = requests % 2 === 0
    request.resume()
    request.once('end', () => {
      if (isSecond) response.writeHead(204).end()
    })
  })
  const before = await heldBytes()
  const kept: unknown[] = []
  for (let index = 0; index < 5; index += 1) {
    const fetch = client({ hedge: { afterMs: 50 } })
    kept.push(await fetch(server.origin, { method: 'PUT', body: Buffer.alloc(size) }))
  }
  const after = await heldBytes()
  expect(kept).toHaveLength(5)
  expect(requests).toBe(10)
  expect(after - before).toBeLessThan(size)
})

it('a reader that gets half an element at the end of a decoded body fails, and nothing else does', async () => {
  await using server = await httpServer((_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('abc')),
  )
  const response = await client()(server.origin)
  const reader = response.body?.getReader({ mode: 'byob' }) ?? expect.unreachable()
  expect((await reader.read(new Uint16Array(4))).value?.length).toBe(1)
  expect(await caught(reader.read(new Uint16Array(4)))).toBeInstanceOf(TypeError)
})
