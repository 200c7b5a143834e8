import { describe, expect, it, onTestFinished } from 'vitest'
import { createFetch, type Information, ServerError, type SteadFetch } from '../../src/index.ts'
import { socketServer } from '../support/server.ts'
import { caught, rawResponse } from '../support/wire.ts'

function byDefault(): SteadFetch {
  const api = createFetch({ random: () => 0 })
  onTestFinished(() => api.close())
  return api
}

describe('statuses that are seen rarely', () => {
  it('103: the Link fields of every early hint are told before the response', async () => {
    await using server = await socketServer((socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\nlink: </b.js>; rel=preload\r\n\r\n')
      socket.write('HTTP/1.1 103 Early Hints\r\nlink: </c.js>; rel=preload\r\n\r\n')
      setTimeout(() => socket.write(rawResponse('200 OK', {}, 'ok')), 50)
    })
    const seen: Information[] = []
    const order: string[] = []
    const response = await byDefault()(server.origin, {
      onInformation: (information) => {
        seen.push(information)
        order.push('hint')
      },
    })
    order.push('response')
    expect(seen.map(({ status, headers }) => [status, headers.get('link')])).toEqual([
      [103, '</a.css>; rel=preload, </b.js>; rel=preload'],
      [103, '</c.js>; rel=preload'],
    ])
    expect(order).toEqual(['hint', 'hint', 'response'])
    expect([response.status, await response.text()]).toEqual([200, 'ok'])
    expect(server.requests).toHaveLength(1)
  })

  it('103: a listener that throws ends the call with its own error, and the request is not repeated', async () => {
    await using server = await socketServer((socket) =>
      socket.write(`HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n${rawResponse('200 OK', {}, 'ok')}`),
    )
    const own = new Error('the listener failed')
    const error = await caught(
      byDefault()(server.origin, {
        onInformation: () => {
          throw own
        },
      }),
    )
    expect(error).toBe(own)
    expect(server.requests).toHaveLength(1)
  })

  it('101: one without the fields of an upgrade is a protocol error too', async () => {
    await using server = await socketServer((socket) =>
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n\r\n${rawResponse('200 OK', {}, 'ok')}`),
    )
    const error = await caught(byDefault()(server.origin, { method: 'POST' }))
    expect(error).toMatchObject({ name: 'NetworkError', kind: 'protocol' })
    expect(server.requests).toHaveLength(1)
  })

  it('205: is returned with no body, and its connection serves further requests', async () => {
    await using server = await socketServer((socket) => socket.write(rawResponse('205 Reset Content')))
    const api = byDefault()
    const response = await api(server.origin, { method: 'POST' })
    expect([response.status, response.ok, response.body, await response.text()]).toEqual([205, true, null, ''])
    for (let count = 0; count < 9; count += 1) await api(server.origin, { method: 'POST' })
    expect(server.requests).toHaveLength(10)
    expect(server.connections.length).toBeLessThanOrEqual(2)
  })

  it.each([600, 799, 999])('%i: throws a ServerError once and is not repeated', async (status) => {
    await using server = await socketServer((socket) => socket.write(rawResponse(`${status} Odd`, {}, 'why')))
    const error = await caught(byDefault()(server.origin))
    expect((error as Error).constructor).toBe(ServerError)
    expect(error).toMatchObject({ status, statusText: 'Odd', attempts: 1, retryable: false, body: 'why' })
    expect(server.requests).toHaveLength(1)
  })

  it.each([299, 399, 499, 599])('%i: is treated as the x00 of its class', async (status) => {
    await using server = await socketServer((socket) => socket.write(rawResponse(`${status} Odd`, {}, 'why')))
    const result = await byDefault()(server.origin).catch((error: unknown) => error)
    expect(result).toMatchObject({ status })
    expect(result instanceof Response).toBe(status < 400)
    expect(server.requests).toHaveLength(status === 599 ? 3 : 1)
  })
})
