import { expect, test } from 'vitest'
import { createFetch, fetchStandard } from '../../src/index.ts'
import { rejection } from '../support/client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { reply } from '../support/scripted-transport.ts'

test.each([['ftp://user:hunter2@a.test'], ['https://user:hunter2@a.test:99999'], ['https://a.test/?token=hunter2']])(
  'the error for an endpoint that is none tells no secrets of it: %s',
  (origin) => {
    expect(() => createFetch({ endpoints: [origin] })).toThrow(
      /^(?!.*hunter2)createFetch: every one of endpoints\.origins must be/,
    )
  },
)

test('the error for an endpoint that is none shows it', () => {
  expect(() => createFetch({ endpoints: ['a.test'] })).toThrow('got "a.test"')
})

test('fetchStandard switches off what a client has, too', async () => {
  const transport = async (): Promise<Response> => reply(500)
  const parent = createFetch({
    transport,
    breaker: { consecutiveFailures: 1 },
    throttle: { minVolume: 1 },
    rateLimit: { limit: 1 },
  })
  const fetch = parent.extend(fetchStandard)
  for (let call = 0; call < 5; call += 1) expect((await fetch('https://api.test/x')).status).toBe(500)
})

/** A clock as a class is written: its methods need what they belong to. */
class OwnClock {
  readonly #clock = new FakeClock()

  now(): number {
    return this.#clock.now()
  }

  wallTime(): number {
    return this.#clock.wallTime()
  }

  after(ms: number, run: () => void): () => void {
    return this.#clock.after(ms, run)
  }

  drive<Value>(promise: Promise<Value>): Promise<Value> {
    return this.#clock.drive(promise)
  }
}

test('a clock may be of a class: its methods are called as such', async () => {
  const clock = new OwnClock()
  const at = (seconds: number): string => new Date(clock.wallTime() + seconds * 1_000).toUTCString()
  const fields = { 'retry-after': at(5), 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': at(5) }
  const protections = { rateLimit: true, breaker: true, endpoints: ['https://a.test'] }
  const fetch = createFetch({ clock, transport: async () => reply(500, fields), ...protections })
  expect(await rejection(clock.drive(fetch('/x')))).toMatchObject({ status: 500, attempts: 3 })
})

/** What has no text: it cannot even be shown. */
const textless = Object.create(null) as object

test.each([
  ['headers of a client', { headers: { a: textless } }, 'headers: the value of a must be a string, got object'],
  ['a list of what are no pairs', { headers: [{}] }, 'headers: every item of a list must be a pair of name and value'],
  ['a name of a field', { headers: [[textless, 'x']] }, 'headers: the name of a field must be a string, got object'],
  ['baseUrl', { baseUrl: textless }, 'createFetch: baseUrl must be a string, got object'],
  ['endpoints', { endpoints: [textless] }, 'createFetch: every one of endpoints.origins must be a string, got object'],
])('%s that have no text are told by their name', (_case, options, message) => {
  expect(() => createFetch(options as never)).toThrow(new TypeError(message))
})

test.each([
  ['method', { method: textless }, 'method must be a string, got object'],
  ['redirect', { redirect: textless }, "redirect must be one of 'follow', 'manual', 'error', got object"],
  ['integrity', { integrity: textless }, 'integrity must be a string, got object'],
  ['body', { method: 'POST', body: Symbol('s') }, 'body must be a string, got symbol'],
  ['json', { method: 'POST', json: 10n }, 'json: Do not know how to serialize a BigInt'],
  ['duplex', { duplex: 0 }, /^fetch: duplex: /],
  ['cache and mode', { cache: 'x', mode: 'cors' }, /^fetch: cache, mode: /],
])('a wrong %s of a call is told by its name, and nothing is sent', async (_member, init, message) => {
  let sent = 0
  const transport = async (): Promise<Response> => {
    sent += 1
    return new Response()
  }
  const error = (await rejection(createFetch({ transport })('https://api.test/', init as never))) as Error
  expect(error).toBeInstanceOf(TypeError)
  expect(error.message).toMatch(message)
  expect(sent).toBe(0)
})

test('what a toJSON of the caller throws is thrown as it is', async () => {
  const mistake = new RangeError('of the caller')
  const json = {
    toJSON() {
      throw mistake
    },
  }
  expect(await rejection(createFetch()('https://api.test/', { method: 'POST', json }))).toBe(mistake)
})
