import { describe, expect, test } from 'vitest'
import {
  accept,
  createFetch,
  fail,
  fallback,
  fetchStandard,
  follow,
  GoneError,
  isHttpError,
  NotFoundError,
  pause,
  retry,
  TooManyRequestsError,
  UnexpectedStatusError,
} from '../../src/index.ts'
import { clientOf, rejection } from '../support/client.ts'
import { reply } from '../support/scripted-transport.ts'

const target = 'https://api.test/'

describe('which policy applies', () => {
  test('a code goes before its class, and its class before the built-in table', async () => {
    const { fetch } = clientOf([reply(404)], { on: { 404: 'accept', '4xx': 'fail' } })
    expect((await fetch(target)).status).toBe(404)
    const byClass = clientOf([reply(404)], { on: { '4xx': 'accept' } })
    expect((await byClass.fetch(target)).status).toBe(404)
    const builtIn = clientOf([reply(404)])
    expect(await rejection(builtIn.fetch(target))).toBeInstanceOf(NotFoundError)
  })

  test('a call goes before its client, key by key', async () => {
    const { fetch } = clientOf([reply(404)], { on: { 404: 'accept', 410: 'accept' } })
    expect(await rejection(fetch(target, { on: { 404: fail() } }))).toBeInstanceOf(NotFoundError)
    expect((await fetch(target, { on: { 410: fail() } })).status).toBe(404)
  })

  test('extend keeps what it does not change', async () => {
    const { fetch } = clientOf([reply(404)], { on: { 404: 'accept' }, headers: { a: '1' } })
    const child = fetch.extend({ on: { 410: 'accept' }, headers: { b: '2' } })
    expect((await child(target)).status).toBe(404)
  })

  test('a failed 2xx throws too, where a policy says so', async () => {
    const { fetch } = clientOf([reply(202)], { on: { 202: 'fail' } })
    expect(await rejection(fetch(target))).toBeInstanceOf(UnexpectedStatusError)
  })

  test("errors: 'return' hands failed statuses back, after their retries", async () => {
    const { fetch, clock, sent } = clientOf([reply(503, {}, 'busy')], { errors: 'return' })
    const response = await clock.drive(fetch(target))
    expect([response.status, await response.text(), sent.length]).toEqual([503, 'busy', 3])
  })

  test('fetchStandard switches every policy off', async () => {
    const { fetch, sent, clock } = clientOf([reply(503)], fetchStandard)
    expect((await fetch(target)).status).toBe(503)
    expect(sent).toHaveLength(1)
    expect(clock.armed).toBe(0)
  })
})

describe('a policy function', () => {
  test('decides per outcome, and may take its time', async () => {
    const { fetch, sent } = clientOf([reply(410, { location: 'https://api.test/new' }), reply(200)], {
      on: { 410: async (outcome) => (outcome.response.headers.has('location') ? follow() : fail()) },
    })
    const response = await fetch(target)
    expect([response.status, response.url, response.redirected, sent.length]).toEqual([200, 'https://api.test/new', true, 2])
    const gone = clientOf([reply(410)], {
      on: { 410: (outcome) => (outcome.response.headers.has('location') ? follow() : fail()) },
    })
    expect(await rejection(gone.fetch(target))).toBeInstanceOf(GoneError)
  })

  test('that returns undefined leaves the decision to the next entry', async () => {
    const { fetch } = clientOf([reply(404)], { on: { 404: () => undefined, '4xx': 'accept' } })
    expect((await fetch(target)).status).toBe(404)
  })

  test('that throws ends the call with its error', async () => {
    const bug = new Error('bug')
    const { fetch, sent, clock } = clientOf([reply(500, {}, 'x')], {
      on: {
        500: () => {
          throw bug
        },
      },
    })
    expect(await rejection(fetch(target))).toBe(bug)
    expect(sent).toHaveLength(1)
    expect(clock.armed).toBe(0)
  })

  test('sees the attempts and a request without secrets', async () => {
    const seen: unknown[] = []
    const { fetch, clock } = clientOf([reply(500)], {
      on: {
        500: ({ attempts, request }) => {
          seen.push(attempts, request.url)
          return retry()
        },
      },
    })
    await clock.drive(rejection(fetch('https://api.test/?token=abc')))
    expect(seen).toEqual([1, 'https://api.test/?token=***', 2, 'https://api.test/?token=***', 3, 'https://api.test/?token=***'])
  })
})

describe('fallback', () => {
  test('answers with the substitute at once', async () => {
    const { fetch, sent } = clientOf([reply(503)], { on: { 503: fallback(() => Response.json(['cached'])) } })
    expect(await (await fetch(target)).json()).toEqual(['cached'])
    expect(sent).toHaveLength(1)
  })

  test('answers after its policy has given up', async () => {
    const { fetch, clock, sent } = clientOf([reply(503)], { on: { 503: fallback(new Response('cached'), { after: retry() }) } })
    expect(await (await clock.drive(fetch(target))).text()).toBe('cached')
    expect(await (await clock.drive(fetch(target))).text()).toBe('cached')
    expect(sent).toHaveLength(6)
  })

  test('is not asked when a retry succeeds', async () => {
    const { fetch, clock } = clientOf([reply(503), reply(200, {}, 'live')], {
      on: { 503: fallback(new Response('cached'), { after: retry() }) },
    })
    expect(await (await clock.drive(fetch(target))).text()).toBe('live')
  })

  test('may hand the response itself on', async () => {
    const { fetch } = clientOf([reply(404, {}, 'the page')], {
      on: { 404: fallback((outcome) => (outcome.kind === 'response' ? outcome.response : Response.error())) },
    })
    expect(await (await fetch(target)).text()).toBe('the page')
  })
})

describe('wrong options are refused when they are given', () => {
  test.each([
    [() => retry({ maxAttempts: 0 }), 'retry: maxAttempts must be a whole number of at least 1, got 0'],
    [() => retry({ maxAttempts: 1.5 }), 'maxAttempts must be a whole number'],
    [() => retry({ baseMs: Number.NaN }), 'baseMs must be a number'],
    [() => retry({ repeat: 'all' as never }), "repeat must be one of 'idempotent', 'any', got \"all\""],
    [() => retry({ retries: 3 } as never), 'retry: unknown option "retries"'],
    [() => pause({ maxHeld: -1 }), 'pause: maxHeld'],
    [() => follow({ maxHops: -1 }), 'follow: maxHops'],
    [() => follow({ allowDowngrade: 'yes' as never }), 'follow: allowDowngrade must be true or false'],
    [() => fallback('x' as never), 'fallback: the substitute must be a Response or a function'],
    [() => createFetch({ timeout: 5 } as never), 'createFetch: unknown option "timeout"'],
    [() => createFetch({ timeoutMs: 0 }), 'timeoutMs must be a number of milliseconds above 0, or false, got 0'],
    [() => createFetch({ maxAttempts: Infinity }), 'maxAttempts'],
    [() => createFetch({ errors: 'never' as never }), 'errors'],
    [() => createFetch({ baseUrl: 'v1/' }), 'baseUrl must be an absolute URL'],
    [() => createFetch({ baseUrl: 'ftp://x/' }), 'baseUrl must be an http or https URL'],
    [() => createFetch({ baseUrl: 'https://user:hunter2@x/' }), 'baseUrl must not have credentials'],
    [() => createFetch({ on: { 99: 'accept' } }), 'every key of on'],
    [() => createFetch({ on: { '6xx': 'accept' } as never }), 'every key of on'],
    [() => createFetch({ on: { 404: 'ignore' as never } }), 'on["404"] must be a policy'],
    [() => createFetch({ on: { 404: {} as never } }), 'on["404"] must be a policy'],
    [() => createFetch({ on: 5 as never }), 'on must be an object'],
    [() => createFetch({ transport: {} as never }), 'transport must be a function'],
    [() => createFetch({ dispatcher: {} as never }), 'dispatcher must be an undici Dispatcher'],
    [() => createFetch({ clock: {} as never }), 'clock.now must be a function'],
    [() => createFetch({ random: 0.5 as never }), 'random must be a function'],
    [() => createFetch({ onInformation: true as never }), 'onInformation must be a function'],
    [() => createFetch({ headers: { 'bad name': 'x' } }), 'is no field name'],
  ])('%#', (make, message) => {
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })

  test('a baseUrl error does not repeat its credentials', () => {
    expect(() => createFetch({ baseUrl: 'https://user:hunter2@x/' })).not.toThrow('hunter2')
  })

  test('options of a call are checked before anything is sent', async () => {
    const { fetch, sent } = clientOf([reply(200)])
    expect(await rejection(fetch(target, { timeoutMs: -1 }))).toBeInstanceOf(TypeError)
    expect(await rejection(fetch(target, { on: { 1000: accept() } }))).toBeInstanceOf(TypeError)
    expect(sent).toHaveLength(0)
  })

  test('a polluted Object.prototype is not read', async () => {
    const prototype = Object.prototype as Record<string, unknown>
    Object.assign(prototype, {
      maxAttempts: 9,
      404: 'accept',
      method: 'DELETE',
      headers: { evil: '1' },
      timeoutMs: 1,
      kind: 'accept',
      redirect: 'error',
      repeat: 'any',
      baseMs: 9e9,
      json: 1,
      bodiless: true,
    })
    try {
      const { fetch, sent } = clientOf([reply(429, { 'retry-after': '90' })])
      expect(await rejection(fetch(target))).toBeInstanceOf(TooManyRequestsError)
      expect(sent[0]?.init.method).toBe('GET')
      expect(Object.keys(sent[0]?.init.headers ?? {})).not.toContain('evil')
      expect(isHttpError(await rejection(clientOf([reply(404)]).fetch(target)), 404)).toBe(true)
    } finally {
      for (const key of [
        'maxAttempts',
        '404',
        'method',
        'headers',
        'timeoutMs',
        'kind',
        'redirect',
        'repeat',
        'baseMs',
        'json',
        'bodiless',
      ])
        delete prototype[key]
    }
  })
})
