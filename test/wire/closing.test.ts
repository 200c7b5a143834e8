import { expect, test } from 'vitest'
import { createFetch, isRefusedError, poll, refresh, retry } from '../../src/index.ts'
import { httpServer } from '../support/server.ts'

test('close() refuses what calls that wait would send next, and tells each what came of it so far', async () => {
  await using server = await httpServer(({ url }, response) => {
    if (url === '/start') response.writeHead(202, { location: '/job' }).end()
    else if (url === '/busy') response.writeHead(503).end()
    else if (url === '/secret') response.writeHead(401).end()
    else {
      response.writeHead(200, { etag: '"1"', 'content-length': '10' }).write('012')
      setImmediate(() => response.destroy())
    }
  })
  let refreshed = (): void => {}
  const refreshing = new Promise<void>((resolve) => {
    refreshed = resolve
  })
  const api = createFetch({
    baseUrl: server.origin,
    cache: true,
    resume: { baseMs: 500 },
    random: () => 0.9,
    on: {
      202: poll({ intervalMs: 500 }),
      503: retry({ baseMs: 500 }),
      401: refresh(async () => {
        await refreshing
        return { authorization: 'new' }
      }),
    },
  })
  const outcome = (path: string): Promise<unknown> =>
    api(path).then(
      (response) => response.text().catch((error: unknown) => error),
      (error: unknown) => error,
    )
  // The refresh holds all later requests to its origin back: it comes last.
  const calls = ['start', 'busy', 'file'].map(outcome)
  while (server.requests.length < 3) await new Promise(setImmediate)
  calls.push(outcome('secret'))
  while (server.requests.length < 4) await new Promise(setImmediate)
  await api.close()
  refreshed()
  const [polled, busy, file, secret] = await Promise.all(calls)
  expect([polled, secret].map((error) => isRefusedError(error) && error.kind)).toEqual(['closed', 'closed'])
  expect((busy as Error).message).toContain('503 Service Unavailable, not repeated: closed')
  expect((file as Error).message).toContain('the connection was lost in the middle of the body, not resumed: closed')
  expect(server.requests).toHaveLength(4)
})
