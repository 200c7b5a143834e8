import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ClientOptions, createFetch, type SteadInit, type TransportInit } from '../../../src/index.ts'
import { protections } from '../../../src/options/protection.ts'
import { callKeys } from '../../../src/options/resolve.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { runCount } from '../../support/run-count.ts'

const clientKeys = [
  ...callKeys,
  ...protections,
  'baseUrl',
  'headers',
  'connect',
  'cache',
  'cookies',
  'connectTimeoutMs',
  'random',
]
const initKeys = [
  ...[
    'method',
    'headers',
    'body',
    'json',
    'signal',
    'redirect',
    'integrity',
    'cache',
    'duplex',
    'mode',
    'credentials',
    'referrer',
  ],
  ...['referrerPolicy', 'window', 'priority', 'keepalive', 'dispatcher'],
]
const members = [
  ...[
    'limit',
    'maxLimit',
    'minLimit',
    'windowMs',
    'maxQueued',
    'afterMs',
    'origins',
    'capacity',
    'probes',
    'openMs',
    'store',
    'shared',
  ],
  ...[
    'kind',
    'maxAttempts',
    'baseMs',
    'capMs',
    'after',
    'source',
    'substitute',
    'intervalMs',
    'ca',
    'socketPath',
    'maxBytes',
    '503',
    '5xx',
  ],
]

/** What somebody may give by accident: of the wrong type, beyond any range, or nearly right. */
const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    false,
    0,
    -0,
    1,
    -1,
    0.5,
    2 ** 31,
    2 ** 53,
    Number.NaN,
    Infinity,
    -Infinity,
    10n,
  ),
  fc.constantFrom<unknown>(
    '',
    'a',
    '1',
    'GET',
    'get\r\nx: y',
    'retry',
    'follow',
    'throw',
    'http://a.test/',
    'ftp://a.test',
    '\u0000',
    'é',
  ),
  fc.constantFrom<unknown>(
    Symbol('s'),
    () => undefined,
    () => 'x',
    new Date(0),
    /x/,
    new Map(),
    new Set([1]),
    new Headers({ a: 'b' }),
  ),
  fc.constantFrom<unknown>(new URL('https://b.test/'), new Uint8Array(2), new AbortController().signal, Promise.resolve(1)),
  fc.integer(),
  fc.double(),
  fc.string({ unit: 'binary', maxLength: 5 }),
)
const junk: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
    { weight: 5, arbitrary: scalar },
    {
      weight: 2,
      arbitrary: fc.dictionary(fc.constantFrom(...members, '__proto__', 'constructor', 'then'), tie('value'), { maxKeys: 3 }),
    },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
  ),
})).value

const optionsOf = (keys: readonly string[]): fc.Arbitrary<Record<string, unknown>> =>
  fc.dictionary(fc.constantFrom(...keys, 'nonsense'), junk, { maxKeys: 3 })

/** The names in the message that tell what was wrong: one of those given, or that it was no object at all. */
function names(error: unknown, given: unknown): boolean {
  const { message } = error as TypeError
  const keys = typeof given === 'object' && given !== null ? Object.keys(given) : []
  return /must be an object|cannot have content/.test(message) || keys.some((key) => message.includes(key))
}

/** Made beforehand: the constructor of the platform reads from Object.prototype. */
const answer = new Response('ok')

async function called(options: object, init?: unknown): Promise<{ result: unknown; sent: [string, TransportInit][] }> {
  const clock = new FakeClock()
  const sent: [string, TransportInit][] = []
  const transport = async (target: string, given: TransportInit): Promise<Response> => {
    sent.push([target, given])
    return answer.clone()
  }
  const fetch = createFetch({ transport, clock, ...options } as ClientOptions)
  const result = await clock.drive(fetch('https://api.test/a', init as SteadInit).catch((error: unknown) => error))
  return { result, sent }
}

describe('options of any kind', () => {
  test('make a client that works, or a TypeError that names the option', async () => {
    const ends = { works: 0, fails: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ weight: 9, arbitrary: optionsOf(clientKeys) }, { weight: 1, arbitrary: junk }),
        async (options) => {
          let fetch: ReturnType<typeof createFetch>
          try {
            fetch = createFetch(options as ClientOptions)
          } catch (error) {
            ends.fails += 1
            expect(error).toBeInstanceOf(TypeError)
            expect([(error as Error).message, names(error, options)]).toEqual([(error as Error).message, true])
            return
          }
          ends.works += 1
          expect(fetch).toBeTypeOf('function')
          await fetch.close()
        },
      ),
      { numRuns: runCount(500) },
    )
    expect(Math.min(ends.works, ends.fails)).toBeGreaterThan(runCount(500) / 50)
  })

  test('of a call: it is sent, or it is a TypeError that names the member, and nothing is sent', async () => {
    const ends = { sent: 0, fails: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ weight: 9, arbitrary: optionsOf([...callKeys, ...initKeys]) }, { weight: 1, arbitrary: junk }),
        async (init) => {
          const { result, sent } = await called({}, init)
          if (result instanceof Response) {
            ends.sent += 1
            expect(sent).toHaveLength(1)
            return
          }
          ends.fails += 1
          expect(result).toBeInstanceOf(TypeError)
          expect([String(result), sent.length, names(result, init)]).toEqual([String(result), 0, true])
        },
      ),
      { numRuns: runCount(500) },
    )
    expect(Math.min(ends.sent, ends.fails)).toBeGreaterThan(runCount(500) / 50)
  })

  test('that stand on Object.prototype have no say', async () => {
    const usual = await called({ maxAttempts: 2 }, { headers: { a: 'b' } })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...clientKeys, ...initKeys, ...members), junk, async (key, value) => {
        const pollute = (): void =>
          Object.defineProperty(Object.prototype, key, { value, configurable: true, writable: true }) as never
        const client = (): ReturnType<typeof called> => called({ maxAttempts: 2 }, { headers: { a: 'b' } })
        pollute()
        let polluted: Awaited<ReturnType<typeof called>>
        try {
          polluted = await client()
        } finally {
          delete (Object.prototype as Record<string, unknown>)[key]
        }
        expect((polluted.result as Response).status).toBe(200)
        const [[target, { method, headers, body }]] = polluted.sent as [[string, TransportInit]]
        const [[usualTarget, usualInit]] = usual.sent as [[string, TransportInit]]
        expect([target, method, { ...headers }, body]).toEqual([
          usualTarget,
          usualInit.method,
          { ...usualInit.headers },
          usualInit.body,
        ])
      }),
      { numRuns: runCount(200) },
    )
  })
})
