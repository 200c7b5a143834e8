import { text as textOf } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { ContentTooLargeError, createFetch, type SteadFetch, traceOf } from '../../src/index.ts'
import { rejection } from '../support/client.ts'
import { freePorts, type Nginx, startNginx } from '../support/nginx.ts'
import { httpServer, type LocalServer } from '../support/server.ts'

let nginx: Nginx
let upstream: LocalServer
let origin: string

beforeAll(async () => {
  upstream = await httpServer(async (request, response) => {
    const content = await textOf(request)
    response.end(`${content.length} ${request.headers.expect ?? 'not asked'}`)
  })
  const [main] = (await freePorts(1)) as [number]
  origin = `http://127.0.0.1:${main}`
  const http = `
    server {
      listen 127.0.0.1:${main};
      location = /small { client_max_body_size 1k; proxy_pass ${upstream.origin}; }
      location = /large { client_max_body_size 10m; proxy_pass ${upstream.origin}; }
      location = /refused { return 401 'who are you'; }
      location = /static { return 200 'taken'; }
    }`
  nginx = await startNginx({ port: main, http })
})

afterAll(async () => {
  await nginx?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

function asking(): SteadFetch {
  const api = createFetch({ baseUrl: origin, expectContinue: { afterMs: 5_000 } })
  onTestFinished(() => api.close())
  return api
}

/** Content of this size, and how much of it was taken. */
function counted(size: number): { readonly body: ReadableStream<Uint8Array>; readonly taken: () => number } {
  let taken = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (taken === size) return controller.close()
        const part = new Uint8Array(Math.min(65_536, size - taken)).fill(97)
        taken += part.length
        controller.enqueue(part)
      },
    },
    { highWaterMark: 0 },
  )
  return { body, taken: () => taken }
}

describe('nginx and Expect: 100-continue', () => {
  test('says to go on, and gets the content without a wait', async () => {
    const told: number[] = []
    const startMs = performance.now()
    const response = await asking()('large', {
      method: 'PUT',
      body: 'a'.repeat(1_000_000),
      onInformation: ({ status }) => told.push(status),
    })
    expect([await response.text(), told]).toEqual(['1000000 not asked', [100]])
    expect(performance.now() - startMs).toBeLessThan(2_000)
    expect(traceOf(response)?.attempts).toHaveLength(1)
  })

  test('says to go on with a stream of unknown length', async () => {
    const { body, taken } = counted(300_000)
    const response = await asking()('large', { method: 'POST', body, duplex: 'half' })
    expect([await response.text(), taken()]).toEqual(['300000 not asked', 300_000])
  })

  test('refuses content that is too large before any of it is sent', async () => {
    const { body, taken } = counted(5_000_000)
    const headers = { 'content-length': '5000000' }
    const error = await rejection(asking()('small', { method: 'POST', body, headers, duplex: 'half' }))
    expect(error).toBeInstanceOf(ContentTooLargeError)
    expect([taken(), upstream.requests.filter((request) => request.includes('small'))]).toEqual([0, []])
    expect((await nginx.logged()).filter(({ uri }) => uri === '/small')).toEqual([{ status: 413, method: 'POST', uri: '/small' }])
  })

  test.each([
    ['refused', 401],
    ['static', 200],
  ])('gives its answer where it has no use for the content: %s', async (path, status) => {
    const response = await asking()(path, { method: 'POST', body: 'a'.repeat(100_000), errors: 'return' })
    expect(response.status).toBe(status)
    expect(await response.text()).not.toBe('')
  })
})
