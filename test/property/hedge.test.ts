import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFetch, traceOf } from '../../src/index.ts'
import { ResponseTimes } from '../../src/policy/response-times.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { runCount } from '../support/run-count.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

/** What becomes of one request, and after how many milliseconds. */
const fate = fc.record({
  afterMs: fc.integer({ min: 0, max: 300 }),
  what: fc.constantFrom('ok', 'not found', 'unavailable', 'limited', 'reset', 'never'),
})
const call = fc.record({
  startMs: fc.integer({ min: 0, max: 200 }),
  abortMs: fc.option(fc.integer({ min: 0, max: 400 }), { nil: undefined }),
})
const hedge = fc.record({
  afterMs: fc.integer({ min: 0, max: 120 }),
  maxHedges: fc.integer({ min: 1, max: 3 }),
  budgetRatio: fc.double({ min: 0, max: 1, noNaN: true }),
})

test('whatever comes of the requests, every call ends once and leaves nothing under way and nothing armed', async () => {
  await fc.assert(
    fc.asyncProperty(
      hedge,
      fc.array(fate, { minLength: 1, maxLength: 12 }),
      fc.array(call, { minLength: 1, maxLength: 8 }),
      runs,
    ),
    { numRuns: runCount(150) },
  )
})

type Value<Arbitrary> = Arbitrary extends fc.Arbitrary<infer Inner> ? Inner : never

async function runs(options: Value<typeof hedge>, fates: Value<typeof fate>[], calls: Value<typeof call>[]): Promise<void> {
  const clock = new FakeClock()
  const open = new Set<AbortSignal>()
  let sent = 0
  const transport = (_target: string, { signal }: { signal: AbortSignal }): Promise<Response> => {
    const { afterMs, what } = fates[sent % fates.length] as Value<typeof fate>
    sent += 1
    open.add(signal)
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        open.delete(signal)
        settle(what, resolve, reject)
      }
      const stop = what === 'never' ? (): void => {} : clock.after(afterMs, answer)
      signal.addEventListener('abort', () => {
        open.delete(signal)
        stop()
        reject(signal.reason)
      })
    })
  }
  const fetch = createFetch({ transport, clock, random: () => 0.5, hedge: options, attemptTimeoutMs: 250, timeoutMs: 2_000 })
  const attempts: number[] = []
  const ended = calls.map(async ({ startMs, abortMs }) => {
    const controller = new AbortController()
    await new Promise<void>((resolve) => clock.after(startMs, resolve))
    if (abortMs !== undefined) clock.after(abortMs, () => controller.abort())
    const result = await fetch('https://api.test/', { signal: controller.signal }).catch((error: unknown) => error)
    if (result instanceof Response) await result.text()
    attempts.push(traceOf(result)?.attempts.length ?? 0)
    return result
  })
  const results = await clock.drive(Promise.all(ended))
  await clock.advance(500)
  expect(results).toHaveLength(calls.length)
  expect(open.size).toBe(0)
  expect(clock.armed).toBe(0)
  expect(attempts.reduce((sum, count) => sum + count, 0)).toBe(sent)
}

function settle(what: string, resolve: (response: Response) => void, reject: (error: Error) => void): void {
  if (what === 'reset') reject(fetchFailed('ECONNRESET'))
  else if (what === 'ok') resolve(reply(200, {}, 'fine'))
  else if (what === 'limited') resolve(reply(429, { 'retry-after': '1' }))
  else resolve(reply(what === 'unavailable' ? 503 : 404))
}

test('a percentile of response times is right to within a seventh', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 500 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (times, part) => {
        const known = new ResponseTimes()
        for (const ms of times) known.add(ms)
        const exact = times.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(part * times.length - 1e-9) - 1)] as number
        expect(known.percentile(part)).toBeGreaterThanOrEqual(exact * 0.999)
        expect(known.percentile(part)).toBeLessThanOrEqual(exact * 1.151)
      },
    ),
  )
})

test('old response times are forgotten', () => {
  const known = new ResponseTimes()
  for (let time = 0; time < 5_000; time += 1) known.add(1_000)
  for (let time = 0; time < 10_000; time += 1) known.add(10)
  expect(known.percentile(0.95)).toBeLessThan(12)
})
