import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { createFetch, isNetworkError, traceOf } from '../../src/index.ts'
import { httpServer, socketServer } from '../support/server.ts'
import { caught, client, inTurn, keepingServer } from '../support/wire.ts'

const native = globalThis.fetch
afterEach(() => {
  globalThis.fetch = native
})
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

test('100 validations that find nothing new use few connections', async () => {
  await using server = await keepingServer((response, { headers }) => {
    response.setHeader('etag', '"1"').setHeader('cache-control', 'no-cache')
    if (headers['if-none-match'] === '"1"') response.writeHead(304).end()
    else response.end('content')
  })
  const api = client({ cache: true })
  for (let count = 0; count < 100; count += 1) expect(await (await api(server.origin)).text()).toBe('content')
  expect(server.received.filter(({ headers }) => headers['if-none-match'] === '"1"').length).toBe(99)
  expect(server.connections.length).toBeLessThanOrEqual(3)
})

test('coded content is stored decoded, and its fields are those it came with', async () => {
  const coded = gzipSync('content '.repeat(1_000))
  await using server = await httpServer((_request, response) => {
    response.setHeader('cache-control', 'max-age=60').setHeader('content-encoding', 'gzip').setHeader('etag', '"1"')
    response.setHeader('content-length', coded.byteLength).end(coded)
  })
  const api = client({ cache: true })
  const first = await api(server.origin)
  const text = await first.text()
  const hit = await api(server.origin)
  expect(await hit.text()).toBe(text)
  expect({ ...Object.fromEntries(hit.headers), age: '' }).toEqual({
    ...Object.fromEntries([...first.headers].filter(([name]) => name !== 'connection' && name !== 'keep-alive')),
    age: '',
  })
  expect(server.requests.length).toBe(1)
})

test('a body that nobody reads to its end is not stored, and does not run ahead of its reader', async () => {
  let given = 0
  const piece = Buffer.alloc(65_536)
  await using server = await httpServer((_request, response) => {
    response.setHeader('cache-control', 'max-age=60')
    const give = (): void => {
      while (given < 400 && !response.destroyed) {
        given += 1
        if (!response.write(piece)) {
          response.once('drain', give)
          return
        }
      }
      response.end()
    }
    give()
  })
  const api = client({ cache: { maxEntryBytes: 100_000_000 } })
  const reader = ((await api(server.origin)).body as ReadableStream).getReader()
  await reader.read()
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(given).toBeLessThan(200)
  await reader.cancel()
  given = 399
  expect((await (await api(server.origin)).bytes()).byteLength).toBe(65_536)
  await (await api(server.origin)).bytes()
  expect(server.requests.length).toBe(2)
})

test('content that was cut short is not stored', async () => {
  let cut = true
  await using server = await socketServer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 7\r\n\r\n')
    if (cut) socket.end('con')
    else socket.write('content')
  })
  const api = client({ cache: true, maxAttempts: 1 })
  expect(isNetworkError(await caught((await api(server.origin)).text()))).toBe(true)
  cut = false
  expect(await (await api(server.origin)).text()).toBe('content')
  expect(await (await api(server.origin)).text()).toBe('content')
  expect(server.requests.length).toBe(2)
})

test('a stale response stands in while the server is away', async () => {
  let answers = 0
  await using server = await httpServer((_request, response) => {
    answers += 1
    if (answers > 1) response.socket?.destroy()
    else response.setHeader('cache-control', 'max-age=0, stale-if-error=60').end('content')
  })
  const api = client({ cache: true })
  await (await api(server.origin)).text()
  const response = await api(server.origin)
  expect(await response.text()).toBe('content')
  expect(traceOf(response)?.cache).toMatch(/^steadfetch; fwd=stale; ttl=-\d+; detail=stale-if-error$/)
  expect(traceOf(response)?.attempts.length).toBe(3)
})

test('close ends a validation in the background, and leaves no connection', async () => {
  let hanging = false
  await using server = await httpServer((_request, response) => {
    if (!hanging) response.setHeader('cache-control', 'max-age=0, stale-while-revalidate=60').end('content')
  })
  const api = createFetch({ cache: true, timeoutMs: false, attemptTimeoutMs: false })
  await (await api(server.origin)).text()
  hanging = true
  expect(await (await api(server.origin)).text()).toBe('content')
  while (server.requests.length < 2) await soon()
  await api.close()
  await soon()
  expect(server.connections.filter((socket) => !socket.destroyed).length).toBe(0)
})

test('a body of a validation in the background is read to its end and stored', async () => {
  let answers = 0
  await using server = await httpServer((_request, response) => {
    answers += 1
    response.setHeader('cache-control', 'max-age=0, stale-while-revalidate=60').end(String(answers).repeat(300_000))
  })
  const api = client({ cache: true })
  const read = async (): Promise<string> => (await (await api(server.origin)).text()).slice(0, 1)
  expect([await read(), await read()]).toEqual(['1', '1'])
  while (answers < 2) await soon()
  await soon()
  expect(await read()).toBe('2')
})

test.each([
  ['itself', (api: typeof globalThis.fetch) => api],
  ['in a wrapper', (api: typeof globalThis.fetch) => (input: string | URL | Request, init?: RequestInit) => api(input, init)],
  [
    'in an asynchronous wrapper',
    (api: typeof globalThis.fetch) => async (input: string | URL | Request, init?: RequestInit) => {
      await soon()
      return api(input, init)
    },
  ],
])('a client that takes the place of the global fetch, %s, sends over its own connections', async (_name, wrapped) => {
  await using server = await keepingServer(inTurn(200))
  const api = client({ cache: true, maxAttempts: 1 })
  globalThis.fetch = wrapped(api) as typeof globalThis.fetch
  for (let count = 1; count <= 3; count += 1) expect(await (await fetch(server.origin)).text()).toBe(`answer ${count}`)
  expect(server.received.length).toBe(3)
})
