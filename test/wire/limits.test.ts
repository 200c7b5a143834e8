import { describe, expect, it } from 'vitest'
import { BodyError, NetworkError, TimeoutError } from '../../src/index.ts'
import { frameServer } from '../support/frames.ts'
import { type LocalServer, socketServer } from '../support/server.ts'
import { trusting } from '../support/tls.ts'
import { caught, client } from '../support/wire.ts'

const once = { maxAttempts: 1, timeoutMs: 10_000 } as const
/** The HTTP/2 library of older lines takes SETTINGS of any size: the limit of the attempt is what ends it there. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const boundsSettings = major > 22 || (major === 22 && minor >= 20)
const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'

/** A server that answers with a start, and then the same for ever. */
function endless(start: string, rest: string): Promise<LocalServer> {
  const bytes = Buffer.from(rest.repeat(Math.ceil(4_096 / rest.length)))
  return socketServer((socket) => {
    socket.write(start)
    const more = (): void => {
      if (socket.destroyed) return
      if (socket.write(bytes)) setImmediate(more)
      else socket.once('drain', more)
    }
    more()
  })
}

const letGo = (server: LocalServer): Promise<void> =>
  expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)

/** Bytes that the server got rid of, those that only wait aside. */
const givenBytes = ([socket]: LocalServer['connections']): number =>
  socket === undefined ? 0 : socket.bytesWritten - socket.writableLength

describe('what a server of HTTP/1.1 sends without end', () => {
  it.each([
    ['fields', 'HTTP/1.1 200 OK\r\n', 'x-more: 1\r\n'],
    ['one field', 'HTTP/1.1 200 OK\r\nx-more: ', 'a'],
  ])('%s: beyond 16 KiB a NetworkError, and the connection is closed', async (_what, start, rest) => {
    await using server = await endless(start, rest)
    const error = await caught(client()(server.origin, once))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind: 'protocol', attempts: 1 })
    await letGo(server)
    expect(givenBytes(server.connections)).toBeLessThan(8_000_000)
  })

  it('a reason phrase, of which nothing is kept: the limit of the attempt', async () => {
    await using server = await endless('HTTP/1.1 200 ', 'a')
    const error = await caught(client()(server.origin, { ...once, attemptTimeoutMs: 300 }))
    expect(error).toMatchObject({ name: 'TimeoutError', kind: 'attempt' })
    await letGo(server)
  })

  it('trailers: beyond 16 KiB a NetworkError, and the connection is closed', async () => {
    await using server = await endless(`${chunked}1\r\na\r\n0\r\n`, 'x-more: 1\r\n')
    const error = await caught(client()(server.origin, once).then((response) => response.text()))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind: 'protocol' })
    await letGo(server)
  })

  it('an extension of a chunk: the limit on silence, for no content comes', async () => {
    await using server = await endless(`${chunked}1`, ';a=b')
    const error = await caught(client()(server.origin, { ...once, idleTimeoutMs: 200 }).then((response) => response.text()))
    expect(error).toMatchObject({ name: 'TimeoutError', kind: 'idle' })
    await letGo(server)
  })

  it('content that is collected: maxResponseBytes, with nothing more read', async () => {
    await using server = await endless(chunked, `1000\r\n${'x'.repeat(0x1000)}\r\n`)
    const error = await caught(
      client()(server.origin, { ...once, maxResponseBytes: 100_000 }).then((response) => response.text()),
    )
    expect(error).toBeInstanceOf(BodyError)
    expect(error).toMatchObject({ kind: 'too large' })
    await letGo(server)
  })
})

/** A frame of HTTP/2, RFC 9113 §4.1. */
function frame(type: number, flags: number, stream: number, content: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(content.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, content])
}
const [settings, push, ping, continuation] = [0x4, 0x5, 0x6, 0x9]
const headers = 0x1
/** `:status: 200` is entry 8 of HPACK's static table; a literal field without indexing, RFC 7541 §6.2.2. */
const ok = Buffer.from([0x88])
const literal = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)])

describe('what a server of HTTP/2 sends without measure', () => {
  const floods: [string, string, (stream: number) => Buffer][] = [
    [
      'more than 128 fields',
      'reset',
      (stream) =>
        frame(headers, 0x4, stream, Buffer.concat([ok, ...Array.from({ length: 200 }, (_none, at) => literal(`x-${at}`, '1'))])),
    ],
    [
      'CONTINUATION frames',
      'protocol',
      (stream) =>
        Buffer.concat([
          frame(headers, 0, stream, ok),
          ...Array.from({ length: 2_000 }, () => frame(continuation, 0, stream, literal('x', '1'))),
        ]),
    ],
    [
      'a pushed response',
      'protocol',
      (stream) => frame(push, 0x4, stream, Buffer.concat([Buffer.from([0, 0, 0, 2]), Buffer.from([0x82, 0x87, 0x84])])),
    ],
    [
      'settings of 1,000 entries',
      boundsSettings ? 'protocol' : 'attempt',
      () => frame(settings, 0, 0, Buffer.concat(Array.from({ length: 1_000 }, () => Buffer.from([0, 4, 0, 1, 0, 0])))),
    ],
  ]

  it.each(floods)('%s: a typed error, and the process goes on', async (_what, kind, flood) => {
    await using server = await frameServer((session, stream) => session.socket.write(flood(stream)))
    const error = await caught(client({ connect: trusting, attemptTimeoutMs: 3_000 })(server.origin, once))
    expect(error).toBeInstanceOf(kind === 'attempt' ? TimeoutError : NetworkError)
    expect(error).toMatchObject({ kind, attempts: 1 })
    expect(server.requests).toHaveLength(1)
  })

  it('PING and SETTINGS frames: what is to be acknowledged is bounded, and the call ends by its limit', async () => {
    const some = Buffer.concat(
      Array.from({ length: 500 }, () => Buffer.concat([frame(ping, 0, 0, Buffer.alloc(8)), frame(settings, 0, 0)])),
    )
    await using server = await frameServer(({ socket }) => {
      // It does not read the acknowledgements.
      socket.pause()
      const more = (): void => {
        if (socket.destroyed) return
        if (socket.write(some)) setImmediate(more)
        else socket.once('drain', more)
      }
      more()
    })
    const error = await caught(client({ connect: trusting })(server.origin, { ...once, timeoutMs: 1_500 }))
    expect(error instanceof NetworkError || error instanceof TimeoutError).toBe(true)
    expect(server.requests).toHaveLength(1)
  })

  it('no window for an upload: the limit of the attempt', async () => {
    await using server = await frameServer(() => {})
    const body = 'x'.repeat(200_000)
    const error = await caught(
      client({ connect: trusting })(server.origin, { ...once, method: 'POST', body, attemptTimeoutMs: 300 }),
    )
    expect(error).toMatchObject({ name: 'TimeoutError', kind: 'attempt', attempts: 1 })
  })
})
