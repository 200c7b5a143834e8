import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import type { ConnectionUse } from '../../src/transport/connection-use.ts'
import { type Connect, connectorOf } from '../../src/transport/connector.ts'
import { type Connection, trackingAgent } from '../../src/transport/tracked-client.ts'
import { httpServer, socketServer } from '../support/server.ts'
import { h2Server, trusting } from '../support/tls.ts'
import { rawResponse } from '../support/wire.ts'

/** What one dispatch came to. */
interface Result {
  readonly status: number | undefined
  readonly error: (Error & { code?: string }) | undefined
  /** One for each time the request was written. */
  readonly uses: (ConnectionUse | undefined)[]
}

function agentOf(connect: Connect = connectorOf(trusting, false, systemClock)): Dispatcher {
  const agent = trackingAgent({ headersTimeout: 0, bodyTimeout: 0 }, connect, systemClock)
  onTestFinished(() => agent.destroy())
  return agent
}

/** Sends a GET, after the turn of the event loop that undici waits before it uses a connection again. */
async function send(agent: Dispatcher, origin: string): Promise<Result> {
  await new Promise((resolve) => setImmediate(resolve))
  return dispatched(agent, origin)
}

function dispatched(agent: Dispatcher, origin: string): Promise<Result> {
  return new Promise((resolve) => {
    const uses: (ConnectionUse | undefined)[] = []
    let status: number | undefined
    let connection: Connection | undefined
    const handler = {
      onConnection(given: Connection) {
        connection = given
      },
      onRequestStart: () => void uses.push(connection?.use({ onContinue() {} })),
      onResponseStart(_controller: unknown, code: number) {
        status = code
      },
      onResponseData() {},
      onResponseEnd: () => resolve({ status, error: undefined, uses }),
      onResponseError: (_controller: unknown, error: Error) => resolve({ status, error, uses }),
    }
    agent.dispatch({ origin, path: '/', method: 'GET' }, handler)
  })
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

describe('a connection tells its handler', () => {
  it('whether it was used before, and that an answer came', async () => {
    await using server = await httpServer((_request, response) => response.end('ok'))
    const agent = agentOf()
    const results = [await send(agent, server.origin), await send(agent, server.origin), await send(agent, server.origin)]
    expect(results.map(({ uses }) => uses.map((use) => use?.reused))).toEqual([[false], [true], [true]])
    expect(results.map(({ uses }) => uses[0]?.answeredNothing)).toEqual([false, false, false])
    expect(server.connections).toHaveLength(1)
  })

  it('of each of many connections on its own', async () => {
    await using server = await httpServer((_request, response) => setTimeout(() => response.end('ok'), 20))
    const agent = agentOf()
    const batch = (): Promise<Result[]> => Promise.all(Array.from({ length: 20 }, () => send(agent, server.origin)))
    expect((await batch()).map(({ uses }) => uses[0]?.reused)).toEqual(Array(20).fill(false))
    await turn()
    expect((await batch()).map(({ uses }) => uses[0]?.reused)).toEqual(Array(20).fill(true))
    expect(server.connections).toHaveLength(20)
  })

  const deaths: [string, (socket: Socket) => void][] = [
    ['closes', (socket) => socket.destroy()],
    ['resets', (socket) => socket.resetAndDestroy()],
    ['ends', (socket) => socket.end()],
  ]
  it.each(deaths)('that nothing came back, when the server %s a kept connection under a request', async (_how, die) => {
    const seen = new Set<Socket>()
    await using server = await socketServer((socket) => {
      if (seen.has(socket)) die(socket)
      else socket.write(rawResponse('200 OK', {}, 'ok'))
      seen.add(socket)
    })
    const agent = agentOf()
    expect(await send(agent, server.origin)).toMatchObject({ status: 200 })
    const { error, uses } = await send(agent, server.origin)
    expect(error?.code).toMatch(/^(?:UND_ERR_SOCKET|ECONNRESET|EPIPE)$/)
    expect(uses).toMatchObject([{ reused: true, answeredNothing: true }])
    const next = await send(agent, server.origin)
    expect(next.uses[0]?.reused).toBe(false)
    expect(server.requests).toHaveLength(3)
  })

  it('that something came back, when the connection dies after half a status line', async () => {
    const seen = new Set<Socket>()
    await using server = await socketServer((socket) => {
      if (seen.has(socket)) socket.end('HTTP/1.')
      else socket.write(rawResponse('200 OK', {}, 'ok'))
      seen.add(socket)
    })
    const agent = agentOf()
    await send(agent, server.origin)
    const { error, uses } = await send(agent, server.origin)
    expect(error).toBeDefined()
    expect(uses).toMatchObject([{ reused: true, answeredNothing: false }])
  })

  it('that a fresh connection is not a stale one, when it dies without an answer', async () => {
    await using server = await socketServer((socket) => socket.destroy())
    const { error, uses } = await send(agentOf(), server.origin)
    expect(error).toBeDefined()
    expect(uses).toMatchObject([{ reused: false, answeredNothing: true }])
  })

  it('nothing of a use when the connection could not be opened', async () => {
    const server = await httpServer(() => {})
    await server[Symbol.asyncDispose]()
    const { error, uses } = await send(agentOf(), server.origin)
    expect(error?.code).toBe('ECONNREFUSED')
    expect(uses).toEqual([])
  })
})

describe('a server that closes idle connections', () => {
  it('before the next request is written costs nothing: undici looks for the end first, and opens another', async () => {
    await using server = await socketServer((socket) => {
      socket.write(rawResponse('200 OK', {}, 'ok'))
      setTimeout(() => socket.destroy(), 1)
    })
    const agent = agentOf()
    for (let count = 0; count < 5; count += 1) {
      const { status, uses } = await send(agent, server.origin)
      expect(status).toBe(200)
      expect(uses).toMatchObject([{ reused: false }])
      await turn()
    }
    expect(server.connections).toHaveLength(5)
  })

  it('while the event loop of the client is busy is seen before the request is written', async () => {
    await using server = await httpServer((_request, response) => response.end('ok'))
    const agent = agentOf()
    await send(agent, server.origin)
    await turn()
    // The end is already in the kernel when the next request is dispatched, but no event has told of it.
    server.connections[0]?.destroy()
    const { status, uses } = await send(agent, server.origin)
    expect(status).toBe(200)
    expect(uses).toMatchObject([{ reused: false }])
  })
})

describe('over TLS', () => {
  it.each([
    ['HTTP/1.1', false],
    ['HTTP/2', true],
  ])('%s: a kept connection that dies under a request had no answer', async (_name, allowH2) => {
    let count = 0
    await using server = await h2Server((_request, response) => {
      count += 1
      if (count === 2) server.connections[0]?.destroy()
      else response.end('ok')
    })
    const agent = agentOf(connectorOf({ ...trusting, allowH2 }, false, systemClock))
    const first = await send(agent, server.origin)
    expect(first).toMatchObject({ status: 200, uses: [{ reused: false, answeredNothing: false }] })
    await turn()
    const { error, uses } = await send(agent, server.origin)
    expect(error).toBeDefined()
    expect(uses).toMatchObject([{ reused: true, answeredNothing: true }])
    expect(server.connections[0]?.alpnProtocol).toBe(allowH2 ? 'h2' : 'http/1.1')
  })

  it('a session of HTTP/2 is one connection for many requests', async () => {
    await using server = await h2Server((_request, response) => setTimeout(() => response.end('ok'), 10))
    const agent = agentOf()
    const results = await Promise.all(Array.from({ length: 20 }, () => send(agent, server.origin)))
    expect(results.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(results.filter(({ uses }) => uses[0]?.reused === false)).toHaveLength(1)
    expect(server.connections).toHaveLength(1)
  })
})

it('an agent with tracked connections waits for its requests before it closes', async () => {
  await using server = await httpServer((_request, response) => setTimeout(() => response.end('ok'), 30))
  const agent = trackingAgent({}, connectorOf(undefined, false, systemClock), systemClock)
  const pending = dispatched(agent, server.origin)
  await agent.close()
  expect(await pending).toMatchObject({ status: 200 })
  await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
})
