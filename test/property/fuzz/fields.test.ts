import fc from 'fast-check'
import { serializeList, Token } from 'structured-headers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseChallenges } from '../../../src/http/challenges.ts'
import { parseLinks } from '../../../src/http/link.ts'
import { continuation } from '../../../src/http/partial.ts'
import { quotasOf } from '../../../src/http/rate-limit.ts'
import { createFetch } from '../../../src/index.ts'
import type { Received } from '../../../src/types/exchange.ts'
import { anyField, anySpace, anyToken, hostileField, ofLength, word } from '../../support/field-grammar.ts'
import { parsers } from '../../support/parsers.ts'
import { type RawOrigin, rawOrigin } from '../../support/raw-origin.ts'
import { runCount } from '../../support/run-count.ts'

const parser = fc.constantFrom(...Object.keys(parsers))

describe('whatever a field says', () => {
  test('reading it throws nothing, and gives no number that is none', () => {
    fc.assert(
      fc.property(anyField, (field) => {
        for (const [name, parse] of Object.entries(parsers)) {
          const read = JSON.stringify(parse(field), (_, part) => (typeof part === 'number' && Number.isNaN(part) ? 'NaN' : part))
          expect([name, read?.includes('"NaN"') ?? false]).toEqual([name, false])
        }
      }),
      { numRuns: runCount(300) },
    )
  })

  test('it is read in a time that grows as the field does, up to 64 KiB', () => {
    fc.assert(
      fc.property(parser, hostileField, (name, hostile) => {
        expect([name, isLinear(parsers[name] as (field: string) => unknown, (size) => ofLength(hostile, size))]).toEqual([
          name,
          true,
        ])
      }),
      { numRuns: runCount(200) },
    )
  }, 3_600_000)
})

/** Whether four times as much takes about four times as long, where it takes any time worth measuring: squares are sixteen times. */
function isLinear(parse: (field: string) => unknown, make: (size: number) => string): boolean {
  const [short, long] = [make(16_384), make(65_536)]
  if (millisecondsOf(parse, long) < 20) return true
  for (let trial = 0; trial < 5; trial += 1) {
    const [few, many] = [short, long].map((field) => Math.min(...[1, 2, 3].map(() => millisecondsOf(parse, field))))
    // It may have been the machine that took its time.
    if ((many as number) < 20 || (many as number) < 8 * (few as number)) return true
  }
  return false
}

function millisecondsOf(parse: (field: string) => unknown, field: string): number {
  const startMs = performance.now()
  parse(field)
  return performance.now() - startMs
}

describe('what is well-formed is read back as it was meant', () => {
  test('links', () => {
    const relation = fc.constantFrom('next', 'prev', 'PRELOAD', 'https://rel.test/a')
    const params = fc.uniqueArray(fc.tuple(anyToken, fc.option(word), anySpace, anySpace), {
      selector: ([name]) => name.toLowerCase(),
      maxLength: 3,
    })
    const link = fc.record({
      path: fc.constantFrom('/', '/a', '/a,b;c', '/"x"', '?q=1', 'https://other.test/x'),
      rel: relation,
      // Names that end with an asterisk have a syntax of their own; quotes and angle brackets end a token in this field.
      params: params.map((list) => list.filter(([name]) => !/\*$|^rel$|^as$/i.test(name))),
    })
    fc.assert(
      fc.property(fc.array(link, { maxLength: 4 }), (links) => {
        const field = links
          .map(({ path, rel, params: list }) => {
            const written = list.map(
              ([name, value, before, after]) => `;${before}${name}${value === null ? '' : `=${value.written}`}${after}`,
            )
            return `<${path}>; rel="${rel}"${written.join('')}`
          })
          .join(', ')
        const meant = links.map(({ path, rel, params: list }) => ({
          target: new URL(path, 'https://api.test/').href,
          rel: [rel.toLowerCase()],
          as: undefined,
          params: Object.fromEntries(list.map(([name, value]) => [name.toLowerCase(), value?.value ?? ''])),
        }))
        expect(parseLinks(field, 'https://api.test/')).toEqual(
          meant.map((one) => ({ ...one, params: { __proto__: null, ...one.params } })),
        )
      }),
      { numRuns: runCount(300) },
    )
  })

  test('challenges', () => {
    const token68 = fc.constantFrom('YQ==', 'abc', 'a.b-c_d~e+f/g=', '0')
    const params = fc.uniqueArray(fc.tuple(anyToken, word, anySpace, anySpace), {
      selector: ([name]) => name.toLowerCase(),
      minLength: 1,
      maxLength: 3,
    })
    const challenge = fc.record({ scheme: anyToken, more: fc.oneof(token68, params, fc.constant(undefined)) })
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 3 }), (challenges) => {
        const field = challenges
          .map(({ scheme, more }) => {
            if (more === undefined || typeof more === 'string') return more === undefined ? scheme : `${scheme} ${more}`
            return `${scheme} ${more.map(([name, value, before, after]) => `${name}${before}=${after}${value.written}`).join(', ')}`
          })
          .join(', ')
        const meant = challenges.map(({ scheme, more }) => {
          const own = { scheme: scheme.toLowerCase(), ...(typeof more === 'string' ? { token68: more } : {}) }
          const list = typeof more === 'object' ? more.map(([name, value]) => [name.toLowerCase(), value.value]) : []
          return { ...own, params: { __proto__: null, ...Object.fromEntries(list) } }
        })
        expect(parseChallenges(field)).toEqual(meant)
      }),
      { numRuns: runCount(300) },
    )
  })

  test('quotas of RateLimit', () => {
    const quota = fc.record({
      name: fc.string({ unit: fc.constantFrom(...'ab" \\;,'), minLength: 1, maxLength: 6 }),
      remaining: fc.nat({ max: 1_000_000 }),
      resetSeconds: fc.nat({ max: 100_000 }),
      limit: fc.nat({ max: 1_000_000 }),
      windowSeconds: fc.integer({ min: 1, max: 100_000 }),
      token: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.uniqueArray(quota, { selector: ({ name }) => name, minLength: 1, maxLength: 4 }), (quotas) => {
        const nameOf = (name: string, token: boolean): string | Token => (token && /^[a-z]+$/.test(name) ? new Token(name) : name)
        const fields: Record<string, string> = {
          ratelimit: serializeList(
            quotas.map(({ name, remaining, resetSeconds, token }) => [
              nameOf(name, token),
              new Map([
                ['r', remaining],
                ['t', resetSeconds],
              ]),
            ]),
          ),
          'ratelimit-policy': serializeList(
            quotas.map(({ name, limit, windowSeconds, token }) => [
              nameOf(name, token),
              new Map([
                ['q', limit],
                ['w', windowSeconds],
              ]),
            ]),
          ),
        }
        const read = quotasOf({ field: (name) => fields[name] ?? null }, () => 0)
        expect(read).toEqual(
          quotas.map(({ name, remaining, resetSeconds, limit, windowSeconds }) => ({
            name,
            partition: '',
            remaining,
            resetMs: resetSeconds * 1_000,
            limit,
            windowMs: windowSeconds * 1_000,
          })),
        )
      }),
      { numRuns: runCount(300) },
    )
  })

  test('a Content-Range fits exactly where its bytes belong', () => {
    const size = fc.nat({ max: 20 })
    fc.assert(
      fc.property(size, size, fc.option(size), size, fc.option(size), (first, last, complete, taken, known) => {
        const fields: Record<string, string> = { etag: '"a"', 'content-range': `bytes ${first}-${last}/${complete ?? '*'}` }
        const received = { status: 206, field: (name: string) => fields[name] ?? null } as unknown as Received
        const found = continuation(received, { validator: '"a"', completeBytes: known ?? undefined }, taken)
        const whole = complete ?? known
        if (known !== null && complete !== null && complete !== known) expect(found).toBe('representation changed')
        else if (first !== taken || last < first || whole === null || last >= whole) expect(found).toBe('range not served')
        else expect(found).toEqual({ fromBytes: first, untilBytes: last + 1, completeBytes: whole })
      }),
      { numRuns: runCount(300) },
    )
  })
})

describe('Set-Cookie', () => {
  let server: RawOrigin
  beforeAll(async () => {
    server = await rawOrigin()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  test('each of them comes to the caller and to the jar by itself, whatever is in it', async () => {
    const value = fc.string({ unit: fc.constantFrom(...'aZ09=,;" \t\\/%:'), maxLength: 20 }).map((text) => `c=${text}`.trim())
    const kept: string[] = []
    const jar = { getCookieString: () => '', setCookie: (cookie: string) => kept.push(cookie) }
    const api = createFetch({ cookies: jar })
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 4 }), async (cookies) => {
        const lines = cookies.map((cookie) => `Set-Cookie: ${cookie}\r\n`).join('x-between: 1\r\n')
        const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${lines}content-length: 0\r\n\r\n`, 'latin1')
        server.scripts.set('/', { bytes, cuts: [], ending: 'silence' })
        kept.length = 0
        const response = await api(server.origin)
        expect([response.headers.getSetCookie(), kept]).toEqual([cookies, cookies])
      }),
      { numRuns: runCount(100) },
    )
    await api.close()
  })
})
