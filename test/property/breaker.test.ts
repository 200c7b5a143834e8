import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BreakerChange, type BreakerState, createFetch, RefusedError } from '../../src/index.ts'
import { Breaker } from '../../src/policy/breaker.ts'
import type { BreakerConfig } from '../../src/types/protection.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { runCount } from '../support/run-count.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

/** A Retry-After is obeyed for so long. */
const minuteMs = 60_000

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

const config = fc.record({
  failureRatio: fc.constantFrom(0, 0.3, 0.5, 1),
  minVolume: fc.integer({ min: 1, max: 6 }),
  windowMs: fc.constantFrom(100, 1_000, 10_000),
  consecutiveFailures: fc.constantFrom(false as const, 1, 3),
  openMs: fc.integer({ min: 1, max: 500 }),
  maxOpenMs: fc.integer({ min: 1, max: 3_000 }),
  probes: fc.integer({ min: 1, max: 4 }),
})

/** One thing that happens: a call comes, an earlier one ends in some way, time passes, somebody intervenes. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'call' as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat(1_000),
      how: fc.constantFrom('well' as const, 'failing' as const, 'failing' as const, 'nothing' as const),
      askedMs: fc.option(fc.oneof(fc.nat(5_000), fc.nat(100_000)), { nil: undefined }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(700) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('by hand' as const), what: fc.constantFrom('isolate' as const, 'close' as const) }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never
type End = Extract<Step, { kind: 'end' }>

/** A call that was let through, and the stretch between two changes in which that was. */
interface Pending {
  readonly generation: number
  readonly stretch: number
}

/** What a breaker must do, told as plainly as possible, beside one that does it. */
class Expected {
  readonly config: Omit<BreakerConfig, 'onChange'>
  readonly breaker: Breaker
  readonly random: () => number
  readonly longestMs: number
  readonly changes: BreakerChange[] = []
  nowMs = 0
  state: BreakerState = 'closed'
  stretch = 0
  pending: Pending[] = []
  counted: { readonly bucket: number; readonly failed: boolean }[] = []
  streak = 0
  successes = 0
  openings = 0
  openUntilMs = 0
  latestProbeMs = 0

  constructor(given: Omit<BreakerConfig, 'onChange'>, random: () => number) {
    this.config = given
    this.random = random
    this.longestMs = Math.max(given.openMs, given.maxOpenMs)
    const onChange = (change: BreakerChange): void => void this.changes.push(change)
    this.breaker = new Breaker({ ...given, onChange }, 'https://api.test')
  }

  take(next: Step): void {
    if (next.kind === 'pass') this.nowMs += next.ms
    else if (next.kind === 'call') this.call()
    else if (next.kind === 'end') this.end(next)
    else {
      this.breaker[next.what]()
      this.become(next.what === 'close' ? 'closed' : 'isolated')
    }
    const over = this.state === 'open' && this.nowMs >= this.openUntilMs
    expect(this.breaker.state(this.nowMs)).toBe(over ? 'half-open' : this.state)
    const tellable = this.changes.map(({ from, to }) => `${from} -> ${to}`)
    expect(this.changes.at(-1)?.to ?? 'closed').toBe(this.state)
    for (const change of tellable) expect(change).not.toMatch(/^(?:(.*) -> \1|closed -> half-open)$/)
    if (this.state === 'half-open') expect(this.probing).toBeLessThanOrEqual(this.config.probes)
  }

  /** Probes under way. */
  get probing(): number {
    return this.pending.filter(({ stretch }) => stretch === this.stretch).length
  }

  call(): boolean {
    if (this.state === 'open' && this.nowMs >= this.openUntilMs) this.become('half-open')
    const full = this.state === 'half-open' && this.probing >= this.config.probes
    const lost = full && this.nowMs - this.latestProbeMs >= this.longestMs
    if (lost) this.stretch += 1
    const expected = this.state === 'closed' || (this.state === 'half-open' && (!full || lost))
    const admitted = this.breaker.admit(this.nowMs)
    expect(admitted).toBe(expected)
    if (!admitted) return false
    this.latestProbeMs = this.nowMs
    this.pending.push({ generation: this.breaker.generation, stretch: this.stretch })
    return true
  }

  end({ which, how, askedMs }: Omit<End, 'kind'>): void {
    const [ended] = this.pending.splice(which % Math.max(1, this.pending.length), 1)
    if (ended === undefined) return
    const { nowMs, random } = this
    if (how === 'well') this.breaker.succeeded(ended.generation, nowMs)
    else if (how === 'failing') this.breaker.failed(ended.generation, { nowMs, askedMs, random })
    else this.breaker.giveBack(ended.generation)
    if (ended.stretch !== this.stretch || how === 'nothing') return
    if (this.state === 'closed') this.countClosed(how === 'failing', askedMs)
    else if (how === 'failing') this.open(askedMs)
    else {
      this.successes += 1
      if (this.successes === this.config.probes) this.become('closed')
    }
  }

  countClosed(failed: boolean, askedMs: number | undefined): void {
    const bucketOf = (ms: number): number => Math.floor(ms / (this.config.windowMs / 10))
    this.counted.push({ bucket: bucketOf(this.nowMs), failed })
    this.streak = failed ? this.streak + 1 : 0
    const counted = this.counted.filter(({ bucket }) => bucket > bucketOf(this.nowMs) - 10)
    const failures = counted.filter((one) => one.failed).length
    const { minVolume, failureRatio, consecutiveFailures } = this.config
    const tooMany = counted.length >= minVolume && failures >= failureRatio * counted.length
    if (failed && (tooMany || this.streak >= (consecutiveFailures || Infinity))) this.open(askedMs)
  }

  open(askedMs = 0): void {
    const leastMs = Math.max(Math.min(this.config.openMs * 2 ** this.openings, this.longestMs), Math.min(askedMs, minuteMs))
    this.become('open')
    this.openings += 1
    const { openMs } = this.changes.at(-1) as BreakerChange
    expect(openMs).toBeGreaterThanOrEqual(leastMs)
    expect(openMs).toBeLessThanOrEqual(leastMs * 1.2 + 1e-6)
    expect(openMs).toBeGreaterThanOrEqual(this.config.openMs)
    expect(openMs).toBeLessThanOrEqual(1.2 * Math.max(this.longestMs, minuteMs) + 1e-6)
    this.openUntilMs = this.nowMs + openMs
  }

  become(state: BreakerState): void {
    this.state = state
    this.stretch += 1
    this.successes = 0
    if (state !== 'closed') return
    this.counted = []
    this.streak = 0
    this.openings = 0
  }
}

describe('a breaker, whatever is asked of it in whatever order,', () => {
  const history = fc.array(step, { maxLength: 120 })

  test('is in the state it must be in, and lets through what it must', () => {
    fc.assert(
      fc.property(config, chance, history, (given, random, steps) => {
        const expected = new Expected(given, () => random)
        for (const next of steps) expected.take(next)
      }),
      { numRuns: runCount(1_500) },
    )
  })

  test('never hangs: after its longest open time a call is let through, and enough successes close it', () => {
    fc.assert(
      fc.property(config, chance, history, fc.boolean(), (given, random, steps, comeBack) => {
        const expected = new Expected(given, () => random)
        for (const next of steps) expected.take(next)
        if (expected.state === 'isolated') expected.take({ kind: 'by hand', what: 'close' })
        // Probes that do come back say nothing; those that do not are waited for as long as it may be open.
        while (comeBack && expected.pending.length > 0) expected.end({ which: 0, how: 'nothing', askedMs: undefined })
        expected.take({ kind: 'pass', ms: 1.2 * Math.max(expected.longestMs, minuteMs) + 1 })
        for (let success = 0; success < given.probes; success += 1) {
          expect(expected.call()).toBe(true)
          expected.end({ which: expected.pending.length - 1, how: 'well', askedMs: undefined })
        }
        expect(expected.breaker.state(expected.nowMs)).toBe('closed')
      }),
      { numRuns: runCount(1_000) },
    )
  })
})

/** What a call comes to: a status, a failure of the network, its own abort, the error of the policy function for 410. */
const answer = fc.constantFrom(200, 200, 200, 404, 410, 429, 500, 503, 'ECONNRESET', 'abort')
const act = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'call' as const }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), which: fc.nat(100), answer }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(900) }) },
)

/** A client whose transport answers when it is told to, and that notes what is sent in which state. */
function world(probes: number, random: number) {
  const clock = new FakeClock()
  let state: BreakerState = 'closed'
  let stretch = 0
  const underWay = new Map<(answer: Response | Error) => void, { readonly abort: AbortController; readonly stretch: number }>()
  const wrong: string[] = []
  let abort = new AbortController()
  const fetch = createFetch({
    clock,
    random: () => random,
    maxAttempts: 1,
    timeoutMs: false,
    attemptTimeoutMs: 2_000,
    on: { 429: 'fail', 410: () => Promise.reject(new Error('of the policy function')) },
    breaker: {
      minVolume: 3,
      openMs: 500,
      maxOpenMs: 2_000,
      probes,
      onChange: ({ to }) => {
        state = to
        stretch += 1
      },
    },
    transport: (_target, { signal }) => {
      if (state === 'open') wrong.push('sent while it is open')
      const probing = [...underWay.values()].filter((one) => one.stretch === stretch).length
      if (state === 'half-open' && probing >= probes) wrong.push('more probes than there may be')
      return new Promise((resolve, reject) => {
        const finish = (given: Response | Error): void => {
          underWay.delete(finish)
          if (given instanceof Error) reject(given)
          else resolve(given)
        }
        signal?.addEventListener('abort', () => finish(signal.reason as Error))
        underWay.set(finish, { abort, stretch })
      })
    },
  })
  const call = async (): Promise<unknown> => {
    abort = new AbortController()
    return fetch('https://api.test/', { signal: abort.signal }).catch((error: unknown) => error)
  }
  const end = (which: number, given: number | string): void => {
    const [finish, { abort: own }] = [...underWay][which % underWay.size] ?? [() => {}, { abort }]
    if (given === 'abort') own.abort(new Error('aborted'))
    else finish(typeof given === 'number' ? reply(given) : fetchFailed(given))
  }
  return { clock, fetch, wrong, call, end, underWay, state: () => state }
}

test('a client, whatever its calls come to, sends nothing while its breaker is open, few probes after that, and recovers', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), chance, fc.array(act, { maxLength: 40 }), async (probes, random, acts) => {
      const { clock, fetch, wrong, call, end, underWay, state } = world(probes, random)
      for (const next of acts) {
        if (next.kind === 'call') void call()
        else if (next.kind === 'answer' && underWay.size > 0) end(next.which, next.answer)
        else if (next.kind === 'pass') await clock.advance(next.ms)
        await settle()
      }
      // Whatever is still under way ends at the limit of its attempt; then the longest open time passes.
      await clock.advance(2_000)
      await clock.advance(2_400)
      for (let success = 0; success < probes; success += 1) {
        const called = call()
        await settle()
        expect(underWay.size).toBe(1)
        end(0, 404)
        expect(await called).not.toBeInstanceOf(RefusedError)
      }
      expect([state(), fetch.breaker('https://api.test').state]).toEqual(['closed', 'closed'])
      expect(wrong).toEqual([])
      expect(clock.armed).toBe(0)
    }),
    { numRuns: runCount(80) },
  )
})
