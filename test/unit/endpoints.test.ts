import { describe, expect, test } from 'vitest'
import {
  type ClientOptions,
  follow,
  retry,
  ServiceUnavailableError,
  type TransportInit,
  traceOf,
  withDeadline,
} from '../../src/index.ts'
import { clientOf, gaps, rejection } from '../support/client.ts'
import { fetchFailed, reply, type Sent } from '../support/scripted-transport.ts'

const a = 'https://a.test'
const b = 'https://b.test'
const c = 'https://c.test'
const foreign = 'https://other.test'
type Answer = (target: string, init: TransportInit) => Response | Promise<Response>

const well: Answer = () => reply(200, {}, 'fine')
const failing: Answer = () => reply(503)
const never: Answer = () => new Promise(() => {})
const unreachable: Answer = () => {
  throw fetchFailed('ECONNREFUSED')
}
const broken: Answer = () => {
  throw fetchFailed('ECONNRESET')
}

/** A client of a and b, or of `endpoints`, whose chance is always the first; each origin answers as its entry says. */
function among(answers: Record<string, Answer>, options: ClientOptions = {}): ReturnType<typeof clientOf> {
  const answer: Answer = (target, init) => (answers[new URL(target).origin] as Answer)(target, init)
  return clientOf([answer], { endpoints: [a, b], random: () => 0, timeoutMs: false, attemptTimeoutMs: false, ...options })
}

const origins = (sent: readonly Sent[]): string[] => sent.map(({ target }) => new URL(target).origin)

/** A chance that differs each time, the same in every run. */
function seeded(): () => number {
  let chance = 0
  return () => {
    chance = (chance + 0.381966) % 1
    return chance
  }
}

/** A failure first, then good answers. */
function failingOnce(): Answer {
  const replies = [reply(503)]
  return () => replies.pop() ?? reply(200)
}

/** An answer after so many milliseconds. */
const within =
  (clock: () => { after(ms: number, run: () => void): unknown }, ms: number): Answer =>
  () =>
    new Promise((resolve) => void clock().after(ms, () => resolve(reply(200))))

describe('a client of several endpoints', () => {
  test('sends a call to one of them, with its path, query, fields and content', async () => {
    const { fetch, sent } = among({ [b]: well }, { random: () => 0.99 })
    const response = await fetch('/users?name=x#top', {
      method: 'PUT',
      body: 'new',
      headers: { 'x-id': '7', authorization: 'Basic eA' },
    })
    expect(sent).toMatchObject([{ target: `${b}/users?name=x`, body: 'new', init: { method: 'PUT' } }])
    expect(new Headers(sent[0]?.init.headers as HeadersInit).get('x-id')).toBe('7')
    expect(new Headers(sent[0]?.init.headers as HeadersInit).get('authorization')).toBe('Basic eA')
    expect(response.url).toBe(`${b}/users?name=x`)
  })

  test('sends a call that names one of them, or the origin of baseUrl, to whichever promises most', async () => {
    const { fetch, sent } = among({ [a]: never, [b]: well }, { baseUrl: 'https://service.test/v1/' })
    void fetch('x')
    await fetch(`${a}/x`)
    await fetch('https://service.test/v2/x')
    await fetch('y')
    expect(sent.map(({ target }) => target)).toEqual([`${a}/v1/x`, `${b}/x`, `${b}/v2/x`, `${b}/v1/y`])
  })

  test('leaves calls to other origins alone, whose retries wait as ever', async () => {
    const { fetch, clock, sent } = among({ [foreign]: failingOnce() }, { random: () => 0.5 })
    await clock.drive(fetch(`${foreign}/x`))
    expect(origins(sent)).toEqual([foreign, foreign])
    expect(gaps(sent)).toEqual([50])
  })

  test('prefers the one with fewer requests under way', async () => {
    const { fetch, sent } = among({ [a]: never, [b]: never })
    for (let call = 0; call < 6; call += 1) void fetch('x')
    expect(origins(sent)).toEqual([a, b, a, b, a, b])
  })

  test('prefers the faster one, and asks the slower now and then', async () => {
    const { fetch, clock, sent } = among({ [a]: within(() => clock, 200), [b]: within(() => clock, 20) }, { random: seeded() })
    for (let call = 0; call < 500; call += 1) await clock.drive(fetch('x'))
    const slow = origins(sent).filter((origin) => origin === a).length
    expect(slow).toBeGreaterThan(1)
    expect(slow).toBeLessThan(25)
  })

  test('knows of a slow one although its requests were given up before they were answered', async () => {
    const { fetch, clock, sent } = among({ [a]: never, [b]: within(() => clock, 20) })
    const controller = new AbortController()
    const given = rejection(fetch('x', { signal: controller.signal }))
    await clock.drive(fetch('x'))
    await clock.advance(1_000)
    controller.abort(new Error('too slow'))
    await given
    for (let call = 0; call < 10; call += 1) await clock.drive(fetch('x'))
    expect(origins(sent).filter((origin) => origin === a)).toHaveLength(1)
  })

  test('counts a request no longer when it was aborted, failed, or a function of the caller threw', async () => {
    const thrown = new Error('thrown by the caller')
    let answer: Answer = never
    const { fetch, sent } = among(
      { [a]: (...asked) => answer(...asked), [b]: never },
      { maxAttempts: 1, on: { 418: () => Promise.reject(thrown) } },
    )
    const controller = new AbortController()
    const aborted = rejection(fetch('x', { signal: controller.signal }))
    controller.abort(new Error('gone'))
    await aborted
    answer = () => reply(418)
    expect(await rejection(fetch('x'))).toBe(thrown)
    answer = broken
    await rejection(fetch('x', { maxAttempts: 1 }))
    answer = never
    for (let call = 0; call < 4; call += 1) void fetch('x')
    // The failure makes a dearer by a third, a request under way would double its price.
    expect(origins(sent)).toEqual([a, a, a, b, a, b, a])
  })

  test('shares what it knows with its children', async () => {
    const { fetch, sent } = among({ [a]: never, [b]: well })
    void fetch('x')
    await fetch.extend({ maxAttempts: 1 })('x')
    expect(origins(sent)).toEqual([a, b])
  })
})

describe('an endpoint that fails', () => {
  test('is passed over: the request goes to another at once', async () => {
    const { fetch, sent } = among({ [a]: failing, [b]: well })
    const response = await fetch('x')
    expect(gaps(sent)).toEqual([0])
    expect(traceOf(response)?.attempts).toMatchObject([
      { url: `${a}/x`, status: 503 },
      { url: `${b}/x`, status: 200, waitMs: 0, waitReason: 'failover' },
    ])
  })

  test('is waited for by back-off once all have been tried, and then not the same goes first', async () => {
    const { fetch, clock, sent } = among({ [a]: failing, [b]: failing }, { maxAttempts: 4, random: () => 0.5 })
    expect(await clock.drive(rejection(fetch('x')))).toBeInstanceOf(ServiceUnavailableError)
    expect(origins(sent)).toEqual([b, a, b, a])
    expect(gaps(sent)).toEqual([0, 100, 200])
  })

  test('is asked again after a back-off where it is the only one', async () => {
    const { fetch, clock, sent } = among({ [a]: failing }, { endpoints: [a], random: () => 0.5 })
    await clock.drive(rejection(fetch('x')))
    expect(gaps(sent)).toEqual([50, 100])
  })

  test('that is silent for attemptTimeoutMs is passed over, too', async () => {
    const { fetch, clock, sent } = among({ [a]: never, [b]: well }, { attemptTimeoutMs: 1_000 })
    await clock.drive(fetch('x'))
    expect(origins(sent)).toEqual([a, b])
    expect(gaps(sent)).toEqual([1_000])
  })

  test.each([
    ['could not be reached', unreachable, {}, [a, b]],
    ['reset the connection', broken, {}, [a]],
    ['answered with 503', failing, {}, [a]],
    ['reset the connection, with an Idempotency-Key', broken, { 'idempotency-key': 'k' }, [a, b]],
  ])('and %s: a POST is sent to another only where that is safe', async (_what, answer, headers, expected) => {
    const { fetch, sent } = among({ [a]: answer, [b]: well })
    await fetch('x', { method: 'POST', body: 'order', headers }).catch(() => {})
    expect(origins(sent)).toEqual(expected)
    expect(sent.map(({ body }) => body)).toEqual(expected.map(() => 'order'))
    expect(gaps(sent)).toEqual(expected.slice(1).map(() => 0))
  })

  test('is not replaced where an outer call repeats, or the retry budget is empty', async () => {
    const { fetch, sent } = among({ [a]: failing, [b]: failing }, { retryBudget: { capacity: 5, retryCost: 5 } })
    const outer = await withDeadline(1_000, () => rejection(fetch('x')), { repeated: true })
    expect(traceOf(outer)?.notRepeated).toBe('retried by an outer call')
    const spent = await rejection(fetch('x', { maxAttempts: 2 }))
    expect(traceOf(spent)?.attempts).toHaveLength(2)
    expect(traceOf(await rejection(fetch(`${b}/x`)))).toMatchObject({ notRepeated: 'retry budget is empty' })
    expect(sent).toHaveLength(4)
  })

  test('never makes a call longer than maxAttempts; three dead ones of five are known after a few calls', async () => {
    const [d, e] = ['https://d.test', 'https://e.test']
    const answers = { [a]: unreachable, [b]: unreachable, [c]: unreachable, [d]: well, [e]: well }
    const endpoints = [a, b, c, d, e]
    const unlucky = among(answers, { endpoints })
    expect(await rejection(unlucky.fetch('x'))).toMatchObject({ kind: 'connect', attempts: 3 })
    expect([new Set(origins(unlucky.sent)).size, ...gaps(unlucky.sent)]).toEqual([3, 0, 0])
    const { fetch, clock, sent } = among(answers, { endpoints, random: seeded() })
    const attempts: number[] = []
    for (let call = 0; call < 600; call += 1) {
      attempts.push(traceOf(await fetch('x'))?.attempts.length ?? 0)
      await clock.advance(100)
    }
    expect(Math.max(...attempts)).toBeLessThanOrEqual(3)
    expect(attempts.slice(30, 300).filter((count) => count > 1).length).toBeLessThanOrEqual(4)
    const dead = origins(sent).filter((origin) => origin !== d && origin !== e).length
    expect(dead).toBeLessThan(40)
  })
})

describe('an endpoint that asks for a wait', () => {
  test('with a 503 and Retry-After is left alone that long, while others answer at once; then it is asked again', async () => {
    let paused = true
    const { fetch, clock, sent } = among({ [a]: () => (paused ? reply(503, { 'retry-after': '10' }) : reply(200)), [b]: well })
    expect(traceOf(await fetch('x'))?.attempts[1]).toMatchObject({ url: `${b}/x`, waitReason: 'failover' })
    await clock.advance(9_999)
    await fetch('x')
    expect(origins(sent)).toEqual([a, b, b])
    paused = false
    await clock.advance(11_000)
    for (let call = 0; call < 5; call += 1) await fetch('x')
    expect(origins(sent.slice(3))).toContain(a)
    expect(clock.armed).toBe(0)
  })

  test('with a 429 gets the request again after the wait; other calls go elsewhere meanwhile', async () => {
    const replies = [reply(429, { 'retry-after': '10' }), reply(200)]
    const { fetch, clock, sent } = among({ [a]: () => replies.shift() as Response, [b]: well }, { random: () => 0 })
    const first = fetch('x')
    await clock.advance(1)
    await fetch('y')
    const response = await clock.drive(first)
    expect(sent.map(({ target, atMs }) => [target, atMs - 1_000])).toEqual([
      [`${a}/x`, 0],
      [`${b}/y`, 1],
      [`${a}/x`, 10_000],
    ])
    expect(traceOf(response)?.attempts[1]).toMatchObject({ waitReason: 'pause', waitMs: 10_000 })
  })

  test('and fails afterwards is passed over like any other', async () => {
    const replies = [reply(429, { 'retry-after': '10' }), reply(503)]
    const { fetch, clock, sent } = among({ [a]: () => replies.shift() as Response, [b]: well })
    const response = await clock.drive(fetch('x'))
    expect(origins(sent)).toEqual([a, a, b])
    expect(gaps(sent)).toEqual([10_000, 0])
    expect(traceOf(response)?.attempts[2]?.waitReason).toBe('failover')
  })

  test('is waited for when all of them do', async () => {
    const limited = [reply(429, { 'retry-after': '10' }), reply(429, { 'retry-after': '10' })]
    const answer: Answer = () => limited.pop() ?? reply(200)
    const { fetch, clock, sent } = among({ [a]: answer, [b]: answer })
    await clock.drive(Promise.all([fetch('x'), fetch('x'), clock.advance(1).then(() => fetch('x'))]))
    expect(sent).toHaveLength(5)
    expect(sent[2]?.atMs).toBe(11_000)
  })
})

describe('an endpoint that asks for a wait with a 500', () => {
  const asking: Answer = () => reply(500, { 'retry-after': '10' })
  const failing500: Answer = () => reply(500)

  test('is not asked again sooner because another one that the call went to asks for none', async () => {
    const { fetch, clock, sent } = among({ [a]: asking, [b]: failing500 }, { maxAttempts: 4 })
    await rejection(clock.drive(fetch('x')))
    expect(origins(sent)).toEqual([a, b, b, b])
  })

  test('nor where a redirect names the other one', async () => {
    const moved: Answer = (target) => (target.endsWith('/x') ? reply(307, { location: '/y' }) : reply(500))
    const { fetch, clock, sent } = among({ [a]: asking, [b]: moved }, { maxAttempts: 4 })
    await rejection(clock.drive(fetch('x')))
    expect(origins(sent)).toEqual([a, b, b, b, b])
  })
})

describe('an endpoint that failed so often in a row', () => {
  const once = { maxAttempts: 1 }
  const options: ClientOptions = { endpoints: { origins: [a, b, c], ejectAfter: 2, ejectMs: 10_000, maxEjectMs: 15_000 } }

  test('is left out for ejectMs, then asked by one request alone, and left out longer if that fails', async () => {
    let answer = failing
    const { fetch, clock, sent } = among({ [a]: (...asked) => answer(...asked), [b]: never, [c]: never }, options)
    const asked = async (): Promise<boolean> => {
      const before = sent.length
      await Promise.race([rejection(fetch('x', once)), clock.advance(0)])
      return origins(sent.slice(before)).includes(a)
    }
    /** Milliseconds until it is asked again. */
    const awayMs = async (): Promise<number> => {
      const startMs = clock.now()
      while (!(await asked())) await clock.advance(500)
      return clock.now() - startMs
    }
    // Both others hang, so that a is dearer for its failure alone.
    for (let call = 0; call < 4; call += 1) await asked()
    expect(await awayMs()).toBe(10_000)
    expect(await awayMs()).toBe(15_000)
    answer = never
    expect(await awayMs()).toBe(15_000)
    const before = sent.length
    for (let call = 0; call < 6; call += 1) await asked()
    expect(origins(sent.slice(before))).not.toContain(a)
  })

  test('is back for good after as many good answers', async () => {
    let answer = failing
    const { fetch, clock, sent } = among(
      { [a]: (...asked) => answer(...asked), [b]: failing },
      { endpoints: { origins: [a, b], ejectAfter: 2 } },
    )
    for (let call = 0; call < 8; call += 1) await rejection(fetch('x', once))
    const ejected = origins(sent).at(-1) === a ? b : a
    answer = well
    expect(ejected).toBe(a)
    await clock.advance(30_000)
    for (let call = 0; call < 10; call += 1) await fetch('x', once).catch(() => {})
    expect(origins(sent).slice(-3)).toEqual([a, a, a])
  })

  test('is left out only as long as enough others are in; the last ones are asked although they fail', async () => {
    const { fetch, sent } = among({ [a]: failing, [b]: failing, [c]: failing }, { ...options, random: seeded() })
    for (let call = 0; call < 30; call += 1) await rejection(fetch('x', once))
    expect(new Set(origins(sent.slice(-10))).size).toBe(2)
  })

  test('is asked all the same when all others are left out as well', async () => {
    const all: ClientOptions = { endpoints: { origins: [a, b], ejectAfter: 1, maxEjectedRatio: 1 } }
    let answer = failing
    const { fetch, sent } = among({ [a]: (...asked) => answer(...asked), [b]: failing }, all)
    await rejection(fetch('x', { maxAttempts: 2 }))
    expect(origins(sent)).toEqual([a, b])
    answer = well
    expect((await fetch('x')).status).toBe(200)
  })

  test('is not left out for a 429, an abort or a 404 in between', async () => {
    const { fetch, clock, sent } = among(
      { [a]: (target) => reply(Number(new URL(target).pathname.slice(1))), [b]: never },
      {
        ...options,
        endpoints: { origins: [a, b], ejectAfter: 2 },
        on: { 429: 'fail' },
      },
    )
    for (const status of [503, 404, 429, 503, 429, 404, 503, 404]) {
      await Promise.race([rejection(fetch(`${status}`, once)), clock.advance(0)])
      await clock.advance(60_000)
    }
    expect(origins(sent).slice(-2)).toContain(a)
  })
})

describe('a redirect of an endpoint', () => {
  const secret = { headers: { authorization: 'Bearer s3cr3t' } }
  const authorised = (sent: readonly Sent[]): boolean[] =>
    sent.map(({ init }) => new Headers(init.headers as HeadersInit).has('authorization'))
  const to =
    (location: string): Answer =>
    (target) =>
      target.endsWith('/new') ? reply(200) : reply(302, { location })

  test('with a relative Location goes to any of them, credentials included', async () => {
    const { fetch, sent } = among({ [a]: to('/new'), [b]: well })
    void fetch(`${a}/new`)
    await fetch('x', secret)
    expect(origins(sent).slice(1)).toEqual([b])
    const other = among({ [a]: to('/new'), [b]: never })
    expect((await other.fetch('x', secret)).status).toBe(200)
    expect(other.sent.map(({ target }) => target)).toEqual([`${a}/x`, `${a}/new`])
    expect(authorised(other.sent)).toEqual([true, true])
  })

  test('to itself by name keeps the credentials', async () => {
    const { fetch, sent } = among({ [a]: to(`${a}/new`), [b]: never })
    await fetch('x', secret)
    expect(authorised(sent)).toEqual([true, true])
  })

  test('to another by name is not sent to the same again, and carries no credentials, as ever', async () => {
    const { fetch, sent } = among({ [a]: to(`${b}/new`), [b]: well, [c]: never }, { endpoints: [a, b, c] })
    await fetch('x', secret)
    expect(sent.map(({ target }) => target)).toEqual([`${a}/x`, `${b}/new`])
    expect(authorised(sent)).toEqual([true, false])
  })

  test('to the one name that all of them redirect to ends there', async () => {
    const { fetch, sent } = among(
      { [a]: to(`${c}/x`), [b]: to(`${c}/x`), [c]: well },
      { endpoints: [a, b, c], on: { 302: follow({ maxHops: 2 }) } },
    )
    expect((await fetch('x')).status).toBe(200)
    expect(origins(sent)).toEqual([a, b, c])
  })

  test('to another origin is followed there, without credentials; its failures are waited for', async () => {
    const { fetch, clock, sent } = among({ [a]: to(`${foreign}/new`), [foreign]: failingOnce() }, { random: () => 0.4 })
    await clock.drive(fetch('x', secret))
    expect(origins(sent)).toEqual([a, foreign, foreign])
    expect(gaps(sent)).toEqual([0, 40])
    expect(authorised(sent)).toEqual([true, false, false])
  })

  test('leaves all of them to the next request of the call, however the one before was answered', async () => {
    const { fetch, sent } = among({
      [a]: (target) => (target.endsWith('/new') ? reply(503) : reply(302, { location: '/new' })),
      [b]: well,
    })
    const response = await fetch('x', { on: { 503: retry() } })
    expect(origins(sent)).toEqual([a, a, b])
    expect(traceOf(response)?.attempts[2]?.waitReason).toBe('failover')
  })
})

test("the client's credentials go to the endpoints for calls to the origin of baseUrl alone", async () => {
  const { fetch, sent } = among(
    { [a]: well, [b]: well, [foreign]: well },
    { headers: { authorization: 'Bearer s3cr3t', 'x-id': '1' } },
  )
  for (const target of ['x', `${a}/x`, `${b}/x`, foreign]) await fetch(target)
  expect(sent.map(({ init }) => new Headers(init.headers as HeadersInit).has('authorization'))).toEqual([
    true,
    true,
    false,
    false,
  ])
})

test('a random that throws fails the call with its error, before anything is sent', async () => {
  const thrown = new Error('no chance')
  const random = (): number => {
    throw thrown
  }
  const { fetch, sent } = among({ [a]: well, [b]: well }, { random })
  expect(await rejection(fetch('x'))).toBe(thrown)
  expect(sent).toEqual([])
})

describe('beside other protections', () => {
  test('each endpoint has a circuit breaker of its own, and calls go where it is closed', async () => {
    const { fetch, clock, sent } = among(
      { [a]: failing, [b]: well },
      { breaker: { consecutiveFailures: 1, openMs: 5_000, maxOpenMs: 5_000 }, endpoints: { origins: [a, b], ejectAfter: 1_000 } },
    )
    for (let call = 0; call < 40; call += 1) expect((await clock.drive(fetch(`${a}/`))).status).toBe(200)
    expect(origins(sent).filter((origin) => origin === a)).toHaveLength(1)
    expect([fetch.breaker(a).state, fetch.breaker(b).state]).toEqual(['open', 'closed'])
    expect(clock.armed).toBe(0)
  })

  test('when the breakers of all are open a call is refused, and nothing is sent', async () => {
    const { fetch, clock, sent } = among({ [a]: failing, [b]: failing }, { breaker: { consecutiveFailures: 1 }, maxAttempts: 2 })
    expect(await clock.drive(rejection(fetch(`${a}/`)))).toBeInstanceOf(ServiceUnavailableError)
    expect(origins(sent).toSorted()).toEqual([a, b])
    expect(await rejection(fetch(`${a}/`))).toMatchObject({ kind: 'breaker open', attempts: 0 })
    expect(sent).toHaveLength(2)
  })

  test('an isolated endpoint is asked no more', async () => {
    const { fetch, sent } = among({ [a]: well, [b]: well }, { breaker: true })
    fetch.breaker(a).isolate()
    for (let call = 0; call < 10; call += 1) await fetch(`${a}/`)
    expect(new Set(origins(sent))).toEqual(new Set([b]))
  })

  test('a request that one endpoint has no place for goes to another at once, and costs no attempt', async () => {
    const { fetch, clock, sent } = among({ [a]: never, [b]: never }, { concurrency: { limit: 1, maxQueued: 0 }, maxAttempts: 1 })
    const controller = new AbortController()
    const calls = [1, 2].map(() => rejection(fetch(`${a}/`, { signal: controller.signal })))
    await clock.advance(1)
    expect(origins(sent).toSorted()).toEqual([a, b])
    expect(await rejection(fetch(`${a}/`))).toMatchObject({ kind: 'queue full', attempts: 0 })
    controller.abort(new Error('gone'))
    await Promise.all(calls)
    expect(sent).toHaveLength(2)
  })
})
