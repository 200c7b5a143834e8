import { describe, expect, test } from 'vitest'
import type { Exchange } from '../../src/exchange.ts'
import {
  type ClientOptions,
  createFetch,
  RefusedError,
  type SteadFetch,
  TimeoutError,
  traceOf,
  withDeadline,
} from '../../src/index.ts'
import { rateLimitLayer } from '../../src/layers/rate-limit.ts'
import { defaults } from '../../src/options/defaults.ts'
import { resolveClient } from '../../src/options/resolve.ts'
import { Origins } from '../../src/policy/origins.ts'
import type { RateLimitConfig } from '../../src/types/protection.ts'
import { clientOf, gaps, rejection } from '../support/client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { draftFields, type QuotaServer, quotaServer } from '../support/quota-server.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

const target = 'https://api.test/a'
const ok = reply(200, {}, 'fine')
const times = (count: number, fetch: SteadFetch): Promise<Response>[] => Array.from({ length: count }, () => fetch(target))
const atMs = (sent: readonly { atMs: number }[]): number[] => sent.map((request) => request.atMs - 1_000)

describe('a limit of our own', () => {
  test('lets a burst go at once and sends the rest at its rate, first come first served', async () => {
    const { fetch, clock, sent } = clientOf([ok], { rateLimit: { limit: 10, burst: 3, followServer: false } })
    const calls = Array.from({ length: 6 }, (_, index) => fetch(`https://api.test/${index}`))
    const responses = await clock.drive(Promise.all(calls))
    expect(atMs(sent)).toEqual([0, 0, 0, 100, 200, 300])
    expect(sent.map((request) => request.target)).toEqual([0, 1, 2, 3, 4, 5].map((index) => `https://api.test/${index}`))
    expect(traceOf(responses[5] as Response)?.attempts[0]).toMatchObject({ waitMs: 300, waitReason: 'rate limit' })
    expect(traceOf(responses[0] as Response)?.attempts[0]).toMatchObject({ waitMs: 0 })
    expect(clock.armed).toBe(0)
  })

  test('is full again after a silence, and no fuller', async () => {
    const { fetch, clock, sent } = clientOf([ok], { rateLimit: { limit: 4 } })
    await clock.drive(Promise.all(times(4, fetch)))
    await clock.advance(60_000)
    await clock.drive(Promise.all(times(6, fetch)))
    expect(atMs(sent)).toEqual([0, 0, 0, 0, 60_000, 60_000, 60_000, 60_000, 60_250, 60_500])
  })

  test('is one for each origin', async () => {
    const { fetch, clock, sent } = clientOf([ok], { rateLimit: { limit: 1 } })
    await clock.drive(Promise.all([fetch(target), fetch('https://other.test/'), fetch(target)]))
    expect(atMs(sent)).toEqual([0, 0, 1_000])
  })

  test('is shared with the children of the client', async () => {
    const { fetch, clock, sent } = clientOf([ok], { rateLimit: { limit: 1 } })
    await clock.drive(Promise.all([fetch(target), fetch.extend({ maxAttempts: 1 })(target)]))
    expect(atMs(sent)).toEqual([0, 1_000])
  })

  test('is remembered while it is nearly spent, however many other origins are called', async () => {
    const { fetch, clock, sent } = clientOf([ok], { rateLimit: { limit: 2, windowMs: 60_000 }, timeoutMs: false })
    await Promise.all(times(2, fetch))
    for (let index = 0; index < 1_100; index += 1) await fetch(`https://host-${index}.test/`)
    await clock.drive(fetch(target))
    expect(atMs(sent).at(-1)).toBe(30_000)
  })

  test('holds retries, too', async () => {
    const { fetch, clock, sent } = clientOf([reply(503), ok], { rateLimit: { limit: 1 } })
    const response = await clock.drive(fetch(target))
    expect(gaps(sent)).toEqual([1_000])
    expect(traceOf(response)?.attempts[1]).toMatchObject({ waitMs: 1_000, waitReason: 'rate limit' })
  })
})

describe('a call that cannot have its turn in time', () => {
  test('is refused at once when it would wait longer than maxWaitMs', async () => {
    const { fetch, clock, sent } = clientOf([ok], { rateLimit: { limit: 1, maxWaitMs: 2_500 } })
    const calls = times(3, fetch)
    const error = await rejection(fetch(target))
    expect(error).toBeInstanceOf(RefusedError)
    expect(error).toMatchObject({ kind: 'rate limited', attempts: 0, elapsedMs: 0, retryAfterMs: 3_000, retryable: true })
    await clock.drive(Promise.all(calls))
    expect(sent).toHaveLength(3)
    expect(clock.armed).toBe(0)
  })

  test('is refused at once when it would wait beyond its deadline', async () => {
    const { fetch, clock, sent } = clientOf([ok], { rateLimit: { limit: 1 } })
    const calls = times(2, fetch)
    for (const timeoutMs of [1_500, 2_000]) {
      const error = await rejection(fetch(target, { timeoutMs }))
      expect(error).toMatchObject({ kind: 'rate limited', retryAfterMs: 2_000 })
    }
    await clock.drive(Promise.all(calls))
    expect(sent).toHaveLength(2)
  })

  test('is refused when as many wait as may', async () => {
    const { fetch, clock, sent } = clientOf([ok], { rateLimit: { limit: 1, maxQueued: 2 } })
    const calls = times(3, fetch)
    expect(await rejection(fetch(target))).toMatchObject({ kind: 'queue full', retryAfterMs: 3_000 })
    await clock.drive(Promise.all(calls))
    expect(sent).toHaveLength(3)
  })

  test('is refused as a retry with what the origin said last', async () => {
    const { fetch, clock, sent } = clientOf([reply(503)], { rateLimit: { limit: 1, maxWaitMs: 100 } })
    const error = (await rejection(clock.drive(fetch(target)))) as Error
    expect(error).toMatchObject({ status: 503, attempts: 1 })
    expect(traceOf(error)?.notRepeated).toBe('rate limited')
    expect(sent).toHaveLength(1)
  })
})

describe('a call that gives up while it waits', () => {
  test('by the signal of the caller takes no token', async () => {
    const { fetch, clock, sent } = clientOf([ok], { rateLimit: { limit: 1 } })
    const controller = new AbortController()
    const first = fetch(target)
    const gone = rejection(fetch(target, { signal: controller.signal }))
    const last = fetch(target)
    await clock.advance(500)
    controller.abort(new Error('enough'))
    expect(await gone).toMatchObject({ message: 'enough' })
    await clock.drive(Promise.all([first, last]))
    expect(atMs(sent)).toEqual([0, 1_000])
    expect(clock.armed).toBe(0)
  })

  test('in the very moment of its turn takes none either', async () => {
    const usedUp = reply(200, { 'ratelimit-limit': '4', 'ratelimit-remaining': '0', 'ratelimit-reset': '10' })
    const controller = new AbortController()
    const abortNext = (): Response => {
      controller.abort(new Error('enough'))
      return ok.clone()
    }
    const { fetch, clock, sent } = clientOf([usedUp, abortNext, ok], { rateLimit: true, timeoutMs: false })
    await fetch(target)
    const first = fetch(target)
    const gone = rejection(fetch(target, { signal: controller.signal }))
    await clock.drive(Promise.all([first, ...times(3, fetch)]))
    expect(await gone).toMatchObject({ message: 'enough' })
    expect(sent).toHaveLength(5)
    expect(Math.max(...atMs(sent))).toBeLessThan(20_000)
    expect(clock.armed).toBe(0)
  })

  test('leaves no timer behind when it was the only one', async () => {
    const { fetch, clock, sent } = clientOf([ok], { rateLimit: { limit: 1 } })
    const controller = new AbortController()
    await fetch(target)
    const gone = rejection(fetch(target, { signal: controller.signal }))
    await clock.advance(1)
    expect(clock.armed).toBeGreaterThan(0)
    controller.abort(new Error('enough'))
    await gone
    expect(clock.armed).toBe(0)
    expect(sent).toHaveLength(1)
  })

  test('by its deadline fails as any other call', async () => {
    const fields = [{ ratelimit: '"a";r=1;t=1' }, { ratelimit: '"a";r=0;t=50' }]
    const slow = async (): Promise<Response> => {
      await new Promise<void>((resolve) => clock.after(500, resolve))
      return reply(200, fields[1])
    }
    const { fetch, clock, sent } = clientOf([reply(200, fields[0]), slow], { rateLimit: { maxWaitMs: 10_000 } })
    await fetch(target)
    const second = fetch(target)
    const third = rejection(fetch(target, { timeoutMs: 3_000 }))
    await clock.drive(second)
    expect(await clock.drive(third)).toBeInstanceOf(TimeoutError)
    expect(sent).toHaveLength(2)
    expect(clock.armed).toBe(0)
  })
})

describe('a call that comes to nothing takes no turn', () => {
  const rateLimit = { limit: 1, windowMs: 10_000 }

  test('when it was aborted before it began', async () => {
    const { fetch, clock, sent } = clientOf([reply(200)], { rateLimit })
    await rejection(fetch(target, { signal: AbortSignal.abort() }))
    await rejection(withDeadline(0, () => fetch(target), { clock }))
    await fetch(target)
    expect(sent).toHaveLength(1)
  })

  test('when it is given up while it waits for one of the requests at a time', async () => {
    const { fetch, clock, sent } = clientOf([() => new Promise(() => {}), reply(200)], {
      rateLimit: { ...rateLimit, limit: 2 },
      concurrency: 1,
    })
    const first = rejection(fetch(target, { timeoutMs: 1_000 }))
    await rejection(clock.drive(fetch(target, { timeoutMs: 500 })))
    await clock.advance(500)
    await first
    await fetch(target)
    expect(sent).toHaveLength(2)
  })
})

test('a request whose answer a broken source of chance kept from being understood does not count as under way', async () => {
  const chances = [() => expect.unreachable(), () => 0]
  const told = [2, 1, 0].map((remaining) =>
    reply(200, { 'x-ratelimit-limit': '3', 'x-ratelimit-remaining': `${remaining}`, 'x-ratelimit-reset': '10' }),
  )
  const { fetch, clock, sent } = clientOf(told, { rateLimit: true, random: () => (chances.shift() ?? (() => 0))() })
  await rejection(fetch(target))
  await fetch(target)
  await clock.drive(fetch(target))
  expect(atMs(sent)).toEqual([0, 0, 0])
})

describe('the quota that an origin tells of', () => {
  const told = (remaining: number, seconds: number, limit = 10): Response =>
    reply(200, {
      'ratelimit-limit': String(limit),
      'ratelimit-remaining': String(remaining),
      'ratelimit-reset': String(seconds),
    })
  const once = (first: Response): ClientOptions & { replies: Response[] } => ({ replies: [first, ok] })

  test('is used at once above its half, and below spread evenly over what is left of the window', async () => {
    const { fetch, clock, sent } = clientOf(once(told(8, 50)).replies, { rateLimit: true, timeoutMs: false })
    await fetch(target)
    await clock.drive(Promise.all(times(8, fetch)))
    expect(atMs(sent)).toEqual([0, 0, 0, 0, 0, 10_000, 20_000, 30_000, 40_000])
  })

  test('that is used up is waited for until its reset and a little more', async () => {
    const { fetch, clock, sent } = clientOf(once(told(0, 8)).replies, { rateLimit: true })
    await fetch(target)
    const response = await clock.drive(fetch(target))
    expect(atMs(sent)).toEqual([0, 8_200])
    expect(traceOf(response)?.attempts[0]).toMatchObject({ waitMs: 8_200, waitReason: 'rate limit' })
    expect(clock.armed).toBe(0)
  })

  test('that is used up refuses at once who cannot wait so long', async () => {
    const { fetch, sent } = clientOf(once(told(0, 120)).replies, { rateLimit: true, timeoutMs: false })
    await fetch(target)
    expect(await rejection(fetch(target))).toMatchObject({ kind: 'rate limited', retryAfterMs: 120_500 })
    expect(sent).toHaveLength(1)
  })

  test('is renewed at its reset to no more than the limit', async () => {
    const { fetch, clock, sent } = clientOf(once(told(0, 10, 4)).replies, { rateLimit: true, timeoutMs: false })
    await fetch(target)
    await clock.drive(Promise.all(times(7, fetch)))
    expect(atMs(sent).filter((ms) => ms < 10_000)).toEqual([0])
    expect(atMs(sent).filter((ms) => ms < 20_000)).toHaveLength(1 + 4)
    expect(sent).toHaveLength(8)
  })

  test('is forgotten when nothing was heard of it for a whole window', async () => {
    const { fetch, clock, sent } = clientOf(once(told(0, 10, 4)).replies, { rateLimit: true, timeoutMs: false })
    await fetch(target)
    await clock.advance(11_000)
    await clock.drive(Promise.all(times(1, fetch)))
    await clock.advance(20_000)
    await clock.drive(Promise.all(times(100, fetch)))
    expect(new Set(atMs(sent).slice(2))).toEqual(new Set([31_000]))
  })

  test('refuses nobody for the sake of the pace', async () => {
    const { fetch, clock, sent } = clientOf(once(told(500, 3_000, 1_000)).replies, { rateLimit: true })
    await fetch(target)
    await clock.drive(Promise.all(times(100, fetch)))
    expect(sent).toHaveLength(101)
    expect(Math.max(...atMs(sent))).toBeLessThan(30_000)
    expect(clock.armed).toBe(0)
  })

  test('counts requests under way that its response cannot know of', async () => {
    const clock = new FakeClock()
    const replies: ((response: Response) => void)[] = []
    const transport = (): Promise<Response> => new Promise((resolve) => replies.push(resolve))
    const fetch = createFetch({ transport, clock, random: () => 0, rateLimit: true, timeoutMs: false, attemptTimeoutMs: false })
    const calls = times(4, fetch)
    replies[0]?.(told(6, 60))
    await calls[0]
    // Of the 6 that were left, 3 are under way: 3 more may go, and the second of them at the pace of the lower half.
    const more = times(4, fetch)
    await clock.advance(59_999)
    expect(replies).toHaveLength(7)
    await clock.advance(1)
    expect(replies.length).toBeGreaterThan(7)
    for (const resolve of replies) resolve(ok.clone())
    await clock.drive(Promise.all([...calls, ...more]))
  })

  test('gives back what did not reach the origin', async () => {
    const { fetch, clock, sent } = clientOf([told(2, 60), fetchFailed('ECONNREFUSED'), ok], { rateLimit: true, maxAttempts: 1 })
    await fetch(target)
    await rejection(fetch(target))
    const calls = Promise.all(times(2, fetch))
    await clock.drive(calls)
    expect(sent).toHaveLength(4)
    expect(Math.max(...atMs(sent))).toBeLessThan(60_000)
  })

  test('is the strictest of several policies', async () => {
    const fields = {
      ratelimit: '"permin";r=40;t=30,"perhr";r=0;t=45',
      'ratelimit-policy': '"permin";q=50;w=60,"perhr";q=1000;w=3600',
    }
    const { fetch, clock, sent } = clientOf([reply(200, fields), ok], { rateLimit: true, timeoutMs: false })
    await fetch(target)
    await clock.drive(fetch(target))
    expect(atMs(sent)).toEqual([0, 45_500])
  })

  test('of one partition is not used up by requests that another one paid for', async () => {
    const of = (resource: string, remaining: number): Response =>
      reply(200, {
        'x-ratelimit-limit': '4',
        'x-ratelimit-remaining': String(remaining),
        'x-ratelimit-reset': '60',
        'x-ratelimit-resource': resource,
      })
    const replies = [of('search', 3), ...[9, 8, 7, 6, 5, 4].map((left) => of('core', left))]
    const { fetch, sent } = clientOf(replies, { rateLimit: true })
    for (let turn = 0; turn < 7; turn += 1) await fetch(target)
    expect(new Set(atMs(sent))).toEqual(new Set([0]))
  })

  test('that lasts for a day is asked about again after an hour, by one request', async () => {
    const fields = { 'ratelimit-limit': '1000', 'ratelimit-remaining': '0', 'ratelimit-reset': '86400' }
    const { fetch, clock, sent } = clientOf([reply(200, fields)], { rateLimit: true, timeoutMs: false })
    await fetch(target)
    await clock.advance(3_600_000)
    expect(await rejection(fetch(target, { timeoutMs: 100 }))).toBeInstanceOf(RefusedError)
    await clock.advance(500)
    const [first, second] = [fetch(target), rejection(fetch(target))]
    await clock.drive(first)
    expect(await second).toMatchObject({ kind: 'rate limited' })
    expect(sent).toHaveLength(2)
  })

  test('is not looked at with followServer: false', async () => {
    const { fetch, sent } = clientOf(once(told(0, 10)).replies, { rateLimit: { followServer: false } })
    await fetch(target)
    await fetch(target)
    expect(atMs(sent)).toEqual([0, 0])
  })

  test('has nothing to say where the layers below fail with an error of their own', async () => {
    const options = { ...resolveClient(defaults, { rateLimit: true }, 'createFetch'), clock: new FakeClock() }
    const exchange = { request: { origin: 'https://api.test' }, options } as unknown as Exchange
    const layer = rateLimitLayer(new Origins(), options.rateLimit as RateLimitConfig)
    expect(await rejection(layer(() => Promise.reject(new Error('mine')))(exchange))).toMatchObject({ message: 'mine' })
  })
})

describe('beside a server with a fixed window', () => {
  async function load(rateLimit: ClientOptions['rateLimit'], fields?: (left: number, ms: number) => Record<string, string>) {
    const clock = new FakeClock()
    const rules = { limit: 20, windowMs: 10_000 }
    const respond = (): Promise<void> => new Promise((resolve) => clock.after(40, resolve))
    const server: QuotaServer = quotaServer(clock.now, { ...rules, fields: fields ?? draftFields(rules), respond })
    const { transport } = server
    const fetch = createFetch({
      transport,
      clock,
      random: () => 0.5,
      timeoutMs: false,
      maxAttempts: 20,
      rateLimit: rateLimit ?? false,
    })
    // A first call on its own, then five callers, each with one call after the other.
    const caller = async (): Promise<void> => {
      for (let turn = 0; turn < 15; turn += 1) await fetch(target).catch(() => {})
    }
    await clock.drive(fetch(target).then(() => Promise.all(Array.from({ length: 5 }, caller))))
    return { server, clock }
  }

  test('a client that follows the quota gets no 429 at all, one that does not gets some', async () => {
    const following = await load(true)
    expect(following.server.refused).toBe(0)
    expect(following.server.arrivals).toHaveLength(76)
    expect(following.clock.armed).toBe(0)
    const other = await load(false)
    expect(other.server.refused).toBeGreaterThan(0)
  })

  test('it takes no longer than the quota makes it', async () => {
    const { server } = await load(true)
    const [first = 0, last = 0] = [server.arrivals[0], server.arrivals.at(-1)]
    expect(last - first).toBeLessThanOrEqual(40_000)
  })

  test('that tells the end of its window in epoch seconds it gets none either', async () => {
    const epoch = (clockMs: () => number) => (left: number, ms: number) => ({
      'x-ratelimit-limit': '20',
      'x-ratelimit-remaining': String(left),
      'x-ratelimit-reset': String(Math.ceil((clockMs() + ms) / 1_000)),
    })
    const wall = new FakeClock()
    const offsetMs = wall.wallTime() - wall.now()
    let nowMs = (): number => 0
    const fields = (left: number, ms: number) => epoch(() => nowMs() + offsetMs)(left, ms)
    const clock = new FakeClock()
    nowMs = clock.now
    const server = quotaServer(clock.now, { limit: 20, windowMs: 10_000, fields })
    const fetch = createFetch({ transport: server.transport, clock, random: () => 0.5, timeoutMs: false, rateLimit: true })
    await clock.drive(fetch(target).then(() => Promise.all(times(70, fetch))))
    expect(server.refused).toBe(0)
  })
})

test('what a circuit breaker refuses takes no turn: the line behind it is refused at once, and nobody waits for nothing', async () => {
  const options = {
    rateLimit: { limit: 1 },
    breaker: { consecutiveFailures: 1, openMs: 60_000, maxOpenMs: 60_000 },
    maxAttempts: 1,
  }
  const { fetch, clock, sent } = clientOf([reply(503)], options)
  const calls = Array.from({ length: 5 }, () => rejection(fetch('https://api.test/')))
  await clock.advance(1_000)
  expect((await Promise.all(calls)).map((error) => (error as { code: string }).code)).toEqual([
    'ERR_STEADFETCH_HTTP_503',
    ...Array.from({ length: 4 }, () => 'ERR_STEADFETCH_REFUSED_BREAKER_OPEN'),
  ])
  expect(await rejection(fetch('https://api.test/'))).toMatchObject({ kind: 'breaker open', elapsedMs: 0 })
  expect(sent).toHaveLength(1)
  expect(clock.armed).toBe(0)
})
