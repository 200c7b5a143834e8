import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFetch, parseChallenges, refresh, type TransportInit, traceOf, UnauthorizedError } from '../../src/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { runCount } from '../support/run-count.ts'

const ms = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max })
const call = fc.record({
  startMs: ms(300),
  thereMs: ms(40),
  backMs: ms(40),
  /** Milliseconds after which the caller goes away. */
  leavesMs: fc.option(ms(100), { nil: undefined }),
  post: fc.boolean(),
})

test('whatever comes when, nobody refreshes twice for one expiry, and no call is replayed twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        calls: fc.array(call, { minLength: 1, maxLength: 20 }),
        expiriesMs: fc.array(ms(400), { maxLength: 5 }),
        sourceMs: fc.array(ms(60), { minLength: 1, maxLength: 5 }),
        eager: fc.boolean(),
      }),
      async ({ calls, expiriesMs, sourceMs, eager }) => {
        const clock = new FakeClock()
        const at = (waitMs: number): Promise<void> => new Promise((resolve) => clock.after(waitMs, resolve))
        let generation = 1
        for (const expiryMs of expiriesMs) {
          clock.after(expiryMs, () => {
            generation += 1
          })
        }
        const given: { token: string; atMs: number }[] = []
        let asked = 0
        let asking = 0
        const source = async (): Promise<{ authorization: string }> => {
          asking += 1
          expect(asking).toBe(1)
          await at(sourceMs[asked % sourceMs.length] as number)
          asked += 1
          asking -= 1
          given.push({ token: String(generation), atMs: clock.now() })
          return { authorization: String(generation) }
        }
        const sent = new Map<string, number>()
        const transport = async (target: string, { headers }: TransportInit): Promise<Response> => {
          const { authorization } = headers
          sent.set(target, (sent.get(target) ?? 0) + 1)
          // What was known before this moment is what it is sent with; what comes in it may be.
          const before = given.filter(({ atMs }) => atMs < clock.now()).at(-1)?.token
          expect([before, ...given.filter(({ atMs }) => atMs === clock.now()).map(({ token }) => token)]).toContain(authorization)
          const { thereMs, backMs } = calls[Number(new URL(target).pathname.slice(1))] as (typeof calls)[number]
          await at(thereMs)
          const isGood = authorization === String(generation)
          await at(backMs)
          return new Response(null, { status: isGood ? 204 : 401 })
        }
        const fetch = createFetch({ clock, transport, on: { 401: refresh(source, { eager }) }, maxAttempts: 1 })
        const results = calls.map(async ({ startMs, leavesMs, post }, index) => {
          await at(startMs)
          const controller = new AbortController()
          if (leavesMs !== undefined) clock.after(leavesMs, () => controller.abort('left'))
          const init = { method: post ? 'POST' : 'GET', signal: controller.signal }
          return fetch(`https://a.test/${index}`, init).catch((error: unknown) => error)
        })
        for (const result of await clock.drive(Promise.all(results))) {
          if (result === 'left') continue
          if (result instanceof Response) expect(result.status).toBe(204)
          // It was refused a second time: the credentials expired in between.
          else expect([result instanceof UnauthorizedError, expiriesMs.length > 0]).toEqual([true, true])
          expect(traceOf(result)?.attempts.length).toBeLessThanOrEqual(2)
        }
        for (const count of sent.values()) expect(count).toBeLessThanOrEqual(2)
        expect(asked).toBeLessThanOrEqual(generation)
        await clock.advance(1_000)
        sent.clear()
        expect((await clock.drive(fetch('https://a.test/0'))).status).toBe(204)
        expect(asked).toBeLessThanOrEqual(generation)
        expect([clock.armed, asking]).toEqual([0, 0])
      },
    ),
    { numRuns: runCount(300) },
  )
}, 60_000)

test('challenges are read as they were written', () => {
  const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8}$/)
  const value = fc.string({ maxLength: 12, unit: fc.constantFrom(...'ab0 ,="\\;/~') })
  const challenge = fc.record({
    scheme: token,
    params: fc.dictionary(
      token.map((name) => name.toLowerCase()),
      value,
      { minKeys: 1, maxKeys: 4, noNullPrototype: true },
    ),
    token68: fc.option(fc.stringMatching(/^[0-9A-Za-z\-._~+/]{1,8}={0,2}$/), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(challenge, { maxLength: 5 }), (challenges) => {
      const field = challenges.map(({ scheme, params, token68 }) => {
        const written = Object.entries(params).map(([name, text]) => `${name}="${text.replace(/[\\"]/g, '\\$&')}"`)
        return `${scheme} ${token68 ?? written.join(', ')}`
      })
      const read = parseChallenges(field.join(', '))
      expect(read.map(({ scheme, token68, params }) => [scheme, token68, Object.entries(params)])).toEqual(
        challenges.map(({ scheme, params, token68 }) => [
          scheme.toLowerCase(),
          token68,
          token68 === undefined ? Object.entries(params) : [],
        ]),
      )
    }),
    { numRuns: runCount(1_000) },
  )
})

test('no field of challenges is too odd to be read', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60, unit: fc.constantFrom(...'ab=, \t"\\/~é') }), (field) => {
      for (const { scheme, params } of parseChallenges(field))
        expect([scheme.length > 0, typeof params]).toEqual([true, 'object'])
    }),
    { numRuns: runCount(2_000) },
  )
})
