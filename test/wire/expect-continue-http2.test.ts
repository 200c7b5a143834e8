import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type Information, traceOf } from '../../src/index.ts'
import { codes, frameServer } from '../support/frames.ts'
import { h2Server, trusting } from '../support/tls.ts'
import { caught, client, soon } from '../support/wire.ts'

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants
const post = { method: 'POST', body: 'the content', expectContinue: true }

/** A server of HTTP/2 alone that decides by itself about the streams of requests that ask. */
async function asked(decide: (stream: ServerHttp2Stream) => void, options: object = {}) {
  const contents: string[] = []
  const fieldsSeen: Record<string, unknown>[] = []
  const server = await h2Server((request, response) => request.resume().on('end', () => response.end('not asked')), {
    allowHTTP1: false,
    ...options,
  })
  server.server.on('checkContinue', ({ stream, headers }) => {
    const index = fieldsSeen.push(headers) - 1
    contents[index] = ''
    stream.on('error', () => {})
    stream.on('data', (part: Buffer) => {
      contents[index] += part.toString('utf8')
    })
    decide(stream)
  })
  return Object.assign(server, { contents, fieldsSeen })
}

/** Tells to go on, and answers with how much came. */
function goOn(stream: ServerHttp2Stream): void {
  stream.additionalHeaders({ ':status': 100 })
  let bytes = 0
  stream.on('data', (part: Buffer) => {
    bytes += part.byteLength
  })
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'set-cookie': ['a=1', 'b=2'] })
    stream.end(`got ${bytes}`)
  })
}

function streamOf(...parts: string[]): ReadableStream<Uint8Array> {
  return new Blob(parts).stream()
}

const allClosed = (server: { readonly connections: readonly Socket[] }): Promise<void> =>
  expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true) as unknown as Promise<void>

describe('a request that asks before it sends its content, over HTTP/2', () => {
  it('sends it once the server says so', async () => {
    await using server = await asked((stream) => {
      expect(server.contents).toEqual([''])
      setTimeout(() => goOn(stream), 30)
    })
    const told: number[] = []
    const onInformation = ({ status }: Information): void => void told.push(status)
    const response = await client({ connect: trusting, headers: { 'x-a': '1' } })(`${server.origin}/path?q=1`, {
      ...post,
      onInformation,
    })
    expect([response.status, await response.text(), told]).toEqual([200, 'got 11', [100]])
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(server.fieldsSeen).toMatchObject([
      {
        ':method': 'POST',
        ':path': '/path?q=1',
        ':authority': server.origin.slice('https://'.length),
        expect: '100-continue',
        'content-length': '11',
        'x-a': '1',
      },
    ])
    expect(traceOf(response)?.attempts).toMatchObject([{ status: 200 }])
    await allClosed(server)
  })

  it.each<[string, () => RequestInit, string]>([
    ['a string of more than ASCII', () => ({ body: 'größer' }), 'größer'],
    ['bytes', () => ({ body: new TextEncoder().encode('bytes') }), 'bytes'],
    ['a Blob', () => ({ body: new Blob(['blob ', 'parts']) }), 'blob parts'],
    ['a stream', () => ({ body: streamOf('one ', 'two'), duplex: 'half' }) as RequestInit, 'one two'],
    ['more than a window', () => ({ body: 'l'.repeat(1_000_000) }), 'l'.repeat(1_000_000)],
  ])('sends content of any kind: %s', async (_kind, init, content) => {
    await using server = await asked(goOn)
    const api = client({ connect: trusting })
    expect((await api(server.origin, { method: 'PUT', expectContinue: true, ...init() })).status).toBe(200)
    expect(server.contents).toEqual([content])
  })

  it('sends it after a time where the server is silent', async () => {
    await using server = await asked((stream) => {
      stream.on('end', () => {
        stream.respond({ ':status': 200 })
        stream.end('came')
      })
    })
    const response = await client({ connect: trusting })(server.origin, { ...post, expectContinue: { afterMs: 40 } })
    expect([await response.text(), server.contents]).toEqual(['came', ['the content']])
  })

  it.each([401, 413, 422])('sends none after %i, and the caller has its error', async (status) => {
    await using server = await asked((stream) => {
      stream.respond({ ':status': status })
      stream.end('not wanted')
    })
    const error = await caught(
      client({ connect: trusting })(server.origin, { ...post, body: streamOf('a', 'b'), duplex: 'half' }),
    )
    expect(error).toMatchObject({ status, body: 'not wanted', attempts: 1 })
    await allClosed(server)
    expect(server.contents).toEqual([''])
  })

  it('is sent again without the question after 417', async () => {
    await using server = await asked((stream) => {
      stream.respond({ ':status': 417 })
      stream.end()
    })
    const response = await client({ connect: trusting })(server.origin, post)
    expect(await response.text()).toBe('not asked')
    expect(traceOf(response)?.attempts).toMatchObject([{ status: 200, resent: true }])
  })

  it('stops to send when the answer comes early and the stream is reset without an error (RFC 9113 §8.1)', async () => {
    await using server = await asked((stream) => {
      stream.additionalHeaders({ ':status': 100 })
      stream.once('data', () => {
        stream.respond({ ':status': 413 })
        stream.end('enough', () => stream.close(NGHTTP2_NO_ERROR))
      })
    })
    let given = 0
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        given += 1
        await new Promise((resolve) => setTimeout(resolve, 5))
        controller.enqueue(new Uint8Array(1_000))
      },
    })
    const error = await caught(client({ connect: trusting, maxAttempts: 1 })(server.origin, { ...post, body, duplex: 'half' }))
    expect(error).toMatchObject({ status: 413, body: 'enough' })
    await allClosed(server)
    const before = given
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(given - before).toBeLessThan(3)
  })

  it('may have early hints before, and coded content after', async () => {
    const content = 'x'.repeat(200_000)
    await using server = await asked((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' })
      stream.respond({ ':status': 200, 'content-encoding': 'gzip' })
      stream.end(gzipSync(content))
    })
    const told: Information[] = []
    const onInformation = (information: Information): void => void told.push(information)
    const response = await client({ connect: trusting })(`${server.origin}/x`, { ...post, onInformation })
    expect(told.map(({ status, links }) => [status, links[0]?.target])).toEqual([[103, `${server.origin}/a.css`]])
    expect(await response.text()).toBe(content)
    await allClosed(server)
  })

  it('is read no faster than the caller reads, and given up with the body', async () => {
    let given = 0
    await using server = await asked((stream) => {
      stream.respond({ ':status': 200 })
      const give = (): void => {
        while (given < 2_000 && stream.write(Buffer.alloc(65_536))) given += 1
        given += 1
      }
      stream.on('drain', give)
      give()
    })
    const response = await client({ connect: trusting })(server.origin, post)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(given).toBeLessThan(500)
    await response.body?.cancel()
    await allClosed(server)
  })
})

describe('what ends such a request over HTTP/2', () => {
  it('is a stream that was refused, which was not processed', async () => {
    await using server = await asked((stream) =>
      server.fieldsSeen.length < 2 ? stream.close(NGHTTP2_REFUSED_STREAM) : goOn(stream),
    )
    const response = await client({ connect: trusting, on: { network: soon } })(server.origin, post)
    expect(await response.text()).toBe('got 11')
    expect(traceOf(response)?.attempts).toHaveLength(2)
  })

  it.each([
    ['a stream that is reset', (stream: ServerHttp2Stream) => stream.close(NGHTTP2_CANCEL)],
    ['a connection that is lost', (_stream: ServerHttp2Stream, sockets: readonly Socket[]) => sockets[0]?.destroy()],
    ['a connection that is closed in good order', (stream: ServerHttp2Stream) => stream.session?.destroy()],
  ])('is %s', async (_case, end) => {
    await using server = await asked((stream) => void end(stream, server.connections))
    const error = await caught(client({ connect: trusting, maxAttempts: 1 })(server.origin, post))
    expect(error).toMatchObject({ name: 'NetworkError', kind: 'reset', sent: 'maybe', attempts: 1 })
    await allClosed(server)
  })

  it.each([
    ['with CANCEL', codes.CANCEL],
    ['with NO_ERROR', codes.NO_ERROR],
    ['with INTERNAL_ERROR', codes.INTERNAL_ERROR],
  ])('is a response that is cut short by a reset %s', async (_case, code) => {
    // Node's own server ends a stream before it resets it.
    await using server = await frameServer((session, id) => {
      session.head(id)
      session.data(id, 'short', false)
      setTimeout(() => session.reset(id, code), 20)
    })
    const init = { ...post, expectContinue: { afterMs: 20 } }
    const response = await client({ connect: trusting, maxAttempts: 1 })(server.origin, init)
    expect(await caught(response.text())).toMatchObject({ name: 'NetworkError', kind: 'truncated' })
    await allClosed(server)
  })

  it('is the signal of the call, and its time limit', async () => {
    await using server = await asked(() => {})
    const api = client({ connect: trusting })
    const controller = new AbortController()
    const reason = new Error('not wanted any more')
    const calling = caught(api(server.origin, { ...post, signal: controller.signal }))
    await expect.poll(() => server.fieldsSeen.length).toBe(1)
    controller.abort(reason)
    expect(await calling).toBe(reason)
    const error = await caught(api(server.origin, { ...post, attemptTimeoutMs: 100, maxAttempts: 1 }))
    expect(error).toMatchObject({ name: 'TimeoutError', kind: 'attempt', sent: 'maybe' })
    await allClosed(server)
  })

  it('is a flood of informational responses', async () => {
    await using server = await asked((stream) => {
      for (let count = 0; count < 1_500; count += 1) stream.additionalHeaders({ ':status': 102 })
    })
    const error = await caught(client({ connect: trusting, maxAttempts: 1 })(server.origin, post))
    expect(error).toMatchObject({ name: 'NetworkError' })
    await allClosed(server)
  })
})

describe('the version of HTTP of such a request', () => {
  it.each([
    ['HTTP/2 where the server offers it', {}, '2.0'],
    ['HTTP/1.1 where the options keep to it', { allowH2: false }, '1.1'],
  ])('is %s', async (_case, options, version) => {
    await using server = await h2Server((request, response) => request.resume().on('end', () => response.end('not asked')))
    server.server.on('checkContinue', (request, response) => {
      response.writeContinue()
      request.resume().on('end', () => response.end(`asked over ${request.httpVersion}`))
    })
    const api = client({ connect: { ...trusting, ...options } })
    expect(await (await api(server.origin, post)).text()).toBe(`asked over ${version}`)
    await allClosed(server)
  })

  it('is what the connector of the caller chose', async () => {
    await using server = await asked(goOn)
    const connect = ({ port }: { port: string }, callback: (error: null, socket: Socket) => void): void => {
      const socket = connectTls({ host: '127.0.0.1', port: Number(port), ALPNProtocols: ['h2'], ca: trusting.ca })
      socket.once('secureConnect', () => callback(null, socket))
    }
    expect(await (await client({ connect: connect as never })(server.origin, post)).text()).toBe('got 11')
    await allClosed(server)
  })
})
