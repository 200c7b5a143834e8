import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ClientOptions, createFetch, fail } from '../../src/index.ts'
import { AdaptiveLimit } from '../../src/policy/adaptive-limit.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { HeldTransport } from '../support/held-transport.ts'
import { runCount } from '../support/run-count.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('call' as const), calls: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      who: fc.nat(20),
      how: fc.constantFrom('ok', 'unread', '404', '500', '503', 'reset', 'bug', 'thrown by the policy'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('abort' as const), who: fc.nat(40), turns: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(800) }) },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** What is done to a client, and what must be true of it all the while. */
class Trial {
  readonly clock = new FakeClock()
  readonly transport = new HeldTransport(this.clock.now)
  readonly #controllers: AbortController[] = []
  readonly #outcomes: Promise<unknown>[] = []
  readonly #fetch: ReturnType<typeof createFetch>

  constructor(concurrency: ClientOptions['concurrency']) {
    this.#fetch = createFetch({
      transport: this.transport.send,
      clock: this.clock,
      random: () => 0.5,
      maxAttempts: 1,
      timeoutMs: 2_000,
      attemptTimeoutMs: 1_000,
      on: {
        503: fail(),
        418: () => {
          throw new RangeError('mine')
        },
      },
      ...(concurrency === undefined ? {} : { concurrency }),
    })
  }

  get calls(): number {
    return this.#outcomes.length
  }

  async take(next: Step): Promise<void> {
    if (next.kind === 'advance') return this.clock.advance(next.ms)
    if (next.kind === 'call') {
      for (let call = 0; call < next.calls; call += 1) this.#call()
    } else if (next.kind === 'end') void this.#end(next.who, next.how)
    else await this.#abort(next.who, next.turns)
    await settle()
  }

  /** Answers whatever is left, until nothing is, and lets the time limits of unread bodies pass. */
  async finish(): Promise<void> {
    for (let round = 0; round < 200 && this.transport.underWay > 0; round += 1) {
      for (const held of this.transport.sent) await held.answer()
      await this.clock.advance(1)
    }
    await Promise.all(this.#outcomes)
    await this.clock.advance(2_000)
  }

  #call(): void {
    const controller = new AbortController()
    this.#controllers.push(controller)
    const path = `https://api.test/${this.#outcomes.length}`
    this.#outcomes.push(this.#fetch(path, { signal: controller.signal }).catch(() => {}))
  }

  #end(who: number, how: (Step & { kind: 'end' })['how']): Promise<void> | undefined {
    const underWay = this.transport.sent.filter(({ over }) => !over)
    const held = underWay[who % Math.max(1, underWay.length)]
    if (how === 'reset') return held?.fail(fetchFailed('ECONNRESET'))
    if (how === 'bug') return held?.fail(new RangeError('a bug'))
    if (how === 'unread') return held?.answer(new Response(new ReadableStream()))
    if (how === 'ok') return held?.answer()
    return held?.answer(reply(how === 'thrown by the policy' ? 418 : Number(how)))
  }

  /** Aborts some call, and it may be that an answer is just on its way. */
  async #abort(who: number, turns: number): Promise<void> {
    void this.#end(0, 'ok')
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
    this.#controllers[who % Math.max(1, this.#controllers.length)]?.abort(new Error('enough'))
  }
}

test('whatever happens, no more requests are under way than may be, in the order of the calls, and in the end none', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(0, 2, 1_000),
      fc.array(step, { maxLength: 40 }),
      async (limit, maxQueued, steps) => {
        const trial = new Trial({ limit, maxQueued, maxQueueMs: 700 })
        for (const next of steps) {
          await trial.take(next)
          expect(trial.transport.most).toBeLessThanOrEqual(limit)
          expect(trial.transport.underWay).toBeGreaterThanOrEqual(0)
        }
        const order = trial.transport.paths.map((path) => Number(path.slice(1)))
        expect(order).toEqual([...order].sort((a, b) => a - b))
        await trial.finish()
        expect(trial.transport.underWay).toBe(0)
        // All slots are back: as many as may be are under way at once.
        const before = trial.transport.sent.length
        await trial.take({ kind: 'call', calls: 4 })
        expect(trial.transport.sent.length - before).toBe(Math.min(4, limit))
        await trial.finish()
        expect(trial.clock.armed).toBe(0)
      },
    ),
    { numRuns: runCount(150) },
  )
})

test('an adaptive limit is a whole number within its bounds whatever it is told', () => {
  const told = fc.oneof(
    fc.record({
      kind: fc.constant('answered' as const),
      tookMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
      times: fc.nat(80),
    }),
    fc.record({ kind: fc.constant('overloaded' as const), tookMs: fc.constant(0), times: fc.nat(80) }),
  )
  fc.assert(
    fc.property(
      fc.record({ initialLimit: fc.integer({ min: 1, max: 2_000 }), minLimit: fc.integer({ min: 1, max: 50 }) }),
      fc.integer({ min: 0, max: 200 }),
      fc.array(told, { maxLength: 60 }),
      fc.double({ min: 0.01, max: 1.5, noNaN: true }),
      ({ initialLimit, minLimit }, more, outcomes, use) => {
        const maxLimit = minLimit + more
        const limit = new AdaptiveLimit({ initialLimit, minLimit, maxLimit })
        let nowMs = 0
        for (const { kind, tookMs, times } of outcomes) {
          for (let outcome = 0; outcome < times; outcome += 1) {
            const busy = Math.max(1, Math.floor(use * limit.limit))
            limit.sent(busy)
            nowMs += 5
            if (kind === 'answered') limit.answered(tookMs, busy - 1, nowMs)
            else limit.overloaded(busy - 1, nowMs)
            expect(Number.isInteger(limit.limit)).toBe(true)
            expect(limit.limit).toBeGreaterThanOrEqual(minLimit)
            expect(limit.limit).toBeLessThanOrEqual(maxLimit)
          }
        }
      },
    ),
    { numRuns: runCount(200) },
  )
})

test('an adaptive limit keeps its bounds, and loses no slot, whatever happens to the calls', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const trial = new Trial({ initialLimit: 3, minLimit: 2, maxLimit: 6 })
      for (const next of steps) {
        await trial.take(next)
        expect(trial.transport.most).toBeLessThanOrEqual(6)
      }
      await trial.finish()
      expect(trial.transport.underWay).toBe(0)
      await trial.take({ kind: 'call', calls: 4 })
      expect(trial.transport.underWay).toBeGreaterThanOrEqual(2)
      await trial.finish()
      expect(trial.clock.armed).toBe(0)
    }),
    { numRuns: runCount(60) },
  )
})
