import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, it } from 'vitest'
import { fail, NetworkError, traceOf } from '../../src/index.ts'
import { httpServer, type LocalServer } from '../support/server.ts'
import { caught, client } from '../support/wire.ts'

interface Counting extends LocalServer {
  /** Requests without an answer: now, and at most. */
  readonly atATime: { now: number; most: number }
}

/** A server that counts the requests it has not answered yet. */
async function counting(
  answer: (request: IncomingMessage, response: ServerResponse, done: () => void) => void,
): Promise<Counting> {
  const atATime = { now: 0, most: 0 }
  const server = await httpServer((request, response) => {
    atATime.now += 1
    atATime.most = Math.max(atATime.most, atATime.now)
    answer(request, response, () => {
      atATime.now -= 1
    })
  })
  return Object.assign(server, { atATime })
}

const later = (ms: number, run: () => void): void => void setTimeout(run, ms)

/** A server that answers each request a little later, some with an error. */
const slow = (status: (path: string) => number): Promise<Counting> => {
  let index = 0
  return counting((request, response, done) => {
    index += 1
    const answered = status(request.url ?? '')
    later(2 + (index % 7), () => {
      done()
      response.writeHead(answered).end('x'.repeat(1_000))
    })
  })
}

describe.concurrent('a limit of requests at a time', () => {
  it.for([1, 3, 16])('of %i is never passed, and made use of', async (limit, { expect, onTestFinished }) => {
    await using server = await slow(() => 200)
    const api = client({ concurrency: limit }, onTestFinished)
    const calls = Array.from({ length: 120 }, async (_nothing, index) => (await api(`${server.origin}/${index}`)).text())
    await Promise.all(calls)
    expect(server.requests).toHaveLength(120)
    expect(server.atATime.now).toBe(0)
    expect(server.atATime.most).toBeLessThanOrEqual(limit)
    expect(server.atATime.most).toBeGreaterThan(limit / 2)
  })

  it('holds for the attempts after a failure, too', async ({ expect, onTestFinished }) => {
    const failed = new Set<string>()
    await using server = await slow((path) => {
      if (failed.has(path)) return 200
      failed.add(path)
      return 500
    })
    const api = client({ concurrency: 4, retryBudget: false }, onTestFinished)
    const attempts = await Promise.all(
      Array.from({ length: 30 }, async (_nothing, index) => {
        const response = await api(`${server.origin}/${index}`)
        await response.text()
        return traceOf(response)?.attempts.map(({ status }) => status)
      }),
    )
    expect(attempts).toEqual(Array.from({ length: 30 }, () => [500, 200]))
    expect(server.requests).toHaveLength(60)
    expect(server.atATime.most).toBeLessThanOrEqual(4)
    expect(server.atATime.most).toBeGreaterThan(2)
  })

  it('sends in the order of the calls', async ({ expect, onTestFinished }) => {
    await using server = await slow(() => 200)
    const api = client({ concurrency: 1 }, onTestFinished)
    await Promise.all(Array.from({ length: 20 }, async (_nothing, index) => (await api(`${server.origin}/${index}`)).text()))
    expect(server.requests).toEqual(Array.from({ length: 20 }, (_nothing, index) => `GET /${index}`))
  })

  it('does not count bodies that nobody reads, or that never end', async ({ expect, onTestFinished }) => {
    const open = new Set<ServerResponse>()
    await using server = await counting((_request, response, done) => {
      done()
      open.add(response)
      response.writeHead(200).write('data: 1\n\n')
    })
    const api = client({ concurrency: 2 }, onTestFinished)
    const responses = await Promise.all(Array.from({ length: 10 }, (_nothing, index) => api(`${server.origin}/${index}`)))
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
    expect(open.size).toBe(10)
    for (const response of responses) await response.body?.cancel()
  })

  it('has all its slots again after a server that resets connections', async ({ expect, onTestFinished }) => {
    let resets = true
    await using server = await counting((request, response, done) => {
      later(3, () => {
        done()
        if (resets) request.socket.resetAndDestroy()
        else response.end('well')
      })
    })
    const api = client({ concurrency: 3, maxAttempts: 2 }, onTestFinished)
    const errors = await Promise.all(Array.from({ length: 20 }, () => caught(api(server.origin))))
    expect(errors.every((error) => error instanceof NetworkError)).toBe(true)
    expect(server.atATime.most).toBe(3)
    resets = false
    server.atATime.most = 0
    const texts = await Promise.all(Array.from({ length: 12 }, async () => (await api(server.origin)).text()))
    expect(texts).toEqual(Array.from({ length: 12 }, () => 'well'))
    expect(server.atATime).toEqual({ now: 0, most: 3 })
  })

  it('has all its slots again after calls that were aborted, while they waited and while they were sent', async ({
    expect,
    onTestFinished,
  }) => {
    let hangs = true
    await using server = await counting((request, response, done) => {
      if (hangs) request.socket.once('close', done)
      else {
        later(3, () => {
          done()
          response.end('well')
        })
      }
    })
    const api = client({ concurrency: 3 }, onTestFinished)
    const controller = new AbortController()
    const errors = Promise.all(Array.from({ length: 9 }, () => caught(api(server.origin, { signal: controller.signal }))))
    await expect.poll(() => server.atATime.now).toBe(3)
    controller.abort(new Error('enough'))
    expect((await errors).map((error) => (error as Error).message)).toEqual(Array.from({ length: 9 }, () => 'enough'))
    await expect.poll(() => server.atATime.now).toBe(0)
    const others = new AbortController()
    const waiting = Promise.all(Array.from({ length: 5 }, () => caught(api(server.origin, { signal: others.signal }))))
    // All three places are there again, and not one more.
    await expect.poll(() => server.atATime.now).toBe(3)
    others.abort(new Error('enough'))
    await waiting
    await expect.poll(() => server.atATime.now).toBe(0)
    hangs = false
    await Promise.all(Array.from({ length: 12 }, async () => (await api(server.origin)).text()))
    expect(server.atATime).toEqual({ now: 0, most: 3 })
    expect(server.requests).toHaveLength(3 + 3 + 12)
  })

  it('has all its slots again after attempts that took too long', async ({ expect, onTestFinished }) => {
    let hangs = true
    await using server = await counting((request, response, done) => {
      if (hangs) request.socket.once('close', done)
      else {
        done()
        response.end('well')
      }
    })
    const api = client({ concurrency: 2, maxAttempts: 1, attemptTimeoutMs: 60 }, onTestFinished)
    const errors = await Promise.all(Array.from({ length: 6 }, () => caught(api(server.origin))))
    expect(errors.map((error) => (error as { kind?: string }).kind)).toEqual(Array.from({ length: 6 }, () => 'attempt'))
    expect(server.atATime.most).toBe(2)
    hangs = false
    expect(await (await api(server.origin)).text()).toBe('well')
  })
})

describe('an adaptive limit', () => {
  it('stays within its bounds, and everything is answered', async ({ expect, onTestFinished }) => {
    const workers = 6
    const waiting: (() => void)[] = []
    let working = 0
    const work = (): void => {
      while (working < workers && waiting.length > 0) {
        const finish = waiting.shift() as () => void
        working += 1
        later(4, () => {
          working -= 1
          finish()
          work()
        })
      }
    }
    await using server = await counting((_request, response, done) => {
      waiting.push(() => {
        done()
        response.end('well')
      })
      work()
    })
    const api = client(
      { concurrency: { initialLimit: 40, minLimit: 2, maxLimit: 45, maxQueueMs: false }, timeoutMs: false },
      onTestFinished,
    )
    let left = 2_000
    const caller = async (): Promise<void> => {
      while (left > 0) {
        left -= 1
        if (left === 300) server.atATime.most = 0
        await (await api(server.origin)).text()
      }
    }
    await Promise.all(Array.from({ length: 60 }, caller))
    expect(server.requests).toHaveLength(2_000)
    // How near it comes to what the server works on depends on the machine; unit tests in virtual time hold it to that.
    expect(server.atATime.most).toBeGreaterThanOrEqual(2)
    expect(server.atATime.most).toBeLessThanOrEqual(45)
  })

  it('does not let a server that refuses be sent more and more', async ({ expect, onTestFinished }) => {
    await using server = await counting((_request, response, done) => {
      later(2, () => {
        done()
        response.writeHead(503).end()
      })
    })
    const on = { 503: fail() }
    const api = client({ concurrency: { initialLimit: 30, maxQueueMs: false }, errors: 'return', on }, onTestFinished)
    for (const startMs = performance.now(); performance.now() < startMs + 1_200; ) {
      server.atATime.most = 0
      await Promise.all(Array.from({ length: 120 }, async () => (await api(server.origin)).text()))
    }
    expect(server.atATime.most).toBeLessThan(30)
  })
})
