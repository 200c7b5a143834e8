import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { BodyError, HttpError } from '../../src/index.ts'
import { httpServer, type LocalServer } from '../support/server.ts'
import { caught, client } from '../support/wire.ts'

const megabyte = 1_048_576

function coded(coding: string, content: Uint8Array, status = 200): Promise<LocalServer> {
  return httpServer((_request, response) => {
    response.on('error', () => {})
    response.writeHead(status, { 'content-encoding': coding, 'content-length': String(content.length) }).end(content)
  })
}

/** Sends the content and seems to have more of it. */
function unfinished(coding: string, content: Uint8Array, status = 200): Promise<LocalServer> {
  return httpServer((_request, response) => {
    response.on('error', () => {})
    response.writeHead(status, { 'content-encoding': coding }).write(content)
  })
}

/** Node.js 22 takes zstd that is cut short for whole: there it is not decoded. */
const zstd = Number(process.versions.node.split('.')[0]) >= 24
const quickBrotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }

const zeros = Buffer.alloc(20_000_000)
/** Content that does not shrink, in so many bytes. */
const noise = (size: number): Buffer => {
  let state = 1
  return Buffer.from(
    Uint32Array.from({ length: size / 4 }, () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0)).buffer,
  )
}

/** Bytes beside the heap that are held at the most while `run` is under way, beyond those at its start. */
async function growthDuring(run: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage().arrayBuffers
  let highest = before
  const timer = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage().arrayBuffers)
  }, 1)
  await run()
  clearInterval(timer)
  return Math.max(highest, process.memoryUsage().arrayBuffers) - before
}

/** Reads a body as a stream to its end; gives the bytes read. */
async function streamed(response: Response): Promise<number> {
  let read = 0
  for await (const part of response.body ?? []) read += (part as Uint8Array).length
  return read
}

const closed = (server: LocalServer): Promise<void> =>
  expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)

const bombs: [string, string, () => Buffer][] = [
  ['gzip', 'gzip', () => gzipSync(zeros)],
  ['gzip in gzip', 'gzip, gzip', () => gzipSync(gzipSync(zeros))],
  ['gzip in br', 'gzip, br', () => brotliCompressSync(gzipSync(zeros), quickBrotli)],
  ['br', 'br', () => brotliCompressSync(zeros, quickBrotli)],
  ...(zstd ? ([['zstd', 'zstd', () => zstdCompressSync(zeros)]] as [string, string, () => Buffer][]) : []),
]

describe('content that grows by more than 250 times', () => {
  it.each(bombs)('is refused, and its connection closed: 20 MB of zeros in %s', async (_name, coding, content) => {
    await using server = await unfinished(coding, content())
    const api = client()
    const growth = await growthDuring(async () => {
      const whole = await caught((await api(server.origin)).text())
      expect(whole).toBeInstanceOf(BodyError)
      expect(whole).toBeInstanceOf(TypeError)
      expect(whole).toMatchObject({ kind: 'too large', code: 'ERR_STEADFETCH_BODY_TOO_LARGE', retryable: false, attempts: 1 })
      expect(await caught(streamed(await api(server.origin)))).toMatchObject({ name: 'BodyError', kind: 'too large' })
    })
    expect(growth).toBeLessThan(32 * megabyte)
    expect(server.requests).toHaveLength(2)
    await closed(server)
  })

  it('is delivered as long as it stays below 8 MiB', async () => {
    await using server = await coded('gzip', gzipSync(Buffer.alloc(8 * megabyte)))
    expect((await (await client()(server.origin)).bytes()).length).toBe(8 * megabyte)
  })

  it('is refused from the first byte beyond 8 MiB', async () => {
    await using server = await coded('gzip', gzipSync(Buffer.alloc(8 * megabyte + 1)))
    expect(await caught((await client()(server.origin)).bytes())).toMatchObject({ kind: 'too large' })
  })

  it('is delivered where maxDecodedBytes is false, for the client or for the call', async () => {
    await using server = await coded('gzip', gzipSync(zeros))
    expect((await (await client({ maxDecodedBytes: false })(server.origin)).bytes()).length).toBe(zeros.length)
    expect(await streamed(await client()(server.origin, { maxDecodedBytes: false }))).toBe(zeros.length)
  })

  it.each(bombs)('in an error is its excerpt of 64 KiB: %s', async (_name, coding, content) => {
    await using server = await unfinished(coding, content(), 404)
    let error: unknown
    const growth = await growthDuring(async () => {
      error = await caught(client()(server.origin))
    })
    expect(error).toBeInstanceOf(HttpError)
    expect((error as HttpError).status).toBe(404)
    expect((error as HttpError).body).toBe('\0'.repeat(65_536))
    expect(growth).toBeLessThan(8 * megabyte)
    await closed(server)
  })

  it('in a response that is repeated does not end the call', async () => {
    const content = gzipSync(zeros)
    await using server = await httpServer((_request, response) => {
      if (server.requests.length > 1) response.end('done')
      else response.writeHead(503, { 'content-encoding': 'gzip' }).end(content)
    })
    expect(await (await client()(server.origin)).text()).toBe('done')
  })
})

describe('maxDecodedBytes', () => {
  const content = gzipSync(noise(megabyte))

  it('lets pass what is exactly as large, and refuses one byte more', async () => {
    await using server = await coded('gzip', content)
    const api = client({ maxDecodedBytes: megabyte })
    expect((await (await api(server.origin)).bytes()).length).toBe(megabyte)
    const error = await caught((await api(server.origin, { maxDecodedBytes: megabyte - 1 })).bytes())
    expect(error).toMatchObject({ name: 'BodyError', kind: 'too large' })
    expect((error as Error).message).toContain('larger than 1048575 bytes')
  })

  it('of a client does not bind a stream, that of a call does', async () => {
    await using server = await coded('gzip', content)
    const api = client({ maxDecodedBytes: 1_000 })
    expect(await streamed(await api(server.origin))).toBe(megabyte)
    expect(await caught(streamed(await api(server.origin, { maxDecodedBytes: 1_000 })))).toMatchObject({ kind: 'too large' })
    expect(await caught((await api(server.origin)).text())).toMatchObject({ kind: 'too large' })
  })

  it('holds for what comes out of the last coding, and of every one before', async () => {
    await using server = await coded('gzip, gzip', gzipSync(content))
    expect((await (await client()(server.origin, { maxDecodedBytes: 2 * megabyte })).bytes()).length).toBe(megabyte)
    expect(await caught((await client()(server.origin, { maxDecodedBytes: 1_000 })).bytes())).toMatchObject({ kind: 'too large' })
  })

  it('of 0 lets only what is empty pass', async () => {
    await using server = await coded('gzip', gzipSync(''))
    expect(await (await client()(server.origin, { maxDecodedBytes: 0 })).text()).toBe('')
    await using other = await coded('gzip', gzipSync('a'))
    expect(await caught((await client()(other.origin, { maxDecodedBytes: 0 })).text())).toMatchObject({ kind: 'too large' })
  })

  it('does not bind content that is not coded', async () => {
    await using server = await httpServer((_request, response) => response.end('a'.repeat(10_000)))
    expect(await (await client()(server.origin, { maxDecodedBytes: 100 })).text()).toHaveLength(10_000)
  })

  it('is 100 MiB for what is read whole', async () => {
    const part = noise(65_536)
    // Shrinks by less than the ratio that is refused, and holds a little more than the limit.
    const large = gzipSync(
      Buffer.concat(Array.from({ length: 1_601 }, (_nothing, index) => (index % 16 === 0 ? part : Buffer.alloc(65_536)))),
      {
        level: 1,
      },
    )
    await using server = await coded('gzip', large)
    const error = await caught((await client()(server.origin)).bytes())
    expect(error).toMatchObject({ kind: 'too large' })
    expect((error as Error).message).toContain('larger than 104857600 bytes')
    expect(await streamed(await client()(server.origin))).toBe(1_601 * 65_536)
  })
})

describe('coded content that is cut short', () => {
  const plain = noise(200_000)
  const wholes: [string, string, Uint8Array][] = [
    ['gzip', 'gzip', gzipSync(plain)],
    ['deflate', 'deflate', deflateSync(plain)],
    ['raw deflate', 'deflate', deflateRawSync(plain)],
    ['br', 'br', brotliCompressSync(plain, quickBrotli)],
    ...(zstd ? ([['zstd', 'zstd', zstdCompressSync(plain)]] as [string, string, Uint8Array][]) : []),
    ['gzip in gzip', 'gzip, gzip', gzipSync(gzipSync(plain))],
  ]
  it.each(wholes)('is never a short body, however it is read: %s', async (_name, coding, content) => {
    await using server = await coded(coding, content.subarray(0, -3))
    const api = client()
    for (const read of [streamed, (one: Response) => one.bytes(), (one: Response) => one.clone().text()]) {
      const error = await caught(read(await api(server.origin)) as Promise<unknown>)
      expect(error).toBeInstanceOf(TypeError)
      expect(error).toMatchObject({ name: 'BodyError', kind: 'decode' })
    }
  })
})
