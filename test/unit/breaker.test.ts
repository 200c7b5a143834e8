import { describe, expect, test, vi } from 'vitest'
import {
  type BreakerChange,
  type BreakerOptions,
  type ClientOptions,
  InternalServerError,
  RefusedError,
  retry,
  ServiceUnavailableError,
  traceOf,
  withDeadline,
} from '../../src/index.ts'
import { clientOf, gaps, rejection } from '../support/client.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

const target = 'https://api.test/a'
const ok = reply(200, {}, 'fine')
const broken = reply(500)
/** Two failures open it; chance is a half, so that it stays open for 1,100 ms, then for 2,200 ms, 4,400 ms … */
const quick: BreakerOptions = { minVolume: 2, openMs: 1_000, maxOpenMs: 8_000, probes: 2 }
type Replies = Parameters<typeof clientOf>[0]

/** A client with a breaker and without retries that keeps the changes of its breakers. */
function guarded(replies: Replies, breaker: BreakerOptions = quick, options: ClientOptions = {}) {
  const changes: BreakerChange[] = []
  const onChange = (change: BreakerChange): void => void changes.push(change)
  const client = clientOf(replies, { breaker: { onChange, ...breaker }, maxAttempts: 1, ...options })
  const states = (): string[] => changes.map(({ to }) => to)
  return { ...client, changes, states }
}

/** The status a call comes to, or the kind of its refusal. */
async function result(call: Promise<Response>): Promise<number | string> {
  try {
    return (await call).status
  } catch (error) {
    return error instanceof RefusedError ? error.kind : ((error as { status?: number }).status ?? (error as Error).message)
  }
}

/** A reply that comes when the test says so. */
function later(): { reply: () => Promise<Response>; answer: (response: Response) => void } {
  let answer: (response: Response) => void = () => {}
  const response = new Promise<Response>((resolve) => (answer = resolve))
  return { reply: async () => (await response).clone(), answer: (given) => answer(given) }
}

describe('a closed breaker', () => {
  test('opens once enough of the outcomes of the window have failed, and refuses without sending', async () => {
    const { fetch, clock, sent, changes } = guarded([ok, ok, broken, broken], { ...quick, minVolume: 4 })
    for (let call = 0; call < 4; call += 1) await result(fetch(target))
    const error = await rejection(fetch(target))
    expect(error).toBeInstanceOf(RefusedError)
    expect(error).toMatchObject({ kind: 'breaker open', attempts: 0, retryAfterMs: 1_100, retryable: true })
    expect((error as Error).message).toBe('GET https://api.test/a failed: the origin fails (0 attempts, 0 ms)')
    expect(sent).toHaveLength(4)
    expect(changes).toEqual([{ origin: 'https://api.test', from: 'closed', to: 'open', openMs: 1_100 }])
    expect(clock.armed).toBe(0)
  })

  test('stays closed below the ratio, and below the volume', async () => {
    const below = guarded([ok, ok, ok, broken, broken], { ...quick, minVolume: 2 })
    for (let call = 0; call < 5; call += 1) await result(below.fetch(target))
    expect(below.states()).toEqual([])
    const few = guarded([broken], { ...quick, minVolume: 6 })
    for (let call = 0; call < 5; call += 1) await result(few.fetch(target))
    expect(few.states()).toEqual([])
  })

  test('forgets what is older than its window', async () => {
    const { fetch, clock, states } = guarded([broken], { ...quick, minVolume: 3, windowMs: 1_000 })
    for (let call = 0; call < 8; call += 1) {
      await result(fetch(target))
      await clock.advance(500)
    }
    expect(states()).toEqual([])
  })

  test('opens after failures in a row where that is asked for, whatever the ratio', async () => {
    const replies: Replies = [...Array.from({ length: 20 }, () => ok), broken, broken, ok, broken, broken, broken]
    const { fetch, sent, states } = guarded(replies, { ...quick, minVolume: 100, consecutiveFailures: 3 })
    for (let call = 0; call < 30; call += 1) await result(fetch(target))
    expect(states()).toEqual(['open'])
    expect(sent).toHaveLength(26)
  })

  test.each([
    ['a 404', reply(404)],
    ['a 400', reply(400)],
    ['a 501', reply(501)],
    ['a 429', reply(429)],
  ])('is not opened by %s', async (_what, answer) => {
    const { fetch, clock, sent, states } = guarded([answer], quick, { on: { 429: 'fail' } })
    for (let call = 0; call < 10; call += 1) await result(fetch(target))
    await clock.advance(1)
    expect(sent).toHaveLength(10)
    expect(states()).toEqual([])
  })

  test.each([
    ['a failure of the network', fetchFailed('ECONNRESET')],
    ['a 503', reply(503)],
    ['a time limit', () => new Promise<Response>(() => {})],
  ])('is opened by %s', async (_what, answer) => {
    const { fetch, clock, sent, states } = guarded([answer], quick, { attemptTimeoutMs: 100 })
    for (let call = 0; call < 3; call += 1) await clock.drive(result(fetch(target)))
    expect(sent).toHaveLength(2)
    expect(states()).toEqual(['open'])
  })

  test('does not count calls that were aborted, whatever the reason of the abort', async () => {
    const never = (): Promise<Response> => new Promise(() => {})
    const { fetch, states } = guarded([fetchFailed('ECONNRESET'), never], { ...quick, minVolume: 2 })
    const reason = await rejection(fetch('https://other.test/'))
    for (let call = 0; call < 5; call += 1) {
      const controller = new AbortController()
      const aborted = rejection(fetch(target, { signal: controller.signal }))
      controller.abort(call % 2 === 0 ? reason : new Error('enough'))
      expect(await aborted).toBe(call % 2 === 0 ? reason : controller.signal.reason)
    }
    expect(states()).toEqual([])
  })

  test('does not count a call that ends with an error of the caller', async () => {
    const random = (): number => {
      throw new Error('no chance')
    }
    const { fetch, sent } = guarded([broken], quick, { random })
    for (let call = 0; call < 4; call += 1) await result(fetch(target))
    expect(await result(fetch(target))).toBe('no chance')
    expect(sent).toHaveLength(5)
  })

  test('is one per origin', async () => {
    const { fetch, sent } = guarded([broken])
    await result(fetch(target))
    await result(fetch(target))
    expect(await result(fetch(target))).toBe('breaker open')
    expect(await result(fetch('https://other.test/'))).toBe(500)
    expect(sent).toHaveLength(3)
  })

  test('is shared with children, unless they have one of their own', async () => {
    const { fetch } = guarded([broken])
    await result(fetch(target))
    await result(fetch.extend({ headers: { a: 'b' } })(target))
    expect(await result(fetch(target))).toBe('breaker open')
    expect(await result(fetch.extend({ breaker: quick })(target))).toBe(500)
    expect(await result(fetch.extend({ breaker: false })(target))).toBe(500)
  })
})

describe('a retry', () => {
  test('of a call that meets the breaker open is not sent: the error of the origin is thrown', async () => {
    const { fetch, clock, sent } = guarded([broken], quick, { maxAttempts: 5 })
    const error = await clock.drive(rejection(fetch(target)))
    expect(error).toBeInstanceOf(InternalServerError)
    expect(error).toMatchObject({ attempts: 2, elapsedMs: 150 })
    expect(traceOf(error)?.notRepeated).toBe('breaker open')
    expect(gaps(sent)).toEqual([50])
    expect(await rejection(fetch(target))).toMatchObject({ kind: 'breaker open', attempts: 0, elapsedMs: 0 })
  })

  test('to an isolated origin is not sent either, and takes nothing from the retry budget', async () => {
    const { fetch, clock, sent } = guarded([broken, broken, ok], quick, { maxAttempts: 2, retryBudget: { capacity: 5 } })
    const call = rejection(fetch(target))
    await clock.advance(10)
    fetch.breaker(target).isolate()
    const error = await clock.drive(call)
    expect(error).toBeInstanceOf(InternalServerError)
    expect(traceOf(error)?.notRepeated).toBe('isolated')
    fetch.breaker(target).close()
    expect(sent).toHaveLength(1)
    expect((await clock.drive(fetch(target))).status).toBe(200)
    expect(sent).toHaveLength(3)
  })

  test('that waits until the open time has passed is a probe', async () => {
    const on = { '5xx': retry({ baseMs: 4_000 }) }
    const { fetch, clock, sent, states } = guarded([broken, ok], { ...quick, minVolume: 1 }, { maxAttempts: 2, on })
    expect((await clock.drive(fetch(target))).status).toBe(200)
    expect(gaps(sent)).toEqual([2_000])
    expect(states()).toEqual(['open', 'half-open'])
  })
})

describe('an open breaker', () => {
  test('lets probes through after its time, and closes when enough of them succeed', async () => {
    const { fetch, clock, sent, states } = guarded([broken, broken, ok])
    await result(fetch(target))
    await result(fetch(target))
    await clock.advance(1_099)
    expect(await result(fetch(target))).toBe('breaker open')
    await clock.advance(1)
    expect(await result(fetch(target))).toBe(200)
    expect(states()).toEqual(['open', 'half-open'])
    expect(await result(fetch(target))).toBe(200)
    expect(states()).toEqual(['open', 'half-open', 'closed'])
    expect(sent).toHaveLength(4)
  })

  test('opens for twice as long each time a probe fails, up to maxOpenMs, and anew once it was closed', async () => {
    const { fetch, clock, changes } = guarded([...Array.from({ length: 6 }, () => broken), ok, ok, broken])
    const spent: number[] = []
    for (let call = 0; call < 11; call += 1) {
      await result(fetch(target))
      if (fetch.breaker(target).state !== 'open') continue
      const { openMs } = changes.at(-1) as BreakerChange
      spent.push(openMs)
      await clock.advance(openMs)
    }
    expect(spent).toEqual([1_100, 2_200, 4_400, 8_800, 8_800, 1_100, 2_200])
  })

  test('stays open as long as a Retry-After of the failure asks, but not beyond a minute', async () => {
    const asking = (seconds: string): Response => reply(503, { 'retry-after': seconds })
    const longer = guarded([broken, asking('4')], quick, { on: { 503: 'fail' } })
    for (let call = 0; call < 2; call += 1) await result(longer.fetch(target))
    const tooLong = guarded([broken, asking('86400')], quick, { on: { 503: 'fail' } })
    for (let call = 0; call < 2; call += 1) await result(tooLong.fetch(target))
    const shorter = guarded([broken, asking('0')], quick, { on: { 503: 'fail' } })
    for (let call = 0; call < 2; call += 1) await result(shorter.fetch(target))
    expect([longer, tooLong, shorter].map(({ changes }) => changes[0]?.openMs)).toEqual([4_400, 66_000, 1_100])
  })

  test('leaves the error of a 503 with Retry-After what it is', async () => {
    const { fetch } = guarded([reply(503, { 'retry-after': '120' })], quick)
    expect(await rejection(fetch(target))).toBeInstanceOf(ServiceUnavailableError)
  })

  test('takes no notice of calls that were sent before it opened', async () => {
    const [slow, slower, slowest] = [later(), later(), later()]
    const { fetch, clock, states } = guarded([slow.reply, slower.reply, slowest.reply, broken, broken, ok], quick)
    const early = [result(fetch(target)), result(fetch(target)), result(fetch(target))]
    await result(fetch(target))
    await result(fetch(target))
    slow.answer(ok)
    expect(await early[0]).toBe(200)
    expect(states()).toEqual(['open'])
    await clock.advance(1_100)
    expect(await result(fetch(target))).toBe(200)
    slower.answer(broken)
    expect(await early[1]).toBe(500)
    slowest.answer(ok)
    expect(await early[2]).toBe(200)
    expect(states()).toEqual(['open', 'half-open'])
    expect(await result(fetch(target))).toBe(200)
    expect(states()).toEqual(['open', 'half-open', 'closed'])
  })
})

describe('a half-open breaker', () => {
  /** One whose open time has passed after two failures. */
  async function halfOpen(replies: Replies, options: ClientOptions = {}, breaker = quick) {
    const client = guarded([broken, broken, ...replies], breaker, options)
    await result(client.fetch(target))
    await result(client.fetch(target))
    await client.clock.advance(1_100)
    return client
  }

  test('sends as many calls at a time as it has probes, and refuses the others', async () => {
    const slow = later()
    const { fetch, clock, sent, states } = await halfOpen([slow.reply])
    const calls = Array.from({ length: 5 }, () => result(fetch(target)))
    await clock.advance(1)
    expect(sent).toHaveLength(4)
    slow.answer(ok)
    expect(await Promise.all(calls)).toEqual([200, 200, 'breaker open', 'breaker open', 'breaker open'])
    expect(states().at(-1)).toBe('closed')
  })

  test('does not know when a refused call has a chance again', async () => {
    const { fetch } = await halfOpen([() => new Promise(() => {})])
    void rejection(fetch(target))
    void rejection(fetch(target))
    expect(await rejection(fetch(target))).toMatchObject({ kind: 'breaker open', retryAfterMs: undefined })
  })

  test('gives the place of a probe that is aborted to the next call', async () => {
    const { fetch, sent, states } = await halfOpen([() => new Promise(() => {}), () => new Promise(() => {}), ok])
    const controllers = [new AbortController(), new AbortController()]
    const probes = controllers.map(({ signal }) => rejection(fetch(target, { signal })))
    expect(await result(fetch(target))).toBe('breaker open')
    for (const controller of controllers) controller.abort(new Error('enough'))
    await Promise.all(probes)
    expect([await result(fetch(target)), await result(fetch(target))]).toEqual([200, 200])
    expect(states().at(-1)).toBe('closed')
    expect(sent).toHaveLength(6)
  })

  test.each([
    ['is answered with a 429', [reply(429), reply(429)], {}],
    ['was aborted before it was sent', [], { signal: AbortSignal.abort(new Error('before')) }],
    [
      'ends with an error of the policy function',
      [reply(404), reply(404)],
      { on: { 404: () => Promise.reject(new Error('x')) } },
    ],
  ])('gives the place of a probe back that %s', async (_what, replies, init) => {
    const { fetch, states } = await halfOpen([...replies, ok], { on: { 429: 'fail' } })
    for (let call = 0; call < 2; call += 1) await rejection(fetch(target, init))
    for (let call = 0; call < 2; call += 1) expect(await result(fetch(target))).toBe(200)
    expect(states()).toEqual(['open', 'half-open', 'closed'])
  })

  test('gives the place of a probe back that ends with an error of the chance', async () => {
    let chance = (): number => 0.5
    const { fetch, clock, states } = await halfOpen([broken, broken, ok], { random: () => chance() })
    chance = () => {
      throw new Error('no chance')
    }
    for (let call = 0; call < 2; call += 1) expect(await result(fetch(target))).toBe('no chance')
    for (let call = 0; call < 2; call += 1) expect(await clock.drive(result(fetch(target)))).toBe(200)
    expect(states().at(-1)).toBe('closed')
  })

  test('is opened again by a probe that takes longer than its time limit', async () => {
    const { fetch, clock, states } = await halfOpen([() => new Promise(() => {})], { attemptTimeoutMs: 500 })
    expect(await clock.drive(rejection(fetch(target)))).toMatchObject({ kind: 'attempt', elapsedMs: 500 })
    expect(states()).toEqual(['open', 'half-open', 'open'])
  })

  test('gives up on probes without time limits that have not come back for maxOpenMs', async () => {
    const lost = later()
    const { fetch, clock, states } = await halfOpen([lost.reply, lost.reply, ok], { timeoutMs: false, attemptTimeoutMs: false })
    const probes = [result(fetch(target)), result(fetch(target))]
    await clock.advance(7_999)
    expect(await result(fetch(target))).toBe('breaker open')
    await clock.advance(1)
    expect(await result(fetch(target))).toBe(200)
    lost.answer(broken)
    expect(await Promise.all(probes)).toEqual([500, 500])
    expect(await result(fetch(target))).toBe(200)
    expect(states()).toEqual(['open', 'half-open', 'closed'])
  })
})

test('a call in a hurry says nothing about the origin; one that waited for a second does', async () => {
  const { fetch, clock } = clientOf([() => new Promise(() => {})], { breaker: { consecutiveFailures: 1 } })
  const hurried = rejection(withDeadline(50, () => fetch(target), { clock }))
  await clock.advance(50)
  expect(await hurried).toMatchObject({ kind: 'deadline' })
  const short = rejection(fetch(target, { timeoutMs: 999 }))
  await clock.advance(999)
  expect(await short).toMatchObject({ kind: 'call' })
  expect(fetch.breaker(target).state).toBe('closed')
  const patient = rejection(fetch(target, { timeoutMs: 1_000 }))
  await clock.advance(1_000)
  await patient
  expect(fetch.breaker(target).state).toBe('open')
})

describe('breaker(origin)', () => {
  test('isolates an origin until it is closed, whatever time passes', async () => {
    const { fetch, clock, sent, changes } = guarded([ok])
    const breaker = fetch.breaker(new URL('https://api.test/some/path?a=b'))
    expect(breaker.state).toBe('closed')
    breaker.isolate()
    breaker.isolate()
    await clock.advance(1e9)
    expect(breaker.state).toBe('isolated')
    const error = await rejection(fetch(target))
    expect(error).toMatchObject({ kind: 'isolated', code: 'ERR_STEADFETCH_REFUSED_ISOLATED', retryAfterMs: undefined })
    breaker.close()
    breaker.close()
    expect(await result(fetch(target))).toBe(200)
    expect(sent).toHaveLength(1)
    expect(changes).toEqual([
      { origin: 'https://api.test', from: 'closed', to: 'isolated', openMs: Infinity },
      { origin: 'https://api.test', from: 'isolated', to: 'closed', openMs: 0 },
    ])
  })

  test('shows half-open once the open time has passed, although no call has come', async () => {
    const { fetch, clock, states } = guarded([broken])
    const breaker = fetch.breaker(target)
    await result(fetch(target))
    await result(fetch(target))
    expect(breaker.state).toBe('open')
    await clock.advance(1_100)
    expect(breaker.state).toBe('half-open')
    expect(states()).toEqual(['open'])
  })

  test('closes it, and forgets what has been counted', async () => {
    const { fetch, states } = guarded([broken], { ...quick, minVolume: 3 })
    for (let call = 0; call < 3; call += 1) {
      await result(fetch(target))
      await result(fetch(target))
      fetch.breaker(target).close()
    }
    expect(states()).toEqual([])
  })

  test('refuses what is no http or https URL without showing it, and a client without a breaker', () => {
    const { fetch } = guarded([ok])
    for (const origin of ['api.test', 'ftp://user:secret@api.test/', '', 'data:,x']) {
      expect(() => fetch.breaker(origin)).toThrow(new TypeError('breaker: origin must be an http or https URL'))
    }
    expect(() => fetch.extend({ breaker: false }).breaker(target)).toThrow(TypeError)
  })
})

describe('onChange', () => {
  test('that throws fails no call, and its error is thrown on its own', async () => {
    const thrown = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => {})
    try {
      const onChange = (): void => {
        throw new Error('of the listener')
      }
      const { fetch } = guarded([broken], { ...quick, onChange })
      for (let call = 0; call < 2; call += 1) expect(await result(fetch(target))).toBe(500)
      expect(await result(fetch(target))).toBe('breaker open')
      expect(thrown).toHaveBeenCalledTimes(1)
      expect(thrown.mock.calls[0]?.[0]).toThrow('of the listener')
    } finally {
      thrown.mockRestore()
    }
  })

  test('may change the state itself', async () => {
    const { fetch, clock, sent } = clientOf([broken, broken, ok], {
      maxAttempts: 1,
      breaker: { ...quick, onChange: ({ to }) => void (to === 'half-open' && fetch.breaker(target).isolate()) },
    })
    for (let call = 0; call < 2; call += 1) await result(fetch(target))
    await clock.advance(1_100)
    expect(await result(fetch(target))).toBe('isolated')
    fetch.breaker(target).close()
    expect(await result(fetch(target))).toBe(200)
    expect(sent).toHaveLength(3)
  })
})

test('an isolated origin is remembered however many others there are', async () => {
  const { fetch } = guarded([ok])
  fetch.breaker(target).isolate()
  for (let other = 0; other < 1_500; other += 1) await result(fetch(`https://other-${other}.test/`))
  expect(await result(fetch(target))).toBe('isolated')
})
