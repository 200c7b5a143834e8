import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createFetch, fetchStandard, NetworkError, type SteadFetch, traceOf } from '../../src/index.ts'
import { type LocalServer, socketServer } from '../support/server.ts'
import { caught, client, rawResponse, soon } from '../support/wire.ts'

/** Answers the first request on each connection, and does `later` to the connection when another one arrives on it. */
function closingServer(later: (socket: Socket) => void, alive = 1): Promise<LocalServer> {
  const answered = new WeakMap<Socket, number>()
  return socketServer((socket) => {
    const count = (answered.get(socket) ?? 0) + 1
    answered.set(socket, count)
    if (count > alive) later(socket)
    else socket.write(rawResponse('200 OK', {}, 'answer'))
  })
}

/** One request that leaves a connection behind, after the turn that undici waits before it uses one again. */
async function warmed(api: SteadFetch, server: LocalServer): Promise<void> {
  await (await api(server.origin)).text()
  await new Promise((resolve) => setTimeout(resolve, 20))
}

describe('a reused connection that the server closes as the request arrives', () => {
  it.each([
    ['is destroyed', (socket: Socket) => socket.destroy()],
    ['is reset', (socket: Socket) => socket.resetAndDestroy()],
    ['is ended', (socket: Socket) => socket.end()],
  ])('%s: a GET is sent once more at once, at no cost to its attempts', async (_how, later) => {
    await using server = await closingServer(later)
    const api = client({ maxAttempts: 1 })
    await warmed(api, server)
    const response = await api(server.origin)
    expect(await response.text()).toBe('answer')
    expect(server.requests).toHaveLength(3)
    expect(server.connections).toHaveLength(2)
    expect(traceOf(response)?.attempts).toMatchObject([{ status: 200, waitMs: 0, resent: true }])
  })

  it('plain fetch on our transport does the same', async () => {
    await using server = await closingServer((socket) => socket.destroy())
    const api = createFetch(fetchStandard)
    await warmed(api, server)
    expect(await (await api(server.origin)).text()).toBe('answer')
    await api.close()
  })

  it('a POST is not sent again: it may have been applied', async () => {
    await using server = await closingServer((socket) => socket.destroy())
    const api = client()
    await warmed(api, server)
    const error = await caught(api(server.origin, { method: 'POST', body: 'order' }))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind: 'reset', sent: 'maybe', attempts: 1 })
    expect(server.requests).toEqual(['GET /', 'POST /'])
  })

  it('a POST with an Idempotency-Key is sent again with the same content', async () => {
    const received: string[] = []
    let connections = 0
    await using server = await socketServer((socket, text) => {
      received.push(text)
      if (received.length === 1) connections += 1
      if (received.length === 2) socket.destroy()
      else socket.write(rawResponse('200 OK', {}, 'answer'))
    })
    const api = client({ maxAttempts: 1 })
    await warmed(api, server)
    await api(server.origin, { method: 'POST', body: 'order', headers: { 'idempotency-key': 'k1' } })
    expect(received).toHaveLength(3)
    expect(received[2]).toBe(received[1])
    expect(connections).toBe(1)
  })

  it('a one-shot stream is not sent again', async () => {
    await using server = await closingServer((socket) => socket.destroy())
    const api = client({ maxAttempts: 1 })
    await warmed(api, server)
    const body = new Blob(['part']).stream()
    const error = await caught(api(server.origin, { method: 'PUT', body, duplex: 'half' }))
    expect(error).toMatchObject({ kind: 'reset', attempts: 1 })
    expect(server.requests.filter((line) => line.startsWith('PUT'))).toHaveLength(1)
  })

  it('once some of the response has come, it is an attempt like any other', async () => {
    await using server = await closingServer((socket) => socket.end('HTTP/1.1 200 O'))
    const api = client({ maxAttempts: 1 })
    await warmed(api, server)
    const error = await caught(api(server.origin))
    expect(error).toBeInstanceOf(NetworkError)
    expect(server.requests).toHaveLength(2)
  })

  it('a connection that was never used before is no excuse', async () => {
    await using server = await closingServer((socket) => socket.destroy(), 0)
    const error = await caught(client({ maxAttempts: 1 })(server.origin))
    expect(error).toMatchObject({ kind: 'reset', attempts: 1 })
    expect(server.requests).toHaveLength(1)
  })

  it('it is done once: when the second try dies too, the policy decides', async () => {
    let requests = 0
    await using server = await socketServer((socket) => {
      requests += 1
      if (requests === 1) socket.write(rawResponse('200 OK', {}, 'answer'))
      else socket.destroy()
    })
    const api = client({ maxAttempts: 2 })
    await warmed(api, server)
    const error = await caught(api(server.origin))
    expect(error).toMatchObject({ kind: 'reset', attempts: 2 })
    expect(traceOf(error)?.attempts.map(({ resent }) => resent)).toEqual([true, undefined])
    expect(server.requests).toHaveLength(4)
  })
})

describe('421 Misdirected Request', () => {
  it('is asked again over another connection', async () => {
    const asked: Socket[] = []
    await using server = await socketServer((socket) => {
      asked.push(socket)
      socket.write(
        asked.length === 1 ? rawResponse('421 Misdirected Request', {}, 'not here') : rawResponse('200 OK', {}, 'here'),
      )
    })
    const response = await client({ on: { 421: soon } })(server.origin, { method: 'POST', body: 'a' })
    expect(await response.text()).toBe('here')
    expect(asked).toHaveLength(2)
    expect(asked[1]).not.toBe(asked[0])
    expect(traceOf(response)?.attempts.map(({ status }) => status)).toEqual([421, 200])
  })
})
