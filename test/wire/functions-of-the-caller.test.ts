import { AsyncLocalStorage } from 'node:async_hooks'
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { accept, fail, fallback, TimeoutError } from '../../src/index.ts'
import { httpServer } from '../support/server.ts'
import { caught, client } from '../support/wire.ts'

const never = (): Promise<never> => new Promise(() => {})
const failing = (_request: unknown, response: ServerResponse): void => {
  response.writeHead(500).end('x'.repeat(5_000_000))
}

describe('a policy function', () => {
  it('runs in the context of its own call', async () => {
    await using server = await httpServer((_request, response) => response.writeHead(500).end())
    const storage = new AsyncLocalStorage<string>()
    const seen: [string, string | undefined][] = []
    const api = client({ errors: 'return' })
    const call = (name: string): Promise<Response> => {
      const note = () => {
        seen.push([name, storage.getStore()])
        return fail()
      }
      return storage.run(name, () => api(server.origin, { on: { 500: note } }))
    }
    for (const name of ['a', 'b', 'c']) await (await call(name)).text()
    await Promise.all(['d', 'e', 'f'].map(call))
    expect(seen).toHaveLength(6)
    expect(seen.filter(([own, found]) => own !== found)).toEqual([])
  })

  it('runs in the context of its own call when a time limit has passed', async () => {
    await using server = await httpServer(() => {})
    const storage = new AsyncLocalStorage<string>()
    const seen: [string, string | undefined][] = []
    const api = client({ attemptTimeoutMs: 30 })
    const call = (name: string): Promise<unknown> => {
      const note = () => {
        seen.push([name, storage.getStore()])
        return fail()
      }
      return storage.run(name, () => caught(api(server.origin, { on: { timeout: note } })))
    }
    await Promise.all(['a', 'b', 'c'].map(call))
    expect(seen.map(([own, found]) => own === found)).toEqual([true, true, true])
  })

  it('that never decides ends with the call: by timeoutMs, and by the signal', async () => {
    await using server = await httpServer(failing)
    const late = await caught(client({ on: { 500: never }, timeoutMs: 100 })(server.origin))
    expect(late).toBeInstanceOf(TimeoutError)
    const signal = AbortSignal.timeout(50)
    expect(await caught(client({ on: { 500: never } })(server.origin, { signal }))).toBe(signal.reason)
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
  })

  it.each([
    ['has begun to read the body', async (response: Response) => void (await response.body?.getReader().read())],
    ['has left a clone unread', async (response: Response) => void response.clone()],
  ])('that %s and then fails leaves no connection behind', async (_what, take) => {
    await using server = await httpServer(failing)
    const api = client({
      on: {
        500: async ({ response }) => {
          await take(response)
          return fail()
        },
      },
    })
    expect(await caught(api(server.origin))).toMatchObject({ status: 500 })
    await expect.poll(() => server.connections.every((socket) => socket.destroyed), { timeout: 3_000 }).toBe(true)
  })

  it('may read a clone: the response is delivered whole', async () => {
    await using server = await httpServer((_request, response) => response.writeHead(500).end('content'))
    const api = client({
      on: { 500: async ({ response }) => ((await response.clone().text()) === 'content' ? accept() : fail()) },
    })
    expect(await (await api(server.origin)).text()).toBe('content')
  })
})

describe('a fallback', () => {
  it('that never answers ends with the call', async () => {
    await using server = await httpServer(failing)
    const error = await caught(client({ on: { 500: fallback(() => never()) }, timeoutMs: 100 })(server.origin))
    expect(error).toBeInstanceOf(TimeoutError)
  })

  it('may be made of the body it replaces', async () => {
    await using server = await httpServer((_request, response) => response.writeHead(500).end('content'))
    const api = client({
      on: { 500: fallback((outcome) => new Response(outcome.kind === 'response' ? outcome.response.body : null)) },
    })
    const response = await api(server.origin)
    expect([response.status, await response.text()]).toEqual([200, 'content'])
  })
})
