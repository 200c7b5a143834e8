import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFetch, isTimeoutError } from '../../src/index.ts'
import { Pace } from '../../src/policy/pace.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { runCount } from '../support/run-count.ts'
import { reply } from '../support/scripted-transport.ts'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('call' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      which: fc.nat(100),
      status: fc.constantFrom(200, 200, 200, 429, 429, 503, 404, 0),
      retryAfterS: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(6_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), which: fc.nat(100) }) },
)

/** Whether the call was given up: that says nothing about the origin, and the probe is passed on. */
function isCancelled(given: Response | Error): boolean {
  return given instanceof Error && !(given instanceof TypeError) && !(isTimeoutError(given) && given.kind === 'attempt')
}

/** A client whose transport answers when it is told to, and that notes what is sent while a pause is on. */
function world(random: number) {
  const clock = new FakeClock()
  const underWay = new Set<(answer: Response | Error) => void>()
  const aborts: AbortController[] = []
  const wrong: string[] = []
  let closedUntilMs = 0
  /** From the end of a pause until an answer of a request sent after it. */
  let probes: 'free' | 'due' | 'under way' = 'free'
  let pauses = 0
  const fetch = createFetch({
    clock,
    random: () => random,
    attemptTimeoutMs: 8_000,
    transport: (_target, { signal }) => {
      if (clock.now() < closedUntilMs) wrong.push(`sent at ${clock.now()}, before ${closedUntilMs}`)
      if (probes === 'under way') wrong.push('sent beside a probe')
      if (probes === 'due') probes = 'under way'
      const [probing, sentAtPause] = [probes === 'under way', pauses]
      return new Promise((resolve, reject) => {
        const finish = (given: Response | Error): void => {
          if (!underWay.delete(finish)) return
          const asked = given instanceof Error ? null : given.headers.get('retry-after')
          if (asked !== null) {
            closedUntilMs = Math.max(closedUntilMs, clock.now() + 1_000 * Number(asked))
            pauses += 1
            probes = 'due'
          } else if (probing && sentAtPause === pauses) probes = isCancelled(given) ? 'due' : 'free'
          if (given instanceof Error) reject(given)
          else resolve(given)
        }
        signal?.addEventListener('abort', () => finish(signal.reason as Error))
        underWay.add(finish)
      })
    },
  })
  const calls: Promise<unknown>[] = []
  const call = (): void => {
    const abort = new AbortController()
    aborts.push(abort)
    calls.push(fetch('https://api.test/', { signal: abort.signal }).catch((error: unknown) => error))
  }
  const answer = (which: number, status: number, retryAfterS: number | undefined): void => {
    const finish = [...underWay][which % Math.max(1, underWay.size)]
    // Without a date a pause is short, and drawn by chance; here only what the server asks for is held against it.
    const headers = (status === 429 || status === 503) && { 'retry-after': String(retryAfterS ?? 1) }
    finish?.(status === 0 ? new TypeError('fetch failed') : reply(status, headers || {}))
  }
  return {
    clock,
    wrong,
    call,
    calls,
    answer,
    underWay,
    abort: (which: number) => aborts[which % Math.max(1, aborts.length)]?.abort(),
  }
}

test('a client, whatever its calls come to, sends nothing in a pause, one probe after it, and leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(chance, fc.array(act, { maxLength: 40 }), async (random, acts) => {
      const { clock, wrong, call, calls, answer, underWay, abort } = world(random)
      for (const next of acts) {
        if (next.kind === 'call') for (let count = 0; count < next.count; count += 1) call()
        else if (next.kind === 'answer') answer(next.which, next.status, next.retryAfterS)
        else if (next.kind === 'abort') abort(next.which)
        else await clock.advance(next.ms)
        await settle()
      }
      // Every call ends by its own limit at the latest, the held ones too.
      await clock.advance(31_000)
      await Promise.all(calls)
      expect(wrong).toEqual([])
      expect(underWay.size).toBe(0)
      expect(clock.armed).toBe(0)
    }),
    { numRuns: runCount(150) },
  )
})

test('in a stretch no more is let go than the pause is worth, and what the rate gives while it lasts', () => {
  const asks = fc.array(fc.nat(400), { maxLength: 100 })
  fc.assert(
    fc.property(
      chance,
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 100, max: 20_000 }),
      asks,
      (random, sent, pausedMs, steps) => {
        const pace = new Pace()
        // So many requests a second, for 12 s: then the rate is known.
        for (let ms = 0; ms < 12_000; ms += 1_000 / sent) pace.count(ms)
        pace.guess(12_000, pausedMs)
        pace.passed()
        pace.open(12_000 + pausedMs, 12_000 + pausedMs, pausedMs)
        pace.learn(12_000 + 2 * pausedMs)
        const openMs = 12_000 + 3 * pausedMs
        pace.open(openMs, openMs, pausedMs)
        let [nowMs, gone] = [openMs, 0]
        for (const ms of steps) {
          nowMs += ms
          while (pace.take(nowMs, () => random, false)) gone += 1
          const most = Math.max(1, ((sent + 1) * pausedMs) / 1_000) + ((sent + 1) * (nowMs - openMs)) / 1_000
          expect(gone).toBeLessThanOrEqual(most + 1e-6)
          expect(pace.dueMs(nowMs)).toBeGreaterThan(nowMs)
        }
      },
    ),
    { numRuns: runCount(300) },
  )
})
