import { describe, expect, test } from 'vitest'
import { Calls } from './calls.ts'
import { type Figures, figuresOf } from './figures.ts'
import { runJob } from './job.ts'
import type { Happened } from './world.ts'

const job = {
  scenario: 'burst',
  client: 'steadfetch',
  load: 2,
  processes: 10,
  capacity: 1,
  phases: { healthyMs: 2_000, faultMs: 5_000, afterMs: 5_000, drainMs: 10_000 },
} as const

test('the same seed gives the very same figures, another one others', async () => {
  const figures = (seed: number): Promise<Figures> => runJob({ ...job, seed }).then((result) => result.figures)
  const first = await figures(1)
  expect(await figures(1)).toEqual(first)
  expect((await figures(2)).series).not.toEqual(first.series)
})

/** A call each 100 ms for 10 s, with a fault from the second to the fourth second; `took` says how long each took. */
function happened(took: (startMs: number) => number | undefined): Happened {
  const calls = new Calls()
  for (let startMs = 0; startMs < 10_000; startMs += 100) {
    const call = calls.start(startMs)
    calls.sent(call, startMs)
    const ms = took(startMs)
    if (ms !== undefined) calls.end(call, true, startMs + ms)
  }
  return { calls, faultFromMs: 2_000, faultUntilMs: 4_000, untilMs: 10_000, measuredUntilMs: 4_000 }
}

describe('figures', () => {
  test('count the calls that started while the fault lasted', () => {
    const { calls, ...rest } = happened((startMs) => (startMs === 2_500 ? undefined : 20))
    calls.sent(21, 2_150)
    calls.sent(5, 2_150)
    expect(figuresOf({ calls, ...rest })).toMatchObject({ amplification: 21 / 20, goodput: 19 / 20, p99Ms: 20, peak: 12 })
  })

  test('take what came after 10 s for a failure', () => {
    expect(figuresOf(happened((startMs) => (startMs === 2_500 ? 10_001 : 10_000))).goodput).toBe(19 / 20)
  })

  test('find the second from which on all is well', () => {
    expect(figuresOf(happened(() => 1)).recoveryMs).toBe(0)
    expect(figuresOf(happened((startMs) => (startMs < 5_050 ? undefined : 1))).recoveryMs).toBe(2_000)
    // One of ten calls lost is too much.
    expect(figuresOf(happened((startMs) => (startMs === 7_300 ? undefined : 1))).recoveryMs).toBe(4_000)
    expect(figuresOf(happened((startMs) => (startMs === 9_900 ? undefined : 1))).recoveryMs).toBeNull()
  })
})
