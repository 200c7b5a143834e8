import { describe, expect, it } from 'vitest'
import { BodyError, NetworkError, traceOf } from '../../src/index.ts'
import { httpServer } from '../support/server.ts'
import { caught, client, inTurn, keepingServer } from '../support/wire.ts'

const parts = ['one ', 'two ', 'three']

function stream(onCancel: (reason: unknown) => void = () => {}): ReadableStream<Uint8Array> {
  const rest = [...parts]
  return new ReadableStream({
    pull(controller) {
      const part = rest.shift()
      if (part === undefined) controller.close()
      else controller.enqueue(new TextEncoder().encode(part))
    },
    cancel: onCancel,
  })
}

async function* iterable(): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield new TextEncoder().encode(part)
}

/** Gives one part, then fails with this error. */
function failing(error: unknown): ReadableStream<Uint8Array> {
  let pulls = 0
  return new ReadableStream({
    async pull(controller) {
      pulls += 1
      if (pulls === 1) return controller.enqueue(new Uint8Array(10))
      await new Promise((resolve) => setTimeout(resolve, 50))
      throw error
    },
  })
}

const sources: [string, () => BodyInit][] = [
  ['a ReadableStream', stream],
  ['an async iterable', () => iterable() as unknown as BodyInit],
  ['the stream of a Blob', () => new Blob(parts).stream()],
  ['the body of a Response', () => new Response(parts.join('')).body as BodyInit],
]

describe('content that can be read once', () => {
  it.each(sources)('%s is sent in chunks', async (_name, source) => {
    await using server = await keepingServer(inTurn(200))
    const response = await client()(server.origin, { method: 'PUT', body: source(), duplex: 'half' } as RequestInit)
    expect(response.status).toBe(200)
    const { headers, body } = server.received[0] ?? expect.unreachable()
    expect(String(body)).toBe('one two three')
    expect([headers['transfer-encoding'], headers['content-length'], headers['content-type']]).toEqual([
      'chunked',
      undefined,
      undefined,
    ])
  })

  it.each(sources)('%s is never sent again: the 503 is thrown after one attempt', async (_name, source) => {
    await using server = await keepingServer(inTurn(503, 200))
    const error = await caught(client()(server.origin, { method: 'PUT', body: source(), duplex: 'half' } as RequestInit))
    expect(error).toMatchObject({ status: 503, attempts: 1 })
    expect(traceOf(error)?.notRepeated).toBe('content cannot be replayed')
    expect(server.received.map(({ body }) => String(body))).toEqual(['one two three'])
  })

  it('a Content-Length of the caller is sent in place of chunks', async () => {
    await using server = await keepingServer(inTurn(200))
    await client()(server.origin, { method: 'PUT', body: stream(), duplex: 'half', headers: { 'content-length': '13' } })
    const { headers, body } = server.received[0] ?? expect.unreachable()
    expect([headers['content-length'], headers['transfer-encoding'], String(body)]).toEqual(['13', undefined, 'one two three'])
  })

  it('a Content-Length that is too small is an error of the content', async () => {
    await using server = await keepingServer(inTurn(200))
    const error = await caught(
      client()(server.origin, { method: 'PUT', body: stream(), duplex: 'half', headers: { 'content-length': '5' } }),
    )
    expect(error).toBeInstanceOf(BodyError)
    expect(error).toMatchObject({ kind: 'source', attempts: 1 })
  })

  it.each([
    ['an error', new Error('the disk failed')],
    ['an error with a code of the network', Object.assign(new Error('the source was reset'), { code: 'ECONNRESET' })],
  ])(
    'a stream that fails in the middle with %s: a BodyError with that cause, nothing repeated, connection closed',
    async (_name, cause) => {
      let finished = 0
      await using server = await httpServer((request, response) => {
        request.on('error', () => {})
        request.on('end', () => {
          finished += 1
          response.end()
        })
        request.resume()
      })
      const error = await caught(client()(server.origin, { method: 'PUT', body: failing(cause), duplex: 'half' } as RequestInit))
      expect(error).toBeInstanceOf(BodyError)
      expect(error).toMatchObject({ kind: 'source', attempts: 1 })
      expect((error as Error).cause).toBe(cause)
      expect(server.requests).toHaveLength(1)
      await expect.poll(() => server.connections.map((socket) => socket.destroyed)).toEqual([true])
      expect(finished).toBe(0)
    },
  )

  it('a stream of strings is refused with a clear error', async () => {
    await using server = await keepingServer(inTurn(200))
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue('text')
        controller.close()
      },
    })
    const error = await caught(client()(server.origin, { method: 'PUT', body, duplex: 'half' }))
    expect(`${error} ${(error as Error).cause}`).toContain('Uint8Array')
    expect(error).not.toBeInstanceOf(NetworkError)
    expect(server.received).toHaveLength(0)
  })

  it('a stream that was not read is told to stop when the connection is refused', async () => {
    const gone = await httpServer(() => {})
    await gone[Symbol.asyncDispose]()
    let stopped: unknown
    const body = stream((reason) => {
      stopped = reason
    })
    const error = await caught(client()(gone.origin, { method: 'PUT', body, duplex: 'half' }))
    expect(error).toMatchObject({ kind: 'connect' })
    await expect.poll(() => stopped).toBe(error)
  })

  it('a stream is told to stop when the server answers before it was read', async () => {
    await using server = await httpServer((_request, response) => response.writeHead(400, { connection: 'close' }).end('no'))
    let stopped = false
    const endless = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        controller.enqueue(new Uint8Array(1_000))
      },
      cancel() {
        stopped = true
      },
    })
    const error = await caught(client()(server.origin, { method: 'PUT', body: endless, duplex: 'half' }))
    expect(error).toMatchObject({ status: 400, attempts: 1 })
    await expect.poll(() => stopped, { timeout: 2_000 }).toBe(true)
    expect(server.requests).toHaveLength(1)
  })
})
