import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Limits } from '../../src/limits.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { Entry } from '../support/limited.ts'
import { runCount } from '../support/run-count.ts'

const entries = 24

/** One thing done to the limits: an entry comes, or moves by so much, told or not; one leaves; time passes. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('enter' as const),
      who: fc.nat(entries - 1),
      inMs: fc.integer({ min: -20, max: 200 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('later' as const), who: fc.nat(entries - 1), byMs: fc.nat(150) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('off' as const), who: fc.nat(entries - 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), who: fc.nat(entries - 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(120) }) },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** What the limits must do, kept beside them: the moments at which each entry is due. */
class Expected {
  readonly clock = new FakeClock()
  readonly limits = new Limits(this.clock)
  readonly list: readonly Entry[] = Array.from({ length: entries }, () => new Entry(Infinity))
  readonly due: number[] = this.list.map(() => Infinity)
  readonly looks: number[][] = this.list.map(() => [])

  async take(next: Step): Promise<void> {
    if (next.kind === 'advance') return this.#advance(next.ms)
    const entry = this.list[next.who] as Entry
    if (next.kind === 'leave') {
      this.limits.leave(entry)
      this.due[next.who] = Infinity
      return
    }
    // Only what stands among the limits can move without notice.
    if (next.kind !== 'enter' && this.due[next.who] === Infinity) return
    if (next.kind === 'enter') entry.dueMs = this.clock.now() + next.inMs
    else if (next.kind === 'later') entry.dueMs += next.byMs
    else entry.dueMs = Infinity
    if (next.kind === 'enter') this.limits.enter(entry)
    this.due[next.who] = entry.dueMs
  }

  /** Every entry that is due on the way is looked at then, and stands there no longer; what is late, is at once. */
  async #advance(ms: number): Promise<void> {
    const startMs = this.clock.now()
    for (const [who, dueMs] of this.due.entries()) {
      if (dueMs > startMs + ms) continue
      this.looks[who]?.push(Math.max(dueMs, startMs))
      this.due[who] = Infinity
    }
    await this.clock.advance(ms)
  }

  check(): void {
    expect(this.list.map(({ looks }) => looks)).toEqual(this.looks)
    const standing = this.list.filter(({ place }) => place !== -1)
    expect(new Set(standing.map(({ place }) => place)).size).toBe(standing.length)
    for (const [who, dueMs] of this.due.entries()) if (dueMs < Infinity) expect(this.list[who]?.place).not.toBe(-1)
    expect(this.clock.armed).toBe(standing.length === 0 ? 0 : 1)
  }
}

test('whatever comes, moves and leaves: each is looked at when it is due, once, and one timer is armed at most', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(400), { maxLength: entries }), fc.array(step, { maxLength: 60 }), async (starts, steps) => {
      const expected = new Expected()
      for (const [who, inMs] of starts.entries()) await expected.take({ kind: 'enter', who, inMs })
      for (const next of steps) {
        await expected.take(next)
        expected.check()
      }
      await expected.take({ kind: 'advance', ms: 2_000 })
      expected.check()
      expect(expected.clock.armed).toBe(0)
    }),
    { numRuns: runCount(300) },
  )
})

test('entries that come back when they are looked at are looked at again and again, and no two at a wrong moment', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 }), async (periods) => {
      const clock = new FakeClock()
      const limits = new Limits(clock)
      const startMs = clock.now()
      const list = periods.map((period) => {
        const entry = new Entry(startMs + period)
        entry.onLook = () => {
          entry.dueMs = clock.now() + period
          limits.enter(entry)
        }
        limits.enter(entry)
        return entry
      })
      await clock.advance(100)
      const due = periods.map((period) =>
        Array.from({ length: Math.floor(100 / period) }, (_nothing, n) => startMs + (n + 1) * period),
      )
      expect(list.map(({ looks }) => looks)).toEqual(due)
      expect(clock.armed).toBe(1)
      for (const entry of list) limits.leave(entry)
      expect(clock.armed).toBe(0)
    }),
    { numRuns: runCount(100) },
  )
})
