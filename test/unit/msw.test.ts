import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createFetch, fetch, NetworkError, NotFoundError, RedirectError, retry, traceOf } from '../../src/index.ts'
import { rejection } from '../support/client.ts'
import { settle } from '../support/fake-clock.ts'
import { httpServer } from '../support/server.ts'

const server = setupServer()
const quick = { on: { '5xx': retry({ baseMs: 1 }), network: retry({ baseMs: 1 }) } }

describe("with msw's setupServer active, the default fetch", () => {
  beforeAll(() => server.listen({ onUnhandledFrame: 'bypass' }))
  afterEach(() => server.resetHandlers())
  afterAll(() => server.close())

  test('gets the mocked response, with the url it was sent to', async () => {
    server.use(http.get('https://api.test/users/1', () => HttpResponse.json({ name: 'Ada' }, { headers: { 'x-mock': 'yes' } })))
    const response = await fetch('https://api.test/users/1#top')
    expect(await response.json()).toEqual({ name: 'Ada' })
    expect([response.status, response.url, response.headers.get('x-mock')]).toEqual([200, 'https://api.test/users/1', 'yes'])
    expect(response).toBeInstanceOf(globalThis.Response)
  })

  test('throws typed errors for mocked failures', async () => {
    server.use(
      http.get('https://api.test/users/2', () =>
        HttpResponse.json(
          { title: 'No such user' },
          {
            status: 404,
            headers: { 'content-type': 'application/problem+json' },
          },
        ),
      ),
    )
    const error = await rejection(fetch('https://api.test/users/2'))
    expect(error).toBeInstanceOf(NotFoundError)
    expect((error as NotFoundError).problem).toEqual({ title: 'No such user' })
  })

  test('repeats mocked 503s and delivers the answer that follows', async () => {
    let visits = 0
    server.use(http.get('https://api.test/flaky', () => new HttpResponse(null, { status: ++visits < 3 ? 503 : 200 })))
    const response = await fetch('https://api.test/flaky', quick)
    expect([response.status, visits, traceOf(response)?.attempts.length]).toEqual([200, 3, 3])
  })

  test('sends method, fields and content of every kind', async () => {
    server.use(
      http.post('https://api.test/echo', async ({ request }) =>
        HttpResponse.json({
          type: request.headers.get('content-type'),
          mine: request.headers.get('x-mine'),
          text: await request.text(),
        }),
      ),
    )
    const sendings = [
      { body: 'plain' },
      { json: { a: 1 } },
      { body: new URLSearchParams({ q: 'ä b' }) },
      { body: new Uint8Array([104, 105]) },
      { body: new Blob(['blob'], { type: 'text/x' }) },
      { body: new Blob(['stream']).stream(), duplex: 'half' as const },
    ]
    const echoes: unknown[] = []
    for (const init of sendings) {
      const response = await fetch('https://api.test/echo', {
        method: 'POST',
        headers: { 'X-Mine': '1' },
        ...init,
      } as RequestInit)
      echoes.push(await response.json())
    }
    expect(echoes).toEqual([
      { type: 'text/plain;charset=UTF-8', mine: '1', text: 'plain' },
      { type: 'application/json', mine: '1', text: '{"a":1}' },
      { type: 'application/x-www-form-urlencoded;charset=UTF-8', mine: '1', text: 'q=%C3%A4+b' },
      { type: null, mine: '1', text: 'hi' },
      { type: 'text/x', mine: '1', text: 'blob' },
      { type: null, mine: '1', text: 'stream' },
    ])
  })

  test('follows mocked redirects itself', async () => {
    server.use(
      http.get('https://api.test/old', () => new HttpResponse(null, { status: 301, headers: { location: '/new' } })),
      http.get('https://api.test/new', () => HttpResponse.text('here')),
    )
    const response = await fetch('https://api.test/old')
    expect([await response.text(), response.url, response.redirected]).toEqual(['here', 'https://api.test/new', true])
    expect(await rejection(fetch('https://api.test/old', { redirect: 'error' }))).toBeInstanceOf(RedirectError)
  })

  test('sees a mocked network error as a NetworkError, after its retries', async () => {
    let visits = 0
    server.use(
      http.get('https://api.test/down', () => {
        visits += 1
        return HttpResponse.error()
      }),
    )
    const error = await rejection(fetch('https://api.test/down', quick))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toBeInstanceOf(TypeError)
    expect(visits).toBe(3)
  })

  test("rejects with the caller's reason when aborted", async () => {
    server.use(http.get('https://api.test/slow', () => new Promise<never>(() => {})))
    const controller = new AbortController()
    const call = rejection(fetch('https://api.test/slow', { signal: controller.signal }))
    const reason = new Error('changed my mind')
    setTimeout(() => controller.abort(reason), 20)
    expect(await call).toBe(reason)
  })

  test('leaves clients with a transport of their own alone', async () => {
    server.use(http.get('https://api.test/users/1', () => HttpResponse.text('mocked')))
    const own = createFetch({ transport: async () => new Response('own') })
    expect(await (await own('https://api.test/users/1')).text()).toBe('own')
  })
})

describe('without a mock', () => {
  test('the default fetch reaches the real server, and one made before is mocked from when msw starts', async () => {
    await using real = await httpServer((_request, response) => response.end('real'))
    const client = createFetch()
    expect(await (await client(real.origin)).text()).toBe('real')
    const late = setupServer(http.get(`${real.origin}/`, () => HttpResponse.text('mocked')))
    late.listen()
    expect(await (await client(real.origin)).text()).toBe('mocked')
    late.close()
    expect(await (await client(real.origin)).text()).toBe('real')
    await client.close()
  })

  test('a stub in the place of the global fetch is used too', async () => {
    const stub = vi.fn(async () => new Response('stubbed'))
    vi.stubGlobal('fetch', stub)
    try {
      expect(await (await fetch('https://api.test/')).text()).toBe('stubbed')
      expect(stub.mock.calls).toHaveLength(1)
    } finally {
      vi.unstubAllGlobals()
    }
  })

  test.each([
    ['itself', (api: typeof fetch) => api],
    [
      'a function around it',
      (api: typeof fetch) =>
        (async (...args: Parameters<typeof fetch>) => {
          await settle()
          return api(...args)
        }) as typeof fetch,
    ],
  ])('a steadfetch in the place of the global fetch sends its requests by itself: %s', async (_name, put) => {
    await using server = await httpServer((_request, response) => response.end('sent'))
    const native = globalThis.fetch
    const api = createFetch()
    globalThis.fetch = put(api)
    try {
      expect(await (await globalThis.fetch(server.origin)).text()).toBe('sent')
      expect(await (await createFetch()(server.origin)).text()).toBe('sent')
    } finally {
      globalThis.fetch = native
      await api.close()
    }
    expect(server.requests).toHaveLength(2)
  })
})
