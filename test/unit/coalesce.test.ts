import { describe, expect, test } from 'vitest'
import {
  createFetch,
  fallback,
  isHttpError,
  isNetworkError,
  isRefusedError,
  isTimeoutError,
  NetworkError,
  type SteadInit,
  TimeoutError,
  traceOf,
  withDeadline,
} from '../../src/index.ts'
import { rejection } from '../support/client.ts'
import { settle } from '../support/fake-clock.ts'
import { coalescing, Trickle } from '../support/identical.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

const target = 'https://api.test/things'

describe('identical requests at the same time', () => {
  test('are sent once, and each caller gets the whole content', async () => {
    const { fetch, clock, held } = coalescing()
    const calls = Array.from({ length: 100 }, () => fetch(target))
    await settle()
    expect(held.sent).toHaveLength(1)
    await held.sent[0]?.answer(reply(200, { 'x-a': 'b', 'content-type': 'text/plain' }, 'the content'))
    const responses = await Promise.all(calls)
    const texts = await Promise.all(responses.map((response) => response.text()))
    expect(texts).toEqual(Array.from({ length: 100 }, () => 'the content'))
    expect(new Set(responses).size).toBe(100)
    expect(
      responses.every(
        ({ status, headers, url, bodyUsed }) => status === 200 && headers.get('x-a') === 'b' && url === target && bodyUsed,
      ),
    ).toBe(true)
    expect([held.sent.length, clock.armed]).toEqual([1, 0])
  })

  test('are sent again once the content has come', async () => {
    const { fetch, held } = coalescing()
    const first = fetch(target)
    await settle()
    await held.sent[0]?.answer(reply(200, {}, 'one'))
    expect(await (await first).text()).toBe('one')
    const second = fetch(target)
    await settle()
    expect(held.sent).toHaveLength(2)
    await held.sent[1]?.answer(reply(200, {}, 'two'))
    expect(await (await second).text()).toBe('two')
  })

  test('are sent each by itself where the client does not coalesce, which is the default', async () => {
    const { clock, held } = coalescing()
    const fetch = createFetch({ transport: held.send, clock })
    const calls = [fetch(target), fetch(target)]
    await settle()
    expect(held.sent).toHaveLength(2)
    for (const request of held.sent) await request.answer(reply(200))
    await Promise.all(calls)
  })

  test('of a client and its child are the same; of one that coalesces differently, or of another client, not', async () => {
    const { fetch, held } = coalescing()
    const calls = [fetch(target), fetch.extend({ timeoutMs: 5_000, errors: 'return' })(target)]
    await settle()
    expect(held.sent).toHaveLength(1)
    calls.push(fetch.extend({ coalesce: { maxBytes: 5 } })(target), fetch.extend({ coalesce: false })(target))
    calls.push(fetch.extend({ transport: (url, init) => held.send(url, init) })(target))
    await settle()
    expect(held.sent).toHaveLength(4)
    for (const request of held.sent) await request.answer(reply(200))
    await Promise.all(calls)
  })

  const differing: readonly (readonly [what: string, one: SteadInit, other: SteadInit])[] = [
    ['fields', {}, { headers: { accept: 'text/plain' } }],
    ['credentials', { headers: { authorization: 'Bearer a' } }, { headers: { authorization: 'Bearer b' } }],
    ['a method', {}, { method: 'HEAD' }],
    ['a number of attempts', {}, { maxAttempts: 1 }],
    ['a limit of the attempt', {}, { attemptTimeoutMs: 5 }],
    ['a limit of the decoded content', {}, { maxDecodedBytes: 5 }],
    ['a policy that repeats', {}, { on: { 404: 'retry' } }],
    ['a policy that does not repeat what the table does', {}, { on: { 503: 'accept' } }],
    ['a policy that keeps a class from being repeated', { on: { '5xx': 'retry' } }, { on: { '5xx': 'fail' } }],
    ['a policy function', { on: { 404: () => 'accept' } }, { on: { 404: () => 'accept' } }],
    ['the part asked for', { headers: { range: 'bytes=0-1' } }, { headers: { range: 'bytes=0-1' } }],
    ['a cache mode no-store', { cache: 'no-store' }, { cache: 'no-store' }],
    ['a cache mode reload', { cache: 'reload' }, { cache: 'reload' }],
    ['a cache mode no-cache', { cache: 'no-cache' }, { cache: 'no-cache' }],
    ['conditions', { headers: { 'if-none-match': '"a"' } }, { headers: { 'if-none-match': '"a"' } }],
    ['a listener to 1xx', { onInformation: () => {} }, { onInformation: () => {} }],
    ['content', { method: 'QUERY', body: 'x' }, { method: 'QUERY', body: 'x' }],
    ['a method that changes something', { method: 'POST' }, { method: 'POST' }],
  ]
  test.each(differing)('are not those with %s of their own', async (_what, one, other) => {
    const { fetch, clock, held } = coalescing()
    const calls = [fetch(target, one), fetch(target, other)]
    await settle()
    expect(held.sent).toHaveLength(2)
    for (const request of held.sent) await request.answer(reply(200))
    for (const response of await Promise.all(calls)) await response.text()
    expect(clock.armed).toBe(0)
  })

  const alike: readonly (readonly [what: string, one: SteadInit, other: SteadInit])[] = [
    ['time limits', {}, { timeoutMs: 5 }],
    ['an idle limit', {}, { idleTimeoutMs: 50 }],
    ['a mode of errors', {}, { errors: 'return' }],
    ['a policy for what is not repeated anyway', {}, { on: { 404: 'accept', '2xx': 'fail' } }],
    ['the same policies in another object', { on: { 404: 'retry' } }, { on: { 404: 'retry' } }],
    ['a redirect mode', {}, { redirect: 'manual' }],
    ['an integrity', {}, { integrity: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' }],
  ]
  test.each(alike)('are those with %s of their own', async (_what, one, other) => {
    const { fetch, clock, held } = coalescing()
    const calls = Promise.allSettled([fetch(target, one), fetch(target, other)])
    await settle()
    expect(held.sent).toHaveLength(1)
    await held.sent[0]?.answer(reply(200, {}, ''))
    for (const result of await calls) if (result.status === 'fulfilled') await result.value.text()
    expect(clock.armed).toBe(0)
  })

  test('by HEAD are sent once', async () => {
    const { fetch, clock, held } = coalescing()
    const calls = [fetch(target, { method: 'HEAD' }), fetch(target, { method: 'HEAD' })]
    await settle()
    await held.sent[0]?.answer(reply(200, { 'content-length': '5' }))
    const [one, other] = await Promise.all(calls)
    expect([one?.headers.get('content-length'), other?.headers.get('content-length')]).toEqual(['5', '5'])
    expect([one?.body, other?.body]).toEqual([null, null])
    expect([held.sent.length, clock.armed]).toEqual([1, 0])
  })

  test('are redirected together', async () => {
    const { fetch, clock, held } = coalescing()
    const calls = [fetch(target), fetch(target), fetch(target, { redirect: 'manual' })]
    await settle()
    await held.sent[0]?.answer(reply(302, { location: '/elsewhere' }, 'moved'))
    await settle()
    expect(held.paths).toEqual(['/things', '/elsewhere'])
    await held.sent[1]?.answer(reply(200, {}, 'here'))
    const [one, other, manual] = (await Promise.all(calls)) as [Response, Response, Response]
    expect(await Promise.all([one.text(), other.text(), manual.text()])).toEqual(['here', 'here', 'moved'])
    expect([one.redirected, other.url, manual.status]).toEqual([true, 'https://api.test/elsewhere', 302])
    expect(traceOf(other)?.attempts.map(({ status }) => status)).toEqual([302, 200])
    expect(clock.armed).toBe(0)
  })
})

describe('calls that join later', () => {
  test('get the content from its start, while it has not come whole', async () => {
    const { fetch, clock, held } = coalescing()
    const content = new Trickle(['one '])
    const first = fetch(target)
    await settle()
    await held.sent[0]?.answer(new Response(content.stream))
    const early = (await first).text()
    const late = fetch(target)
    await settle()
    content.add('two')
    content.end()
    expect(await early).toBe('one two')
    expect(await (await late).text()).toBe('one two')
    expect([held.sent.length, clock.armed]).toEqual([1, 0])
  })

  test('send a request of their own once more has come than is kept', async () => {
    const { fetch, clock, held } = coalescing({ coalesce: { maxBytes: 10 } })
    const content = new Trickle(['0123456789', 'x'])
    const first = fetch(target)
    await settle()
    await held.sent[0]?.answer(new Response(content.stream))
    const early = (await first).text()
    await settle()
    const late = fetch(target)
    await settle()
    expect(held.sent).toHaveLength(2)
    content.end()
    await held.sent[1]?.answer(reply(200, {}, 'late'))
    expect(await early).toBe('0123456789x')
    expect(await (await late).text()).toBe('late')
    expect(clock.armed).toBe(0)
  })

  test.each([
    [200, { 'cache-control': 'no-cache' }],
    [200, { 'cache-control': 'private, max-age=0' }],
    [503, {}],
  ])('do not get a %i with %j that was there before them', async (status, fields) => {
    const { fetch, clock, held } = coalescing({ errors: 'return', maxAttempts: 1 })
    const content = new Trickle(['one'])
    const calls = [fetch(target), fetch(target)]
    await settle()
    await held.sent[0]?.answer(new Response(content.stream, { status, headers: fields }))
    expect(held.sent).toHaveLength(1)
    const late = fetch(target)
    await settle()
    expect(held.sent).toHaveLength(2)
    content.end()
    await held.sent[1]?.answer(reply(200))
    for (const response of await Promise.all(calls)) expect(await response.text()).toBe('one')
    await (await late).text()
    expect(clock.armed).toBe(0)
  })

  test('do not get what was asked for before a change', async () => {
    const { fetch, held } = coalescing()
    const before = fetch(target)
    await settle()
    const change = fetch(target, { method: 'PUT', body: 'new' })
    const during = fetch(target)
    await settle()
    expect(held.sent).toHaveLength(2)
    await held.sent[1]?.answer(reply(204))
    await change
    const after = fetch(target)
    await settle()
    expect(held.sent).toHaveLength(3)
    await held.sent[0]?.answer(reply(200, {}, 'old'))
    await held.sent[2]?.answer(reply(200, {}, 'new'))
    expect(await Promise.all([before, during, after].map(async (call) => (await call).text()))).toEqual(['old', 'old', 'new'])
  })
})

describe('a response that is for one call alone', () => {
  test.each([{ 'cache-control': 'private, no-store' }, { vary: 'accept, *' }, { 'set-cookie': 'session=1' }])(
    '%j is not given to the others: each sends one request, and later ones do not wait',
    async (fields) => {
      const { fetch, clock, held } = coalescing()
      const calls = [fetch(target), fetch(target), fetch(target)]
      await settle()
      expect(held.sent).toHaveLength(1)
      await held.sent[0]?.answer(reply(200, fields, 'a'))
      expect(held.sent).toHaveLength(3)
      calls.push(fetch(target))
      await settle()
      expect(held.sent).toHaveLength(4)
      for (const [index, request] of held.sent.entries()) if (index > 0) await request.answer(reply(200, fields, 'abcd'[index]))
      const texts = await Promise.all(calls.map(async (call) => (await call).text()))
      expect(texts).toEqual(['a', 'b', 'c', 'd'])
      expect(clock.armed).toBe(0)
      await clock.advance(60_000)
      const joined = [fetch(target), fetch(target)]
      await settle()
      expect(held.sent).toHaveLength(5)
      await held.sent[4]?.answer(reply(200, {}, 'shared'))
      expect(await Promise.all(joined.map(async (call) => (await call).text()))).toEqual(['shared', 'shared'])
    },
  )

  test('goes to one of the others when its caller has left, and is cancelled with that one', async () => {
    const { fetch, clock, held } = coalescing()
    const content = new Trickle(['x'])
    const controllers = [new AbortController(), new AbortController()]
    const [first, second] = controllers.map(({ signal }) => fetch(target, { signal })) as [Promise<Response>, Promise<Response>]
    await settle()
    controllers[0]?.abort(new Error('gone'))
    await expect(first).rejects.toThrow('gone')
    await held.sent[0]?.answer(new Response(content.stream, { headers: { 'cache-control': 'no-store' } }))
    const response = await second
    expect(held.sent).toHaveLength(1)
    const text = rejection(response.text())
    controllers[1]?.abort(new Error('gone, too'))
    expect(await text).toMatchObject({ message: 'gone, too' })
    await settle()
    expect(content.cancelled).toBeDefined()
    expect(clock.armed).toBe(0)
  })
})

describe('a caller who leaves', () => {
  test('leaves the request to the others, although it was the first', async () => {
    const { fetch, clock, held } = coalescing()
    const controller = new AbortController()
    const first = fetch(target, { signal: controller.signal })
    const second = fetch(target)
    await settle()
    controller.abort(new Error('gone'))
    await expect(first).rejects.toThrow('gone')
    expect(held.sent[0]?.init.signal.aborted).toBe(false)
    await held.sent[0]?.answer(reply(200, {}, 'content'))
    expect(await (await second).text()).toBe('content')
    expect([held.sent.length, clock.armed]).toEqual([1, 0])
  })

  test('cancels the request when it is the last one, and a later call sends a new one', async () => {
    const { fetch, clock, held } = coalescing()
    const controllers = [new AbortController(), new AbortController()]
    const calls = controllers.map(({ signal }) => rejection(fetch(target, { signal })))
    await settle()
    controllers[0]?.abort(new Error('a'))
    await settle()
    expect(held.underWay).toBe(1)
    controllers[1]?.abort(new Error('b'))
    expect(held.sent[0]?.init.signal.aborted).toBe(true)
    expect(await Promise.all(calls)).toMatchObject([{ message: 'a' }, { message: 'b' }])
    const next = fetch(target)
    await settle()
    expect(held.sent).toHaveLength(2)
    await held.sent[1]?.answer(reply(200))
    await (await next).text()
    expect([held.underWay, clock.armed]).toEqual([0, 0])
  })

  test('while the content comes leaves it to the others; the last one cancels it', async () => {
    const { fetch, clock, held } = coalescing()
    const content = new Trickle(['a'])
    const controller = new AbortController()
    const calls = [fetch(target, { signal: controller.signal }), fetch(target), fetch(target)]
    await settle()
    await held.sent[0]?.answer(new Response(content.stream))
    const [one, two, three] = (await Promise.all(calls)) as [Response, Response, Response]
    const aborted = rejection(one.text())
    const text = two.text()
    controller.abort(new Error('gone'))
    expect(await aborted).toMatchObject({ message: 'gone' })
    await three.body?.cancel()
    expect(content.cancelled).toBeUndefined()
    content.add('b')
    content.end()
    expect(await text).toBe('ab')
    const again = fetch(target)
    await settle()
    const endless = new Trickle(['a'])
    await held.sent[1]?.answer(new Response(endless.stream))
    await (await again).body?.cancel()
    await settle()
    expect(endless.cancelled).toBeDefined()
    expect(clock.armed).toBe(0)
  })

  test('that was over before it began is not sent', async () => {
    const { fetch, clock, held } = coalescing()
    await expect(fetch(target, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
    expect([held.sent.length, clock.armed]).toEqual([0, 0])
  })
})

describe('time limits', () => {
  test('are those of each call: one is over, the others go on to the longest', async () => {
    const { fetch, clock, held } = coalescing({ attemptTimeoutMs: false })
    const calls = [100, 300, 200].map((timeoutMs) => rejection(fetch(target, { timeoutMs })))
    await settle()
    await clock.advance(299)
    expect(held.underWay).toBe(1)
    await clock.advance(1)
    expect(held.underWay).toBe(0)
    const errors = (await Promise.all(calls)) as TimeoutError[]
    expect(errors.map((error) => error instanceof TimeoutError && [error.kind, error.elapsedMs, error.attempts])).toEqual([
      ['call', 100, 1],
      ['call', 300, 1],
      ['call', 200, 1],
    ])
    expect(traceOf(errors[0])).toMatchObject({
      totalMs: 100,
      attempts: [{ error: 'ERR_STEADFETCH_TIMEOUT_CALL', durationMs: 100 }],
    })
    expect([held.sent.length, clock.armed]).toEqual([1, 0])
  })

  test('of a retry are the longest of the calls that wait for it', async () => {
    const { fetch, clock, held } = coalescing()
    const short = rejection(fetch(target, { timeoutMs: 500 }))
    const long = fetch(target, { timeoutMs: 10_000 })
    await settle()
    await held.sent[0]?.answer(reply(503, { 'retry-after': '2' }))
    await clock.advance(500)
    expect(isTimeoutError(await short)).toBe(true)
    await clock.advance(2_000)
    expect(held.sent).toHaveLength(2)
    await held.sent[1]?.answer(reply(200, {}, 'late'))
    expect(await (await long).text()).toBe('late')
    expect(clock.armed).toBe(0)
  })

  test('that a call inherits end that call, and are not those of a call within the transport', async () => {
    const { fetch, clock, held } = coalescing()
    const hurried = withDeadline(50, () => rejection(fetch(target)), { clock })
    const patient = fetch(target)
    await settle()
    await clock.advance(50)
    expect(await hurried).toMatchObject({ kind: 'deadline', elapsedMs: 50 })
    await clock.advance(100)
    await held.sent[0]?.answer(reply(200, {}, 'x'))
    expect(await (await patient).text()).toBe('x')
    expect([held.sent.length, clock.armed]).toEqual([1, 0])
  })

  test('of an attempt are told to every call with its own numbers, in an error of its own', async () => {
    const { fetch, clock } = coalescing({ attemptTimeoutMs: 100, maxAttempts: 1 })
    const first = rejection(fetch(target))
    await clock.advance(40)
    const second = rejection(fetch(target))
    await clock.advance(60)
    const errors = (await Promise.all([first, second])) as TimeoutError[]
    expect(errors.map(({ kind, elapsedMs, attempts }) => [kind, elapsedMs, attempts])).toEqual([
      ['attempt', 100, 1],
      ['attempt', 60, 1],
    ])
    expect(errors[0]).not.toBe(errors[1])
    expect(errors[1]?.message).toBe(`GET ${target} failed: the attempt took more than 100 ms (1 attempt, 60 ms)`)
    expect(errors.map((error) => error instanceof TimeoutError && error.name)).toEqual(['TimeoutError', 'TimeoutError'])
    expect(clock.armed).toBe(0)
  })

  test('of silence are those of each call', async () => {
    const { fetch, clock, held } = coalescing()
    const calls = [fetch(target, { idleTimeoutMs: 50 }), fetch(target, { idleTimeoutMs: 5_000 })]
    await settle()
    const content = new Trickle(['a'])
    await held.sent[0]?.answer(new Response(content.stream))
    const [one, other] = (await Promise.all(calls)) as [Response, Response]
    const silent = rejection(one.text())
    const text = other.text()
    await clock.advance(60)
    expect(await silent).toMatchObject({ kind: 'idle', attempts: 1 })
    content.add('b')
    content.end()
    expect(await text).toBe('ab')
    expect(clock.armed).toBe(0)
  })
})

describe('what comes of the request', () => {
  test('by failure of the network is told to each call, in an error of its own', async () => {
    const { fetch, clock, held } = coalescing({ maxAttempts: 1 })
    const calls = Array.from({ length: 3 }, () => rejection(fetch(target)))
    const plain = rejection(fetch(target, { errors: 'fetch' }))
    await settle()
    await held.sent[0]?.fail(fetchFailed('ECONNRESET'))
    const errors = (await Promise.all(calls)) as NetworkError[]
    expect(new Set(errors).size).toBe(3)
    for (const error of errors) {
      expect(error).toBeInstanceOf(NetworkError)
      expect(error).toBeInstanceOf(TypeError)
      expect(isNetworkError(error) && [error.kind, error.sent, error.code]).toEqual([
        'reset',
        'maybe',
        'ERR_STEADFETCH_NETWORK_RESET',
      ])
      expect((error.cause as Error).message).toBe('ECONNRESET')
      expect(JSON.parse(JSON.stringify(error))).toMatchObject({ name: 'NetworkError', kind: 'reset', attempts: 1 })
    }
    expect((await plain) as Error).toMatchObject({ name: 'TypeError', message: 'fetch failed' })
    expect([held.sent.length, clock.armed]).toEqual([1, 0])
  })

  test('is repeated once for all', async () => {
    const { fetch, clock, held } = coalescing()
    const calls = Array.from({ length: 10 }, () => fetch(target))
    await settle()
    await held.sent[0]?.answer(reply(503))
    await clock.advance(50)
    expect(held.sent.map(({ atMs }) => atMs)).toEqual([1_000, 1_050])
    await held.sent[1]?.answer(reply(200, {}, 'well'))
    const responses = await Promise.all(calls)
    expect(await Promise.all(responses.map((response) => response.text()))).toEqual(Array.from({ length: 10 }, () => 'well'))
    expect(responses.map((response) => traceOf(response)?.attempts.map(({ status, waitMs }) => [status, waitMs]))).toEqual(
      Array.from({ length: 10 }, () => [
        [503, 0],
        [200, 50],
      ]),
    )
    expect(clock.armed).toBe(0)
  })

  test('by a status is judged by the policies of each call', async () => {
    const { fetch, clock, held } = coalescing({ maxAttempts: 1 })
    const failed = rejection(fetch(target))
    const accepted = fetch(target, { on: { 404: 'accept' } })
    const returned = fetch(target, { errors: 'return' })
    const replaced = fetch(target, { on: { 404: fallback(new Response('instead')) } })
    await settle()
    await held.sent[0]?.answer(reply(404, { 'content-type': 'application/problem+json' }, '{"detail":"none"}'))
    const error = await failed
    expect(isHttpError(error, 404) && [error.problem?.detail, error.attempts]).toEqual(['none', 1])
    expect(await (await accepted).text()).toBe('{"detail":"none"}')
    expect(await (await returned).json()).toEqual({ detail: 'none' })
    expect(await (await replaced).text()).toBe('instead')
    expect([held.sent.length, clock.armed]).toEqual([1, 0])
  })

  test('is told to the policy function of each call, once, with a response of its own', async () => {
    const seen: Response[] = []
    const { fetch, clock, held } = coalescing({
      on: {
        404: async ({ response }) => {
          seen.push(response)
          return (await response.clone().text()) === 'soft' ? 'accept' : 'fail'
        },
      },
    })
    const calls = [fetch(target), fetch(target), fetch(target)]
    await settle()
    await held.sent[0]?.answer(reply(404, {}, 'soft'))
    expect(await Promise.all(calls.map(async (call) => (await call).text()))).toEqual(['soft', 'soft', 'soft'])
    expect([seen.length, new Set(seen).size]).toEqual([3, 3])
    expect([held.sent.length, clock.armed]).toEqual([1, 0])
  })

  test('is for one call alone when a policy function has read its content', async () => {
    const { fetch, clock, held } = coalescing({
      on: { 200: async ({ response }) => ((await response.text()) === '' ? 'fail' : 'accept') },
    })
    const calls = [fetch(target), fetch(target)]
    await settle()
    await held.sent[0]?.answer(reply(200, {}, 'a'))
    expect(held.sent).toHaveLength(2)
    await held.sent[1]?.answer(reply(200, {}, 'b'))
    expect((await Promise.all(calls)).map(({ bodyUsed }) => bodyUsed)).toEqual([true, true])
    expect(clock.armed).toBe(0)
  })

  test('by a failed body is told to each reader', async () => {
    const { fetch, clock, held } = coalescing()
    const calls = [fetch(target), fetch(target)]
    await settle()
    const content = new Trickle(['a'])
    await held.sent[0]?.answer(new Response(content.stream))
    const texts = (await Promise.all(calls)).map((response) => rejection(response.text()))
    await settle()
    const broken = new Error('broken')
    content.fail(broken)
    expect(await Promise.all(texts)).toEqual([broken, broken])
    expect(clock.armed).toBe(0)
  })

  test('by a refusal is told to each call', async () => {
    const { fetch, clock, held } = coalescing({ breaker: true })
    fetch.breaker(target).isolate()
    const errors = await Promise.all([fetch(target), fetch(target)].map(rejection))
    expect(errors.map((error) => isRefusedError(error) && error.kind)).toEqual(['isolated', 'isolated'])
    expect(errors[0]).not.toBe(errors[1])
    expect([held.sent.length, clock.armed]).toEqual([0, 0])
  })

  test('by a clock that throws ends every call with that', async () => {
    const { fetch, clock, held } = coalescing()
    const calls = [fetch(target), fetch(target)].map(rejection)
    await settle()
    const broken = new Error('out of order')
    const { now } = clock
    clock.now = () => {
      clock.now = now
      throw broken
    }
    await held.sent[0]?.answer(reply(200))
    expect(await Promise.all(calls)).toEqual([broken, broken])
    expect(clock.armed).toBe(0)
  })
})

describe('a request for several calls', () => {
  test('is hedged once for all, and each trace tells of both requests', async () => {
    const { fetch, clock, held } = coalescing({ hedge: { afterMs: 50 } })
    const calls = [fetch(target), fetch(target), fetch(target, { timeoutMs: 70 }).catch((error: unknown) => error)] as const
    await clock.advance(60)
    expect(held.sent).toHaveLength(2)
    await clock.advance(10)
    expect(await calls[2]).toMatchObject({ kind: 'call', attempts: 2 })
    expect(held.underWay).toBe(2)
    await held.sent[1]?.answer(reply(200, {}, 'hedge'))
    const responses = await Promise.all([calls[0], calls[1]])
    expect(await Promise.all(responses.map((response) => response.text()))).toEqual(['hedge', 'hedge'])
    const attempts = responses.map((response) =>
      traceOf(response)?.attempts.map(({ status, error, hedge }) => [status ?? error, hedge]),
    )
    expect(attempts[0]).toEqual([
      ['superseded', undefined],
      [200, true],
    ])
    expect(attempts[1]).toEqual(attempts[0])
    expect([held.sent.length, held.underWay, clock.armed]).toEqual([2, 0, 0])
  })

  test('tells the origin the longest of their limits', async () => {
    const { fetch, clock, held } = coalescing({ deadlineField: 'x-left', attemptTimeoutMs: false, hedge: { afterMs: 50 } })
    const calls = [fetch(target, { timeoutMs: 100 }).catch(() => {}), fetch(target, { timeoutMs: 900 })] as const
    await clock.advance(50)
    expect(held.sent.map(({ init }) => init.headers['x-left'])).toEqual(['100', '850'])
    await held.sent[1]?.answer(reply(200))
    await (await calls[1]).text()
    expect(clock.armed).toBe(0)
  })

  test('that one endpoint redirects to another by name goes there for all of them', async () => {
    const [a, b] = ['https://a.test', 'https://b.test'] as const
    const { fetch, clock, held } = coalescing({ endpoints: [a, b] })
    const calls = [fetch('/x'), fetch('/x')]
    await settle()
    const [first] = held.sent
    const other = first?.target.startsWith(a) ? b : a
    await first?.answer(reply(307, { location: `${other}/y` }))
    expect(held.sent.map(({ target: to }) => to)).toEqual([first?.target, `${other}/y`])
    await held.sent[1]?.answer(reply(200, {}, 'y'))
    expect(await Promise.all(calls.map(async (call) => (await call).text()))).toEqual(['y', 'y'])
    expect(clock.armed).toBe(0)
  })

  test('holds the other calls to the origin back once, when it is to pause', async () => {
    const { fetch, clock, held } = coalescing()
    const calls = Array.from({ length: 20 }, () => fetch(target))
    await settle()
    await held.sent[0]?.answer(reply(429, { 'retry-after': '2' }))
    await clock.advance(3_000)
    expect(held.sent).toHaveLength(2)
    await held.sent[1]?.answer(reply(200, {}, 'x'))
    expect(await Promise.all(calls.map(async (call) => (await call).text()))).toEqual(Array.from({ length: 20 }, () => 'x'))
    expect(clock.armed).toBe(0)
  })
})

describe('the trace', () => {
  test('of a call that joined says so, and has the attempts of the request', async () => {
    const { fetch, clock, held } = coalescing()
    const first = fetch(target)
    await clock.advance(30)
    const second = fetch(target)
    await clock.advance(20)
    await held.sent[0]?.answer(reply(200, {}, 'x'))
    const [one, other] = (await Promise.all([first, second])) as [Response, Response]
    expect(traceOf(one)).toEqual({
      attempts: [{ method: 'GET', url: target, status: 200, startMs: 0, durationMs: 50, waitMs: 0 }],
      redirects: [],
      totalMs: 50,
    })
    expect(traceOf(other)).toEqual({
      attempts: [{ method: 'GET', url: target, status: 200, startMs: -30, durationMs: 50, waitMs: 0 }],
      redirects: [],
      coalesced: true,
      totalMs: 20,
    })
    await Promise.all([one.text(), other.text()])
  })

  test('of the error of a call that joined says so, too', async () => {
    const { fetch, held } = coalescing({ maxAttempts: 1 })
    const calls = [fetch(target), fetch(target)].map(rejection)
    await settle()
    await held.sent[0]?.answer(reply(500))
    expect((await Promise.all(calls)).map((error) => traceOf(error)?.coalesced)).toEqual([undefined, true])
  })
})

describe('options', () => {
  test.each([
    [{ coalesce: 'yes' }, 'createFetch: coalesce must be true, false or an object, got "yes"'],
    [{ coalesce: { maxBytes: -1 } }, 'createFetch: coalesce: maxBytes must be a whole number of at least 0, got -1'],
    [{ coalesce: { maxbytes: 1 } }, 'createFetch: coalesce: unknown option "maxbytes"; known are maxBytes'],
  ])('%j are refused', (options, message) => {
    expect(() => createFetch(options as object)).toThrow(new TypeError(message))
  })

  test('of a client are refused in a call', async () => {
    await expect(createFetch()(target, { coalesce: true } as SteadInit)).rejects.toThrow('coalesce is an option of a client')
  })
})
