import { describe, expect, test } from 'vitest'
import { Hedging } from '../../src/policy/hedging.ts'
import { ResponseTimes } from '../../src/policy/response-times.ts'
import type { HedgeConfig } from '../../src/types/protection.ts'

const config = { percentile: 0.95, initialMs: 1_000, maxHedges: 1, budgetRatio: 0.25 } as HedgeConfig
const times = (ms: readonly number[]): ResponseTimes => {
  const known = new ResponseTimes()
  for (const one of ms) known.add(one)
  return known
}

describe('the distribution of response times', () => {
  test('is nothing while none is known', () => {
    expect([times([]).percentile(0.5), times([]).count]).toEqual([0, 0])
  })

  test.each([0, 0.3, 1])('takes %d ms for one', (ms) => {
    expect(times([ms]).percentile(1)).toBe(1)
  })

  test('tells a time that is at most 15 % above the real one, and never below it', () => {
    for (const ms of [1.1, 2, 7, 99, 1_000, 12_345, 500_000]) {
      const told = times([ms]).percentile(0.5)
      expect(told).toBeGreaterThanOrEqual(ms * 0.999)
      expect(told).toBeLessThanOrEqual(ms * 1.15)
    }
  })

  test('knows no time above some ten minutes', () => {
    expect(times([1e9]).percentile(1)).toBe(times([1e12]).percentile(1))
    expect(times([1e9]).percentile(1)).toBeGreaterThan(550_000)
    expect(times([1e9]).percentile(1)).toBeLessThan(650_000)
  })

  test('tells within which time a part of the answers came', () => {
    const known = times([...Array.from({ length: 90 }, () => 10), ...Array.from({ length: 10 }, () => 1_000)])
    expect(known.percentile(0)).toBeLessThan(12)
    expect(known.percentile(0.9)).toBeLessThan(12)
    expect(known.percentile(0.91)).toBeGreaterThanOrEqual(1_000)
    expect(known.percentile(1)).toBeLessThan(1_150)
  })

  test('forgets half of what it knows at two thousand', () => {
    const known = times(Array.from({ length: 1_999 }, () => 1))
    expect(known.count).toBe(1_999)
    known.add(1_000)
    expect(known.count).toBe(1_000)
    for (let count = 0; count < 1_000; count += 1) known.add(1_000)
    expect(known.count).toBe(1_000)
    expect(known.percentile(0.48)).toBe(1)
    expect(known.percentile(0.52)).toBeGreaterThan(900)
  })
})

describe('hedges', () => {
  test('are sent after a second, until twenty answers are known, and then after most of them have come', () => {
    const hedging = new Hedging(config)
    for (let count = 0; count < 19; count += 1) hedging.took(10)
    expect([hedging.delayMs, hedging.busy]).toEqual([1_000, false])
    hedging.took(10)
    expect(hedging.delayMs).toBeGreaterThanOrEqual(10)
    expect(hedging.delayMs).toBeLessThan(12)
    expect(hedging.busy).toBe(true)
  })

  test('are sent after a time of the caller, who knows best', () => {
    const hedging = new Hedging({ ...config, afterMs: 50 })
    for (let count = 0; count < 30; count += 1) hedging.took(10)
    expect([hedging.delayMs, hedging.busy]).toEqual([50, false])
  })

  test('are ten at once, and then what answers earn, ten at most', () => {
    const hedging = new Hedging(config)
    const taken = (): number => {
      let count = 0
      while (hedging.take()) count += 1
      return count
    }
    expect([taken(), hedging.busy]).toEqual([10, true])
    for (let count = 0; count < 3; count += 1) hedging.answered()
    expect(taken()).toBe(0)
    hedging.answered()
    expect(taken()).toBe(1)
    for (let count = 0; count < 1_000; count += 1) hedging.answered()
    expect(hedging.busy).toBe(false)
    expect(taken()).toBe(10)
  })

  test('that were not sent are given back, and no more than ten', () => {
    const hedging = new Hedging(config)
    hedging.giveBack()
    for (let count = 0; count < 10; count += 1) expect(hedging.take()).toBe(true)
    hedging.giveBack()
    expect([hedging.take(), hedging.take()]).toEqual([true, false])
  })
})
