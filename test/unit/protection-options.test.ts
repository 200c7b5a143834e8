import { describe, expect, test } from 'vitest'
import { type ClientOptions, createFetch, fetchStandard } from '../../src/index.ts'
import { clientOf, rejection } from '../support/client.ts'
import { reply } from '../support/scripted-transport.ts'

const target = 'https://api.test/'

describe('an option that protects', () => {
  test.each<[string, unknown, string]>([
    ['breaker', { failureRatio: 1.5 }, 'createFetch: breaker: failureRatio must be a number from 0 to 1, got 1.5'],
    ['breaker', { minVolume: 0 }, 'breaker: minVolume must be a whole number of at least 1, got 0'],
    ['breaker', { consecutiveFailures: true }, 'breaker: consecutiveFailures must be a whole number of at least 1, got true'],
    ['breaker', { onChange: 'log' }, 'breaker: onChange must be a function, got "log"'],
    ['breaker', 'on', 'breaker must be true, false or an object, got "on"'],
    ['throttle', { maxRatio: -0.1 }, 'throttle: maxRatio must be a number from 0 to 1, got -0.1'],
    ['throttle', { multiplier: Number.NaN }, 'throttle: multiplier must be a number of at least 1, got NaN'],
    ['concurrency', 0, 'concurrency: limit must be a whole number of at least 1, got 0'],
    ['concurrency', { limit: 'auto' }, 'concurrency: limit must be a whole number of at least 1, got "auto"'],
    ['concurrency', { minLimit: 5, maxLimit: 4 }, 'concurrency: minLimit must be at most maxLimit, 4, got 5'],
    ['concurrency', { maxQueueMs: 0 }, 'concurrency: maxQueueMs must be a number of at least 1, got 0'],
    ['rateLimit', { limit: 0.5 }, 'rateLimit: limit must be a whole number of at least 1, got 0.5'],
    ['rateLimit', { followServer: 1 }, 'rateLimit: followServer must be true or false, got 1'],
    ['rateLimit', { burst: 5 }, 'rateLimit: burst needs a limit'],
    ['hedge', [], 'hedge must be true, false or an object'],
    ['rateLimit', 50, 'rateLimit must be true, false or an object, got 50'],
    ['hedge', { afterMs: -1 }, 'hedge: afterMs must be a number of at least 0, got -1'],
    ['hedge', { maxHedges: 1.5 }, 'hedge: maxHedges must be a whole number of at least 1, got 1.5'],
    ['hedge', { delay: 5 }, 'hedge: unknown option "delay"; known are afterMs, percentile, initialMs, maxHedges, budgetRatio'],
    ['endpoints', [], 'endpoints.origins must be a list of origins that is not empty'],
    ['endpoints', ['https://a.test/v1'], 'must be an http or https origin without a path, got "https://a.test/v1"'],
    ['endpoints', ['ftp://a.test'], 'must be an http or https origin without a path'],
    ['endpoints', ['https://a.test', 'https://A.test:443'], 'endpoints.origins names an origin twice'],
    [
      'endpoints',
      { origins: ['https://a.test'], ejectAfter: 0 },
      'endpoints: ejectAfter must be a whole number of at least 1, got 0',
    ],
    ['endpoints', ['http://a.test:25'], 'endpoints.origins has the forbidden port 25'],
  ])('%s: refuses %j', (name, value, message) => {
    expect(() => createFetch({ [name]: value } as ClientOptions)).toThrow(message)
    expect(() => createFetch({ [name]: value } as ClientOptions)).toThrow(TypeError)
  })

  test('shows no credentials of an endpoint in its error', () => {
    const refused = (): unknown => createFetch({ endpoints: ['https://user:secret@a.test'] })
    expect(refused).toThrow('endpoints.origins must not have credentials in them')
    expect(refused).not.toThrow(/secret/)
  })

  test('is one of a client, and refused in a call', async () => {
    const { fetch, sent } = clientOf([reply(200)])
    const error = await rejection(fetch(target, { retryBudget: false } as never))
    expect(error).toEqual(new TypeError('fetch: retryBudget is an option of a client; use extend({ retryBudget })'))
    expect(sent).toHaveLength(0)
    expect(() => fetch.breaker(target)).toThrow('the client has none')
  })

  test('is inherited by a child with its state; one of its own has a state of its own, and false has none', async () => {
    const { fetch, clock } = clientOf([reply(503)], { breaker: { consecutiveFailures: 1 }, maxAttempts: 1 })
    const child = fetch.extend({ headers: { 'x-child': '1' } })
    const own = fetch.extend({ breaker: { consecutiveFailures: 1 } })
    const none = fetch.extend({ breaker: false })
    await clock.drive(rejection(fetch(target)))
    expect([fetch, child, own].map((api) => api.breaker(target).state)).toEqual(['open', 'open', 'closed'])
    expect(() => none.breaker(target)).toThrow('the client has none')
    expect(await clock.drive(rejection(none(target)))).toMatchObject({ status: 503 })
  })

  test('undefined means the default, or what the parent has', () => {
    const fetch = createFetch({ breaker: { openMs: 5, probes: undefined } as never })
    expect(fetch.extend({ breaker: undefined } as never).breaker(target).state).toBe('closed')
  })

  test('is read as its own property: a polluted Object.prototype has no say', () => {
    Object.defineProperty(Object.prototype, 'breaker', { value: 5, configurable: true, writable: true })
    Object.defineProperty(Object.prototype, 'capacity', { value: -1, configurable: true, writable: true })
    try {
      expect(() => createFetch({ retryBudget: {} })).not.toThrow()
    } finally {
      Reflect.deleteProperty(Object.prototype, 'breaker')
      Reflect.deleteProperty(Object.prototype, 'capacity')
    }
  })

  test('is off in fetchStandard, the retry budget included', async () => {
    const { fetch, sent } = clientOf([reply(503)], { ...fetchStandard, clock: undefined, random: undefined } as never)
    for (let call = 0; call < 30; call += 1) expect((await fetch(target)).status).toBe(503)
    expect(sent).toHaveLength(30)
  })
})
