import { AsyncLocalStorage } from 'node:async_hooks'
import type { Socket } from 'node:net'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { buildConnector } from 'undici'
import { expect, test } from 'vitest'
import { type NetworkError, SteadfetchError, traceOf } from '../../src/index.ts'
import { answerOf, type Manner, manners, rangeStart, type Version } from '../support/downloads.ts'
import { codes } from '../support/frames.ts'
import { httpServer, type LocalServer, socketServer } from '../support/server.ts'
import { h2Server, trusting } from '../support/tls.ts'
import { caught, client } from '../support/wire.ts'

const soon = { baseMs: 1, capMs: 5 }

/** How a connection ends in the middle of an answer: closed, reset, or silent for good. */
type Loss = 'closed' | 'reset' | 'silent'

interface Turn {
  readonly manner: Manner
  readonly cutBytes: number | undefined
  readonly loss: Loss
  readonly chunked: boolean
}

/** Bytes of which no two stretches are alike. */
function bytesOf(size: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = Uint32Array.from({ length: Math.ceil(size / 4) }, (_, index) => Math.imul(index + seed, 2_654_435_761))
  return new Uint8Array(words.buffer).subarray(0, size)
}

/** A server that answers each request in turn, and then as it should. */
async function downloadServer(
  one: Version,
  two: Version,
  turns: readonly Turn[],
): Promise<LocalServer & { asked: (number | undefined)[] }> {
  const asked: (number | undefined)[] = []
  const server = await socketServer((socket, received) => {
    const turn = turns[asked.length] ?? { manner: 'right', cutBytes: undefined, loss: 'closed', chunked: false }
    asked.push(rangeStart(/^range: (.*)\r$/m.exec(received)?.[1]))
    const { status, fields, content, length } = answerOf(turn.manner, one, two, asked.at(-1), !turn.chunked)
    const framing = length === undefined ? 'transfer-encoding: chunked' : `content-length: ${length}`
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`HTTP/1.1 ${status} Whatever\r\n${lines.join('')}${status === 204 ? '' : `${framing}\r\n`}\r\n`)
    const isCut = turn.cutBytes !== undefined && turn.cutBytes < content.length
    const sent = isCut ? content.subarray(0, turn.cutBytes) : content
    if (length === undefined && status !== 204) {
      if (sent.length > 0) socket.write(`${sent.length.toString(16)}\r\n`)
      if (sent.length > 0) socket.write(sent)
      if (!isCut) socket.write(`${sent.length > 0 ? '\r\n' : ''}0\r\n\r\n`)
    } else socket.write(sent)
    if (isCut) lose(socket, turn.loss)
    else if (length !== undefined && length !== content.length) socket.end()
  })
  return Object.assign(server, { asked })
}

function lose(socket: Socket, loss: Loss): void {
  if (loss === 'closed') socket.end()
  else if (loss === 'reset') setTimeout(() => socket.resetAndDestroy(), 5)
}

const size = 400_000
const turn = fc.record({
  manner: fc.oneof({ weight: 3, arbitrary: fc.constant<Manner>('right') }, fc.constantFrom(...manners)),
  cutBytes: fc.option(fc.nat({ max: size }), { nil: undefined, freq: 5 }),
  loss: fc.constantFrom<Loss>('closed', 'reset', 'silent'),
  chunked: fc.boolean(),
})

test('over real connections a download is one version of the representation or a typed error', { timeout: 120_000 }, async () => {
  let resumed = 0
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: size }),
      fc.array(turn, { maxLength: 5, size: 'max' }),
      fc.boolean(),
      async (...given) => {
        const [length, turns, streamed] = given
        fc.pre(turns[0]?.chunked !== true || !turns.some(({ manner }) => manner === 'whole of another length'))
        const one = { content: bytesOf(length, 1), etag: '"one"' }
        await using server = await downloadServer(one, { content: bytesOf(length, 7), etag: '"two"' }, turns)
        const api = client({ resume: soon, idleTimeoutMs: 60, maxAttempts: 2 })
        try {
          const response = await api(server.origin)
          const bytes = streamed ? await new Response(response.body).bytes() : await response.bytes()
          expect(Buffer.compare(bytes, one.content)).toBe(0)
          expect(traceOf(response)?.attempts).toHaveLength(server.asked.length)
          if (server.asked.length > 1) resumed += 1
        } catch (error) {
          expect(error).toSatisfy((thrown) => thrown instanceof SteadfetchError)
        } finally {
          await api.close()
        }
      },
    ),
    { numRuns: 80 },
  )
  expect(resumed).toBeGreaterThan(5)
})

test.each<Loss>(['closed', 'reset', 'silent'])(
  'a download whose connection is %s five times is whole in the end',
  async (loss) => {
    const one = { content: bytesOf(size, 3), etag: '"one"' }
    const turns = [70_000, 1, 65_536, 0, 100_000].map(
      (cutBytes, index): Turn => ({ manner: 'right', cutBytes, loss, chunked: index % 2 === 1 }),
    )
    await using server = await downloadServer(one, one, turns)
    const response = await client({ resume: soon, idleTimeoutMs: 80 })(server.origin)
    expect(Buffer.compare(await response.bytes(), one.content)).toBe(0)
    const statuses = traceOf(response)?.attempts.map(({ status, waitReason }) => [status, waitReason])
    expect(statuses).toEqual([[200, undefined], ...Array.from({ length: 5 }, () => [206, 'resume'])])
    expect(server.asked[0]).toBeUndefined()
    expect(server.asked).toHaveLength(6)
  },
)

test('a download takes 256 KiB more off its connections than is read of it, whichever the connection', async () => {
  const one = { content: bytesOf(8_000_000, 5), etag: '"one"' }
  let requests = 0
  await using server = await httpServer((request, response) => {
    requests += 1
    const from = rangeStart(request.headers.range) ?? 0
    const until = requests === 1 ? 2_000_000 : one.content.length
    response.writeHead(from === 0 ? 200 : 206, {
      etag: one.etag,
      'content-length': one.content.length - from,
      ...(from === 0 ? {} : { 'content-range': `bytes ${from}-${one.content.length - 1}/${one.content.length}` }),
    })
    let at = from
    const more = (): void => {
      while (at < until) {
        const part = one.content.subarray(at, Math.min(until, at + 65_536))
        at += part.length
        if (!response.write(part)) {
          response.once('drain', more)
          return
        }
      }
      if (requests === 1) response.socket?.end()
      else response.end()
    }
    more()
  })
  const sockets: Socket[] = []
  const open = buildConnector({})
  const api = client({
    resume: soon,
    connect: (target, callback) =>
      open(target, (...result) => {
        if (result[1] !== null) sockets.push(result[1])
        callback(...result)
      }),
  })
  const response = await api(server.origin)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  let read = 0
  const parts: Uint8Array[] = []
  const upTo = async (bytes: number): Promise<void> => {
    while (read < bytes) {
      const { value } = await reader.read()
      parts.push(value as Uint8Array)
      read += (value as Uint8Array).length
    }
  }
  await upTo(2_100_000)
  expect(requests).toBe(2)
  await new Promise((resolve) => setTimeout(resolve, 200))
  const taken = sockets.reduce((sum, socket) => sum + socket.bytesRead, 0)
  expect(taken - read).toBeLessThan(262_144)
  await upTo(one.content.length)
  expect((await reader.read()).done).toBe(true)
  expect(Buffer.concat(parts).equals(one.content)).toBe(true)
})

test('a server that would compress is asked not to, and without the option it does', async () => {
  const text = 'again and again '.repeat(1_000)
  await using server = await httpServer((request, response) => {
    const coded = /gzip/.test(request.headers['accept-encoding'] ?? '')
    response.writeHead(200, { etag: '"t"', ...(coded ? { 'content-encoding': 'gzip' } : {}) })
    response.end(coded ? gzipSync(text) : text)
  })
  const plain = await client({ resume: true })(server.origin)
  expect(plain.headers.get('content-encoding')).toBeNull()
  expect(await plain.text()).toBe(text)
  const coded = await client()(server.origin)
  expect(coded.headers.get('content-encoding')).toBe('gzip')
  expect(await coded.text()).toBe(text)
  expect(gunzipSync(gzipSync(text)).toString()).toBe(text)
})

test('content that is compressed all the same is not resumed, and fails as without the option', async () => {
  const coded = gzipSync(bytesOf(10_000, 1))
  await using server = await socketServer((socket) => {
    const fields = `etag: "t"\r\ncontent-encoding: gzip\r\ncontent-length: ${coded.length}`
    socket.write(`HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`)
    socket.end(coded.subarray(0, 5_000))
  })
  const error = (await caught((await client({ resume: true })(server.origin)).bytes())) as NetworkError
  expect(error.kind).toBe('truncated')
  expect(error.message).not.toContain('resumed')
  expect(server.requests).toHaveLength(1)
})

test.each(['throw', 'fetch'] as const)("an answer that is no valid HTTP is not resumed, with errors: '%s'", async (errors) => {
  await using server = await socketServer((socket) => {
    socket.end('HTTP/1.1 200 OK\r\netag: "t"\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nno chunk\r\n')
  })
  const error = (await caught((await client({ resume: true, errors })(server.origin)).bytes())) as NetworkError
  expect(error).toMatchObject(errors === 'throw' ? { kind: 'protocol' } : { message: 'fetch failed' })
  expect(server.requests).toHaveLength(1)
})

test('policy functions are asked about a resumption in the context of its call, whose connection is that of another', async () => {
  const one = { content: bytesOf(size, 3), etag: '"one"' }
  const storage = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const turns: Turn[] = [
    { manner: 'right', cutBytes: undefined, loss: 'closed', chunked: false },
    { manner: 'right', cutBytes: 1_000, loss: 'closed', chunked: false },
  ]
  await using server = await downloadServer(one, one, turns)
  const api = client({ resume: soon, on: { 206: () => void seen.push(storage.getStore()) } })
  await storage.run('first', async () => (await api(server.origin)).bytes())
  const bytes = await storage.run('second', async () => (await api(server.origin)).bytes())
  expect(Buffer.compare(bytes, one.content)).toBe(0)
  expect(seen).toEqual(['second'])
})

test('an aborted download leaves no connection', async () => {
  const one = { content: bytesOf(size, 3), etag: '"one"' }
  const turns: Turn[] = [
    { manner: 'right', cutBytes: 1_000, loss: 'closed', chunked: false },
    { manner: 'right', cutBytes: 1_000, loss: 'silent', chunked: false },
  ]
  await using server = await downloadServer(one, one, turns)
  const abort = new AbortController()
  const response = await client({ resume: soon, idleTimeoutMs: false })(server.origin, { signal: abort.signal })
  const failure = caught(response.bytes())
  while (server.asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  const reason = new Error('no more')
  abort.abort(reason)
  expect(await failure).toBe(reason)
  while (server.connections.some((socket) => !socket.destroyed)) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(server.asked).toHaveLength(2)
})

test('a stream of HTTP/2 that is reset is resumed on the connection it has', async () => {
  const one = bytesOf(size, 9)
  const ranges: (string | undefined)[] = []
  await using server = await h2Server((request, response) => {
    const from = rangeStart(request.headers.range) ?? 0
    ranges.push(request.headers.range)
    const range = from === 0 ? {} : { 'content-range': `bytes ${from}-${size - 1}/${size}` }
    response.writeHead(from === 0 ? 200 : 206, { etag: '"one"', 'content-length': size - from, ...range })
    if (ranges.length > 2) response.end(one.subarray(from))
    else
      response.write(one.subarray(from, from + 100_000), () => setTimeout(() => response.stream.close(codes.INTERNAL_ERROR), 30))
  })
  const response = await client({ resume: soon, connect: trusting })(server.origin)
  expect(Buffer.compare(await response.bytes(), one)).toBe(0)
  expect(ranges).toHaveLength(3)
  expect(server.connections).toHaveLength(1)
})
