import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { Agent } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { poll, publicOnly, retry, traceOf } from '../../src/index.ts'
import { named, names, trapAt } from '../support/names.ts'
import { httpServer, socketServer } from '../support/server.ts'
import { httpsServer, trusting } from '../support/tls.ts'
import { caught, client } from '../support/wire.ts'

/** In these tests 127.0.0.1 is what may be asked, and 127.0.0.2 what must not. */
const targets = { deny: ['127.0.0.2'] }
const forbidden = { kind: 'target forbidden' }
const refused = { ...forbidden, attempts: 1 }

describe('the rules for targets hold', () => {
  test('for a connection that switches protocols', async () => {
    const switched = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n'
    await using server = await socketServer((socket) => socket.write(switched))
    await using trap = await trapAt('127.0.0.2', server.origin)
    const origin = named('a.example', server.origin)
    const api = client({ targets, connect: { lookup: names(['127.0.0.1'], ['127.0.0.2']).lookup } })
    const { socket } = await api.upgrade(origin, { protocol: 'echo' })
    socket.destroy()
    expect(await caught(api.upgrade(origin, { protocol: 'echo' }))).toMatchObject(refused)
    expect(await caught(api.upgrade(named('127.0.0.2', origin), { protocol: 'echo' }))).toMatchObject({
      ...forbidden,
      attempts: 0,
    })
    const free = client({ connect: { lookup: names(['127.0.0.2']).lookup } })
    expect(await caught(free.extend({ targets }).upgrade(origin, { protocol: 'echo' }))).toMatchObject(refused)
    expect(trap.connections).toEqual([])
  })

  test('for a request that asks before its content is sent', async () => {
    await using server = await httpServer((_request, response) => response.end('public'))
    await using trap = await trapAt('127.0.0.2', server.origin)
    const origin = named('a.example', server.origin)
    const post = { method: 'POST', body: 'the content', expectContinue: true }
    const lookup = names(['127.0.0.2', '127.0.0.1'], ['127.0.0.2']).lookup
    const api = client({ targets, connect: { lookup } })
    expect(await (await api(origin, post)).text()).toBe('public')
    expect(await caught(api(origin, post))).toMatchObject(refused)
    expect(await caught(api(named('127.0.0.2', origin), post))).toMatchObject({ ...forbidden, attempts: 0 })
    expect(trap.connections).toEqual([])
  })

  test('for a stream, which is given up unread', async () => {
    await using server = await httpServer((_request, response) => response.end('public'))
    await using trap = await trapAt('127.0.0.2', server.origin)
    const given = { pulled: 0, cancelled: 0 }
    const body = (): ReadableStream<Uint8Array> =>
      new ReadableStream(
        {
          pull(controller) {
            given.pulled += 1
            controller.enqueue(new Uint8Array(10))
          },
          cancel() {
            given.cancelled += 1
          },
        },
        { highWaterMark: 0 },
      )
    const api = client({ targets, connect: { lookup: names(['127.0.0.2']).lookup } })
    for (const host of ['a.example', '127.0.0.2']) {
      const call = api(named(host, server.origin), { method: 'POST', body: body(), duplex: 'half' })
      expect(await caught(call)).toMatchObject(forbidden)
    }
    expect(given).toEqual({ pulled: 0, cancelled: 2 })
    expect(trap.connections).toEqual([])
  })

  test('for each endpoint: one that leads to a forbidden address is passed over, and not blamed', async () => {
    await using server = await httpServer((_request, response) => response.end('public'))
    await using trap = await trapAt('127.0.0.2', server.origin)
    const endpoints = [named('a.example', server.origin), named('b.example', server.origin)]
    const api = client({
      targets,
      endpoints: { origins: endpoints, ejectAfter: 1 },
      random: () => 0,
      connect: {
        lookup: (name, options, callback) =>
          names([name === 'a.example' ? '127.0.0.2' : '127.0.0.1']).lookup(name, options, callback),
      },
    })
    for (let call = 0; call < 3; call += 1) {
      const response = await api('x')
      expect(await response.text()).toBe('public')
      expect(traceOf(response)?.attempts.at(-1)?.url).toBe(`${endpoints[1]}/x`)
    }
    expect(server.requests).toHaveLength(3)
    expect(trap.connections).toEqual([])
  })

  test('for a hedge, and the first request goes on without it', async () => {
    await using server = await httpServer((_request, response) => setTimeout(() => response.end('public'), 200))
    await using trap = await trapAt('127.0.0.2', server.origin)
    const { lookup, asked } = names(['127.0.0.1'], ['127.0.0.2'])
    const api = client({ targets, hedge: { afterMs: 20 }, connect: { lookup } })
    const response = await api(named('a.example', server.origin))
    expect(await response.text()).toBe('public')
    expect(traceOf(response)?.attempts).toMatchObject([
      { status: 200 },
      { hedge: true, error: expect.stringContaining('FORBIDDEN') },
    ])
    expect(asked).toHaveLength(2)
    expect(server.requests).toHaveLength(1)
    expect(trap.connections).toEqual([])
  })

  test('for the rest of a download', async () => {
    const head = 'HTTP/1.1 200 OK\r\netag: "1"\r\naccept-ranges: bytes\r\ncontent-length: 20\r\n\r\n'
    await using server = await socketServer((socket) => {
      socket.write(`${head}0123456789`)
      setTimeout(() => socket.destroy(), 20)
    })
    await using trap = await trapAt('127.0.0.2', server.origin)
    const { lookup } = names(['127.0.0.1'], ['127.0.0.2'])
    const api = client({ targets, connect: { lookup }, resume: { baseMs: 1, capMs: 5 } })
    const response = await api(named('a.example', server.origin))
    const error = (await caught(response.text())) as Error
    expect(error).toMatchObject({ name: 'NetworkError', kind: 'truncated' })
    expect(error.message).toContain('target forbidden')
    expect(traceOf(response)?.notRepeated).toBe('target forbidden')
    expect(server.requests).toHaveLength(1)
    expect(trap.connections).toEqual([])
  })

  test('for polls', async () => {
    let monitor = ''
    await using server = await httpServer((_request, response) =>
      response.writeHead(202, { 'operation-location': monitor }).end(),
    )
    await using trap = await trapAt('127.0.0.2', server.origin)
    const { lookup } = names(['127.0.0.2'])
    const api = client({ targets, connect: { lookup }, on: { 202: poll({ intervalMs: 1 }) } })
    for (const host of ['evil.example', '127.0.0.2']) {
      monitor = `${named(host, server.origin)}/status`
      expect(await caught(api(server.origin))).toMatchObject(forbidden)
    }
    expect(trap.connections).toEqual([])
  })

  test('for TLS, before anything of the handshake is sent', async () => {
    await using server = await httpsServer((_request, response) => response.end('public'))
    await using trap = await trapAt('127.0.0.2', server.origin)
    const { lookup } = names(['127.0.0.2', '127.0.0.1'], ['127.0.0.2'])
    const api = client({ targets, connect: { ...trusting, lookup, allowH2: false, maxCachedSessions: 10 } })
    const origin = named('localhost', server.origin)
    expect(await (await api(origin, { headers: { connection: 'close' } })).text()).toBe('public')
    server.connections[0]?.destroy()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await caught(api(origin))).toMatchObject(forbidden)
    expect(trap.connections).toEqual([])
  })

  test('after a network failure that is repeated: the error is that of the target', async () => {
    await using server = await socketServer((socket) => socket.destroy())
    await using trap = await trapAt('127.0.0.2', server.origin)
    const { lookup } = names(['127.0.0.1'], ['127.0.0.2'])
    const api = client({ targets, connect: { lookup }, on: { network: retry({ maxAttempts: 4, baseMs: 1, capMs: 2 }) } })
    expect(await caught(api(named('a.example', server.origin)))).toMatchObject({ ...forbidden, attempts: 2 })
    expect(trap.connections).toEqual([])
  })

  test('for a stored response that might stand in, too', async () => {
    const fields = { 'cache-control': 'max-age=0, stale-if-error=60', etag: '"1"', connection: 'close' }
    await using server = await httpServer((_request, response) => response.writeHead(200, fields).end('stored'))
    const { lookup } = names(['127.0.0.1'], ['127.0.0.2'])
    const api = client({ targets, connect: { lookup }, cache: true })
    const origin = named('a.example', server.origin)
    expect(await (await api(origin)).text()).toBe('stored')
    expect(await caught(api(origin))).toMatchObject(refused)
    expect(server.requests).toHaveLength(1)
  })
})

describe('where something else connects', () => {
  /** Puts msw in the place of the global fetch for one test. */
  const mocked = (): void => {
    const mocks = setupServer(http.get('http://*/', () => HttpResponse.text('mocked')))
    mocks.listen({ onUnhandledFrame: 'bypass' })
    onTestFinished(() => mocks.close())
  }

  test('a mock of the global fetch is not taken for a connection, unless that is accepted', async () => {
    await using server = await httpServer((_request, response) => response.end('public'))
    const { lookup, asked } = names(['127.0.0.1'])
    const origin = named('a.example', server.origin)
    mocked()
    const api = client({ targets, connect: { lookup } })
    const error = await caught(api(origin))
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).toContain(
      "the global fetch is replaced, and the addresses it connects to are not seen; targets: { unseen: 'own' }",
    )
    const unchecked = client({ targets: { ...targets, unseen: 'unchecked' }, connect: { lookup } })
    expect(await (await unchecked(origin)).text()).toBe('mocked')
    expect(await caught(unchecked(named('127.0.0.2', origin)))).toMatchObject(forbidden)
    expect([asked, server.requests]).toEqual([[], []])
  })

  test('an address in the target is seen, and so is a name that is allowed as such', async () => {
    mocked()
    expect(await (await client({ targets: publicOnly })('http://1.1.1.1/')).text()).toBe('mocked')
    expect(await (await client({ targets: { allow: ['a.example', '10.0.0.0/8'] } })('http://a.example/')).text()).toBe('mocked')
    expect(await caught(client({ targets: { allow: ['a.example', '10.0.0.0/8'] } })('http://b.example/'))).toBeInstanceOf(
      TypeError,
    )
    expect(await (await client({ targets: { deny: ['b.example'] } })('http://a.example/')).text()).toBe('mocked')
  })

  test('a stub of the global fetch is no way around the rules', async () => {
    await using server = await httpServer((_request, response) => response.end('public'))
    const { lookup } = names(['127.0.0.1'], ['127.0.0.2'])
    const native = globalThis.fetch
    const asked: unknown[] = []
    globalThis.fetch = async (target) => {
      asked.push(target)
      return new Response('stub')
    }
    try {
      const api = client({ targets: publicOnly })
      expect(await caught(api('http://a.example/'))).toBeInstanceOf(TypeError)
      expect(await caught(api('http://10.0.0.1/'))).toMatchObject(forbidden)
      const on = { network: retry({ maxAttempts: 5 }) }
      expect(await caught(client({ targets: publicOnly, on })('http://a.example/'))).toMatchObject({ name: 'TypeError' })
      const own = client({ targets: { ...targets, unseen: 'own' }, connect: { lookup } })
      expect(await (await own(named('a.example', server.origin))).text()).toBe('public')
      expect(asked).toEqual([])
    } finally {
      globalThis.fetch = native
    }
  })

  test('a dispatcher is used unchecked where that is accepted, for names alone', async () => {
    await using server = await httpServer((_request, response) => response.end('through'))
    const dispatcher = new Agent({ connect: { lookup: names(['127.0.0.1']).lookup } })
    const api = client({ dispatcher, targets: { deny: ['loopback'], unseen: 'unchecked' } })
    expect(await (await api(named('a.example', server.origin))).text()).toBe('through')
    expect(await caught(api(server.origin))).toMatchObject(forbidden)
    expect(server.requests).toHaveLength(1)
    await dispatcher.close()
  })
})
