import { describe, expect, it } from 'vitest'
import { TimeoutError } from '../../src/index.ts'
import { httpServer, type LocalServer, socketServer } from '../support/server.ts'
import { caught, client, keepingServer } from '../support/wire.ts'

/** A server that reads requests and never answers. */
const silent = (): Promise<LocalServer> => httpServer(() => {})

/** A server that answers 200 and sends a byte every `everyMs`, `count` times. */
function dripping(everyMs: number, count: number): Promise<LocalServer> {
  return httpServer((_request, response) => {
    response.writeHead(200, { 'content-length': String(count) })
    response.flushHeaders()
    let sent = 0
    const timer = setInterval(() => {
      sent += 1
      response.write('x')
      if (sent < count) return
      clearInterval(timer)
      response.end()
    }, everyMs)
    response.on('close', () => clearInterval(timer))
  })
}

/** Waits until every connection of the server is closed. */
async function expectClosed(server: LocalServer): Promise<void> {
  await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
}

async function timed(call: () => Promise<unknown>): Promise<{ error: unknown; ms: number }> {
  const startMs = performance.now()
  const error = await caught(call())
  return { error, ms: performance.now() - startMs }
}

describe('attemptTimeoutMs', () => {
  it('ends an attempt without an answer; a GET is sent again, then the TimeoutError is thrown', async () => {
    await using server = await silent()
    const { error, ms } = await timed(() => client({ attemptTimeoutMs: 100 })(server.origin))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ kind: 'attempt', attempts: 3 })
    expect(server.requests).toHaveLength(3)
    expect(ms).toBeGreaterThan(290)
    expect(ms).toBeLessThan(1_000)
    await expectClosed(server)
  })

  it('does not repeat a POST, which may have had its effect', async () => {
    await using server = await silent()
    const error = await caught(client({ attemptTimeoutMs: 80 })(server.origin, { method: 'POST', body: 'a' }))
    expect(error).toMatchObject({ kind: 'attempt', attempts: 1 })
    expect(server.requests).toEqual(['POST /'])
  })

  it('lets a later attempt succeed', async () => {
    await using server = await keepingServer((response, _received, index) => {
      if (index > 0) response.end('late')
    })
    const response = await client({ attemptTimeoutMs: 100 })(server.origin, { method: 'PUT', body: 'a' })
    expect(await response.text()).toBe('late')
    expect(server.received.map(({ body }) => String(body))).toEqual(['a', 'a'])
  })

  it('is over with the header section: a body may take longer', async () => {
    await using server = await dripping(30, 10)
    const response = await client({ attemptTimeoutMs: 150 })(server.origin)
    expect(await response.text()).toBe('xxxxxxxxxx')
    expect(server.requests).toHaveLength(1)
  })
})

describe('timeoutMs', () => {
  it('ends the whole call over its attempts', async () => {
    await using server = await silent()
    const { error, ms } = await timed(() => client({ timeoutMs: 250, attemptTimeoutMs: 100 })(server.origin))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(server.requests.length).toBeLessThanOrEqual(3)
    expect(ms).toBeGreaterThan(190)
    expect(ms).toBeLessThan(600)
    await expectClosed(server)
  })

  it.each(['text', 'json', 'arrayBuffer', 'blob', 'bytes', 'formData'] as const)(
    'ends a body that drips while %s() reads it',
    async (read) => {
      await using server = await dripping(20, 1_000)
      const { error, ms } = await timed(() => client({ timeoutMs: 200 })(server.origin).then((response) => response[read]()))
      expect(error).toBeInstanceOf(TimeoutError)
      expect(error).toMatchObject({ kind: 'call' })
      expect(ms).toBeGreaterThan(190)
      expect(ms).toBeLessThan(800)
      expect(server.requests).toHaveLength(1)
      await expectClosed(server)
    },
  )

  it('of the client does not end a body that is taken as a stream', async () => {
    await using server = await dripping(20, 20)
    const response = await client({ timeoutMs: 150 })(server.origin)
    let text = ''
    for await (const part of response.body ?? []) text += new TextDecoder().decode(part as Uint8Array)
    expect(text).toBe('x'.repeat(20))
  })

  it('of the call itself ends a body that is taken as a stream', async () => {
    await using server = await dripping(20, 1_000)
    const response = await client()(server.origin, { timeoutMs: 150 })
    const reader = response.body?.getReader() ?? expect.unreachable()
    const { error, ms } = await timed(async () => {
      while (!(await reader.read()).done);
    })
    expect(error).toMatchObject({ kind: 'call' })
    expect(ms).toBeLessThan(800)
    await expectClosed(server)
  })

  it('ends a back-off that would be longer at once, with the real error', async () => {
    await using server = await httpServer((_request, response) => response.writeHead(500).end())
    const { error, ms } = await timed(() => client({ on: { 500: 'retry' }, random: () => 0.999, timeoutMs: 60 })(server.origin))
    expect(error).toMatchObject({ status: 500, attempts: 1 })
    expect(ms).toBeLessThan(500)
  })
})

describe('idleTimeoutMs', () => {
  it('ends a body that falls silent, read whole or as a stream', async () => {
    await using server = await httpServer((_request, response) => response.writeHead(200).write('start'))
    const api = client({ idleTimeoutMs: 100 })
    const whole = await timed(() => api(server.origin).then((response) => response.text()))
    expect(whole.error).toBeInstanceOf(TimeoutError)
    expect(whole.error).toMatchObject({ kind: 'idle' })
    const reader = (await api(server.origin)).body?.getReader() ?? expect.unreachable()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('start')
    const streamed = await timed(() => reader.read())
    expect(streamed.error).toMatchObject({ kind: 'idle' })
    expect(whole.ms + streamed.ms).toBeLessThan(1_000)
    expect(server.requests).toHaveLength(2)
    await expectClosed(server)
  })

  it('does not end a slow body that keeps coming', async () => {
    await using server = await dripping(40, 10)
    const response = await client({ idleTimeoutMs: 200 })(server.origin)
    expect(await response.text()).toBe('x'.repeat(10))
  })

  it('does not count the time in which the caller reads nothing', async () => {
    const size = 4_000_000
    await using server = await httpServer((_request, response) => response.end(Buffer.alloc(size, 'a')))
    const response = await client({ idleTimeoutMs: 100 })(server.origin)
    const reader = response.body?.getReader() ?? expect.unreachable()
    let read = (await reader.read()).value?.length ?? 0
    await new Promise((resolve) => setTimeout(resolve, 300))
    for (let part = await reader.read(); !part.done; part = await reader.read()) read += part.value.length
    expect(read).toBe(size)
  })
})

describe('connectTimeoutMs', () => {
  it('ends a TLS handshake that is never answered; even a POST is sent again, for nothing of it was sent', async () => {
    await using server = await socketServer(() => {})
    const target = server.origin.replace('http:', 'https:')
    const { error, ms } = await timed(() => client({ connectTimeoutMs: 150 })(target, { method: 'POST', body: 'a' }))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ kind: 'connect', sent: 'no', attempts: 3 })
    expect((error as Error).message).toContain('150 ms')
    expect(ms).toBeLessThan(4_000)
    expect(server.connections).toHaveLength(3)
    await expectClosed(server)
  })
})
