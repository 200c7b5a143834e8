import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { brotliCompressSync, deflateRawSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { BodyError } from '../../src/index.ts'
import { type LocalServer, socketServer } from '../support/server.ts'
import { caught, client } from '../support/wire.ts'

const plain = Buffer.alloc(100_000, 'some content ')
const stored = gzipSync(plain, { level: 0 })

function head(coding: string, length: number): string {
  return `HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\ncontent-length: ${length}\r\n\r\n`
}

/** Writes everything at once, and then does what it is told. */
function answering(
  coding: string,
  content: Buffer,
  then: (socket: Socket) => void,
  length = content.length,
): Promise<LocalServer> {
  return socketServer((socket) => {
    socket.write(Buffer.concat([Buffer.from(head(coding, length)), content]))
    then(socket)
  })
}

describe('content that is decoded more slowly than it comes', () => {
  it.each([10, 65_000, 80_000, 100_000])(
    'is whole, although the server closes the connection right behind it: %i bytes',
    async (size) => {
      const content = gzipSync(plain.subarray(0, size), { level: 0 })
      await using server = await answering('gzip', content, (socket) => socket.end())
      const api = client()
      for (let count = 0; count < 10; count += 1) {
        expect(Buffer.from(await (await api(server.origin)).bytes()).equals(plain.subarray(0, size))).toBe(true)
      }
      expect(server.requests).toHaveLength(10)
    },
  )

  it('is whole, although its reader takes its time and the connection is closed by then', async () => {
    const random = randomBytes(300_000)
    await using server = await answering('identity', random, (socket) => socket.end())
    const response = await client()(server.origin)
    const parts: Uint8Array[] = []
    for await (const part of response.body ?? []) {
      parts.push(part)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(Buffer.concat(parts).equals(random)).toBe(true)
  })

  it('is not whole where a byte is missing', async () => {
    await using server = await answering('gzip', stored.subarray(0, -1), (socket) => socket.end(), stored.length)
    const response = await client()(server.origin)
    expect(await caught(response.bytes())).toMatchObject({ name: 'NetworkError', kind: 'truncated' })
  })
})

describe('what comes behind coded content', () => {
  it('is left out, and the connection is free for the next request', async () => {
    const content = Buffer.concat([gzipSync('short'), Buffer.alloc(10)])
    await using server = await answering('gzip', content, () => {})
    const api = client()
    for (let count = 0; count < 3; count += 1) {
      expect(await (await api(server.origin)).text()).toBe('short')
    }
    expect(server.connections).toHaveLength(1)
  })

  it('is missed where it does not come: content is whole only with all of its bytes', async () => {
    const content = Buffer.concat([gzipSync('short'), Buffer.alloc(1)])
    await using server = await answering('gzip', content, (socket) => setTimeout(() => socket.end(), 30), content.length + 5)
    const response = await client()(server.origin)
    expect(await caught(response.bytes())).toMatchObject({ name: 'NetworkError', kind: 'truncated' })
  })

  it('may be what is left of a broken coding around it, which is an error', async () => {
    const broken = brotliCompressSync(deflateRawSync(Buffer.alloc(3)))
    // Found by the fuzzer: the inner coding comes to its end, the outer one does not.
    broken[0] = (broken[0] as number) ^ 0x80
    await using server = await answering('deflate, br', broken, () => {})
    const error = await caught((await client()(server.origin)).bytes())
    expect(error).toBeInstanceOf(BodyError)
    expect(error).toMatchObject({ kind: 'decode' })
  })
})
