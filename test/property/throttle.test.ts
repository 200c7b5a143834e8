import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Throttle } from '../../src/policy/throttle.ts'
import { Window } from '../../src/policy/window.ts'
import { runCount } from '../support/run-count.ts'

test('a window counts what a list of all that happened would, and no more or less than its length allows', () => {
  const happening = fc.record({ afterMs: fc.nat(400), marked: fc.boolean(), clear: fc.nat(30) })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000 }), fc.array(happening, { maxLength: 100 }), (windowMs, happenings) => {
      const window = new Window(windowMs)
      const bucketOf = (ms: number): number => Math.floor(ms / (windowMs / 10))
      let nowMs = 0
      let list: { readonly atMs: number; readonly marked: boolean }[] = []
      for (const { afterMs, marked, clear } of happenings) {
        nowMs += afterMs
        window.slide(nowMs)
        if (clear === 0) {
          window.clear()
          list = []
        }
        window.count(marked, nowMs)
        list.push({ atMs: nowMs, marked })
        const kept = list.filter(({ atMs }) => bucketOf(atMs) > bucketOf(nowMs) - 10)
        expect([window.all, window.marked]).toEqual([kept.length, kept.filter((one) => one.marked).length])
        expect(window.all).toBeLessThanOrEqual(list.filter(({ atMs }) => atMs > nowMs - windowMs - 1e-6).length)
        expect(window.all).toBeGreaterThanOrEqual(list.filter(({ atMs }) => atMs >= nowMs - 0.9 * windowMs + 1e-6).length)
      }
    }),
    { numRuns: runCount(500) },
  )
})

describe('a throttle', () => {
  const options = fc.record({
    multiplier: fc.integer({ min: 10, max: 40 }).map((tenths) => tenths / 10),
    maxRatio: fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
    windowMs: fc.constantFrom(100, 30_000),
    minVolume: fc.integer({ min: 1, max: 20 }),
  })
  const event = fc.record({
    what: fc.constantFrom('accepted' as const, 'rejected' as const, 'refused' as const),
    afterMs: fc.nat(20),
  })

  test('refuses with a chance within its limits, which a success halves at least', () => {
    fc.assert(
      fc.property(options, fc.array(event, { maxLength: 200 }), (given, events) => {
        const throttle = new Throttle(given)
        let nowMs = 0
        for (const { what, afterMs } of events) {
          nowMs += afterMs
          const before = throttle.refusalRatio(nowMs)
          // Below the volume nothing is refused: the success that completes it halves what is hidden.
          const hidden = before === 0
          throttle[what](nowMs)
          const after = throttle.refusalRatio(nowMs)
          expect(after).toBeGreaterThanOrEqual(0)
          expect(after).toBeLessThanOrEqual(given.maxRatio)
          if (what === 'accepted' && !hidden) expect(after).toBeLessThanOrEqual(before / 2)
        }
      }),
      { numRuns: runCount(500) },
    )
  })

  test('refuses nothing of an origin that accepts everything', () => {
    fc.assert(
      fc.property(options, fc.array(fc.nat(50), { maxLength: 200 }), (given, gapsMs) => {
        const throttle = new Throttle(given)
        let nowMs = 0
        for (const gapMs of gapsMs) {
          nowMs += gapMs
          throttle.accepted(nowMs)
          expect(throttle.refusalRatio(nowMs)).toBe(0)
          expect(throttle.calm).toBe(true)
        }
      }),
    )
  })
})
