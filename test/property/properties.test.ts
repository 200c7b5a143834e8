import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mergeFields, noFields, recordOf } from '../../src/http/fields.ts'
import { parseHttpDate } from '../../src/http/http-date.ts'
import { encodeMultipart } from '../../src/http/multipart.ts'
import { retryAfterMs } from '../../src/http/retry-after.ts'
import { resolveTarget } from '../../src/http/target.ts'
import { accept, createFetch, fail, retry, type StatusClass, traceOf } from '../../src/index.ts'
import { decideRetry } from '../../src/policy/decide-retry.ts'
import { statusRow } from '../../src/status/table.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { runCount } from '../support/run-count.ts'
import { fetchFailed, reply, scripted } from '../support/scripted-transport.ts'

const status = fc.integer({ min: 200, max: 599 })
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const method = fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH')

describe('whatever the server answers', () => {
  const answer = fc.oneof(
    fc.record({ status, seconds: fc.option(fc.integer({ min: 0, max: 90 })) }),
    fc.constantFrom('ECONNRESET', 'ECONNREFUSED'),
  )

  test('attempts never exceed the limit, no wait is shorter than Retry-After, nothing stays armed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(answer, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 6 }),
        method,
        chance,
        async (answers, maxAttempts, verb, random) => {
          const clock = new FakeClock()
          const replies = answers.map((one) =>
            typeof one === 'string'
              ? fetchFailed(one)
              : reply(one.status, one.seconds === null ? {} : { 'retry-after': String(one.seconds) }),
          )
          const { transport, sent } = scripted(clock.now, ...replies)
          const fetch = createFetch({ transport, clock, random: () => random, maxAttempts, timeoutMs: false })
          const result = await clock.drive(fetch('https://api.test/', { method: verb }).catch((error: unknown) => error))
          expect(sent.length).toBeLessThanOrEqual(maxAttempts)
          expect(traceOf(result)?.attempts).toHaveLength(sent.length)
          for (const [index, request] of sent.entries()) {
            const before = answers[Math.min(index - 1, answers.length - 1)]
            if (index === 0 || before === undefined || typeof before === 'string' || before.seconds === null) continue
            const gapMs = request.atMs - (sent[index - 1]?.atMs ?? 0)
            expect(gapMs).toBeGreaterThanOrEqual(before.seconds * 1_000)
            expect(gapMs).toBeLessThanOrEqual(before.seconds * 1_200 + 1e-6)
          }
          expect(clock.armed).toBe(0)
        },
      ),
      { numRuns: runCount(300) },
    )
  })

  test('a request that may have been applied is sent once, unless it is idempotent or keyed', async () => {
    await fc.assert(
      fc.asyncProperty(status, fc.constantFrom('POST', 'PATCH'), async (code, verb) => {
        const clock = new FakeClock()
        const { transport, sent } = scripted(clock.now, reply(code))
        const fetch = createFetch({ transport, clock, random: () => 0 })
        await clock.drive(fetch('https://api.test/', { method: verb, body: 'x' }).catch(() => {}))
        expect(sent).toHaveLength(statusRow(code).repeat === 'any' ? 3 : 1)
      }),
      { numRuns: runCount(200) },
    )
  })

  test('many callers and pauses at once: everyone is answered, and no one arrives during a pause', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        chance,
        async (callers, seconds, pauses, random) => {
          const clock = new FakeClock()
          let openAtMs = 0
          let refusals = 0
          let early = 0
          const transport = async (): Promise<Response> => {
            if (clock.now() < openAtMs) early += 1
            if (refusals >= pauses) return new Response('ok')
            refusals += 1
            openAtMs = clock.now() + seconds * 1_000
            return reply(429, { 'retry-after': String(seconds) })
          }
          const fetch = createFetch({ transport, clock, random: () => random, timeoutMs: false, maxAttempts: 9 })
          const first = fetch('https://api.test/')
          await clock.advance(1)
          const rest = Array.from({ length: callers - 1 }, () => fetch('https://api.test/'))
          const responses = await clock.drive(Promise.all([first, ...rest]))
          expect(responses.every(({ status: code }) => code === 200)).toBe(true)
          expect(early).toBe(0)
          expect(clock.armed).toBe(0)
        },
      ),
      { numRuns: runCount(150) },
    )
  })
})

test('the decision on a repeat is total, and never waits less than was asked or longer than the deadline allows', () => {
  const wait = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined })
  fc.assert(
    fc.property(
      fc.record({
        policy: fc
          .record({
            maxAttempts: fc.integer({ min: 1, max: 9 }),
            baseMs: fc.nat(1_000),
            capMs: fc.nat(10_000),
            maxWaitMs: fc.nat(1e6),
          })
          .map(retry),
        maxAttempts: fc.integer({ min: 1, max: 9 }),
        retries: fc.nat(9),
        unsent: fc.boolean(),
        idempotent: fc.boolean(),
        repeat: fc.constantFrom('never' as const, 'idempotent' as const),
        replayable: fc.boolean(),
        retryAfterMs: wait,
        retryAfterRequired: fc.boolean(),
        forwarded: fc.boolean(),
        heldMs: fc.constant(undefined),
        remainingMs: fc.double({ min: 0, noNaN: true }),
        elsewhere: fc.boolean(),
        affordable: fc.boolean(),
        repeatedOutside: fc.boolean(),
        random: chance.map((value) => () => value),
      }),
      (facts) => {
        const verdict = decideRetry(facts)
        if (!verdict.again) return
        expect(facts.retries + 1).toBeLessThan(facts.policy.maxAttempts ?? 0)
        expect(facts.idempotent || facts.unsent).toBe(true)
        expect(facts.replayable).toBe(true)
        expect(facts.affordable && !facts.repeatedOutside && !facts.forwarded).toBe(true)
        if (!facts.elsewhere) expect(verdict.waitMs).toBeGreaterThanOrEqual(facts.retryAfterMs ?? 0)
        expect(verdict.waitMs).toBeLessThan(facts.remainingMs)
      },
    ),
    { numRuns: runCount(5_000) },
  )
})

test('policies apply to every code from 100 to 999, and the most specific wins', async () => {
  await fc.assert(
    fc.asyncProperty(status, async (code) => {
      const ofClass = `${Math.floor(code / 100)}xx` as StatusClass
      const { transport } = scripted(() => 0, reply(code, {}, [204, 205, 304].includes(code) ? null : 'x'))
      const fetch = createFetch({ transport, on: { [code]: accept(), [ofClass]: fail() } })
      expect((await fetch('https://api.test/')).status).toBe(code)
      const failing = createFetch({ transport, on: { [ofClass]: fail() } })
      await expect(failing('https://api.test/')).rejects.toMatchObject({ status: code })
    }),
    { numRuns: runCount(200) },
  )
})

test('Retry-After is never negative and never throws, whatever the field says', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.integer().map(String),
        fc.double().map(String),
        fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
      ),
      fc.nat(),
      (text, nowMs) => {
        const value = text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '')
        const waitMs = retryAfterMs({ field: (name) => (name === 'retry-after' ? value : null) }, () => nowMs)
        expect(waitMs === undefined || waitMs >= 0).toBe(true)
      },
    ),
    { numRuns: runCount(2_000) },
  )
})

test('an IMF-fixdate is read back as the time it was written from', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('0100-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
      (date) => {
        expect(parseHttpDate(date.toUTCString(), 0)).toBe(Math.floor(date.getTime() / 1_000) * 1_000)
      },
    ),
  )
})

test('fields merge as Headers do', () => {
  const name = fc.stringMatching(/^[a-zA-Z][a-zA-Z-]{0,8}$/)
  const value = fc.stringMatching(/^[!-~]{0,12}$/)
  const refused = /^(?:transfer-encoding|keep-alive|upgrade|expect|te|cookie|set-cookie)$/i
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (pairs) => {
      const list = pairs.filter(([key]) => !refused.test(key))
      expect(recordOf(mergeFields(noFields, list))).toEqual(Object.fromEntries(new Headers(list)))
    }),
  )
})

test('a form is read back by the platform as it was', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, text), { maxLength: 4 }), fc.uint8Array({ maxLength: 50 }), async (pairs, bytes) => {
      const form = new FormData()
      for (const [key, content] of pairs) form.append(key, content)
      form.append('file', new File([bytes as Uint8Array<ArrayBuffer>], 'a "b".bin', { type: 'x/y' }))
      const blob = encodeMultipart(form)
      const back = await new Response(blob, { headers: { 'content-type': blob.type } }).formData()
      const lines = (value: string): string => value.replace(/\r\n|\r|\n/g, '\r\n')
      expect([...back.keys()]).toEqual([...form.keys()].map(lines))
      expect(new Uint8Array(await (back.get('file') as File).arrayBuffer())).toEqual(bytes)
      expect(pairs.map(([, content]) => lines(content))).toEqual([...back.values()].filter((entry) => typeof entry === 'string'))
    }),
  )
})

test('a target that is not parsed is what parsing would have made of it', () => {
  const text = fc.string({ unit: fc.constantFrom(...'abZ09-._~!$&()*+,;=:@/?%#\\ \'"[]|^`<>{}ä\t'), maxLength: 24 })
  const base = new URL('https://api.test/v1/')
  resolveTarget('https://api.test/', undefined)
  fc.assert(
    fc.property(text, fc.boolean(), (rest, absolute) => {
      const target = absolute ? `https://api.test/${rest}` : rest
      const url = URL.parse(target, absolute ? undefined : base.href)
      fc.pre(url !== null && url.protocol === 'https:' && url.username === '' && url.password === '' && url.port === '')
      const { href, origin } = resolveTarget(target, absolute ? undefined : base)
      expect([href, origin]).toEqual([url?.href.split('#')[0], url?.origin])
    }),
    { numRuns: runCount(20_000) },
  )
})
