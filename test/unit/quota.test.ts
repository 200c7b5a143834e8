import { describe, expect, test } from 'vitest'
import type { Quota } from '../../src/http/quota-fields.ts'
import { QuotaCount, type Ticket } from '../../src/policy/quota.ts'
import { Rate } from '../../src/policy/rate.ts'
import type { RateLimitConfig } from '../../src/types/protection.ts'

const told = (more: Partial<Quota> = {}): Quota => ({
  name: 'a',
  partition: '',
  remaining: 5,
  resetMs: 10_000,
  limit: 10,
  windowMs: 60_000,
  ...more,
})
const ticket = (place: number, settledBefore = 0): Ticket => ({ place, settledBefore })

/** A quota of which the answer to the first request told at 0. */
function known(more: Partial<Quota> = {}, chance = 0): QuotaCount {
  const quota = new QuotaCount(told(more), chance)
  quota.learn(told(more), ticket(1), 1, 0)
  return quota
}
/** How many requests may go at once. */
function left(quota: QuotaCount, nowMs = 0): number {
  let ahead = 0
  while (ahead < 1_000 && quota.turnMs(nowMs, ahead) <= nowMs) ahead += 1
  return ahead
}

describe('a quota', () => {
  test('of which nothing is known yet is low, and over', () => {
    const quota = new QuotaCount(told(), 0)
    expect([quota.low, quota.endMs < 0, quota.roll(0, { taken: 0, settled: 0, answered: 0 })]).toEqual([true, true, false])
  })

  test('lets as many go as are left, and the others in the windows that follow', () => {
    const quota = known()
    expect(left(quota)).toBe(5)
    expect([5, 14, 15, 24, 25].map((ahead) => quota.turnMs(0, ahead))).toEqual([10_000, 10_000, 70_000, 70_000, 130_000])
    for (let count = 0; count < 7; count += 1) quota.take(0)
    expect([0, 9, 10].map((ahead) => quota.turnMs(0, ahead))).toEqual([10_000, 10_000, 70_000])
    quota.giveBack()
    quota.giveBack()
    quota.giveBack()
    expect(left(quota)).toBe(1)
  })

  test('is low when half of it is gone', () => {
    expect([known({ remaining: 6 }).low, known({ remaining: 5 }).low]).toEqual([false, true])
  })

  test('ends a little later for some processes than for others', () => {
    expect([known({}, 0).endMs, known({}, 1).endMs, known({}, 0.5).endMs]).toEqual([10_000, 11_000, 10_500])
    expect(known({ windowMs: 2_000 }, 1).endMs).toBe(10_100)
  })

  test('is believed to be renewed within an hour at the latest; then one request asks again', () => {
    const hour = 3_600_000
    expect(known({ resetMs: hour }).endMs).toBe(hour)
    const quota = known({ resetMs: hour + 1, windowMs: 86_400_000 })
    expect(quota.endMs).toBe(hour)
    expect(quota.roll(hour, { taken: 1, settled: 1, answered: 1 })).toBe(true)
    expect([left(quota, hour), quota.endMs]).toEqual([1, 2 * hour])
    const whole = known({ resetMs: hour })
    whole.roll(hour, { taken: 1, settled: 1, answered: 1 })
    expect(left(whole, hour)).toBe(10)
  })
})

describe('what a response tells of a quota', () => {
  test('leaves out those that were sent after it', () => {
    const quota = new QuotaCount(told(), 0)
    quota.learn(told({ remaining: 9 }), ticket(2, 1), 4, 0)
    expect(left(quota)).toBe(7)
  })

  test('may or may not have those in it that were under way: the fewest that are left count, unless more are known to be', () => {
    const quota = new QuotaCount(told(), 0)
    quota.learn(told({ remaining: 9 }), ticket(3), 4, 0)
    expect(left(quota)).toBe(6)
    const counted = known({ remaining: 9 })
    expect(left(counted)).toBe(9)
    for (let count = 0; count < 3; count += 1) counted.take(0)
    // Four were taken, of which the third is answered: seven at the most and five at the least.
    counted.learn(told({ remaining: 8 }), ticket(3, 1), 4, 0)
    expect(left(counted)).toBe(6)
    counted.learn(told({ remaining: 2 }), ticket(4, 1), 4, 0)
    expect(left(counted)).toBe(2)
  })

  test('may prove that more is left, but not that less is, where a later request has told already', () => {
    const quota = new QuotaCount(told(), 0)
    quota.learn(told({ remaining: 9 }), ticket(3), 4, 0)
    quota.learn(told({ remaining: 3 }), ticket(2), 4, 0)
    expect(left(quota)).toBe(6)
    quota.learn(told({ remaining: 9 }), ticket(2, 1), 4, 0)
    expect(left(quota)).toBe(7)
    quota.learn(told({ remaining: 9, resetMs: 5_000 }), ticket(2, 2), 4, 0)
    expect([left(quota), quota.endMs]).toEqual([8, 10_000])
  })

  test('counts as new where it is of a later window, although it is late', () => {
    const quota = new QuotaCount(told(), 0)
    quota.learn(told({ remaining: 9 }), ticket(3), 3, 0)
    quota.learn(told({ remaining: 3, resetMs: 20_000 }), ticket(2, 1), 3, 0)
    expect([left(quota), quota.endMs]).toEqual([2, 20_000])
    // The third is still the latest that is known.
    expect([quota.counts(ticket(3)), quota.counts(ticket(4))]).toEqual([false, true])
  })

  test.each([
    ['nearer than a second to what was known', 9_001, 60_000, 10_000],
    ['a second from it', 9_000, 60_000, 9_000],
    ['later, but near', 10_999, 60_000, 10_999],
    ['nearer than half of a short window', 9_501, 1_000, 10_000],
    ['half of a short window from it', 9_500, 1_000, 9_500],
  ])('of its end, %s', (_case, resetMs, windowMs, endMs) => {
    const quota = known({ windowMs })
    quota.learn(told({ windowMs, resetMs }), ticket(2), 2, 0)
    expect(quota.endMs).toBe(endMs)
  })

  test('without a limit is that it was at least one more than is left; without a window that it takes as long as is left of it', () => {
    const quota = new QuotaCount(told(), 0)
    quota.learn(told({ limit: undefined, windowMs: undefined }), ticket(1), 1, 0)
    expect([5, 10, 11].map((ahead) => quota.turnMs(0, ahead))).toEqual([10_000, 10_000, 20_000])
    quota.learn(told({ limit: undefined, windowMs: undefined, remaining: 2, resetMs: 9_500 }), ticket(2, 1), 2, 0)
    expect([2, 7, 8].map((ahead) => quota.turnMs(0, ahead))).toEqual([10_000, 10_000, 20_000])
  })

  test('is never a limit below one', () => {
    expect(known({ limit: 0, remaining: 0 }).turnMs(0, 1)).toBe(70_000)
  })
})

describe('a window that is over', () => {
  const counters = { taken: 3, settled: 3, answered: 3 }

  test('begins anew with the whole quota, and ends after its length', () => {
    const quota = known()
    expect([quota.roll(9_999, counters), left(quota, 9_999)]).toEqual([true, 5])
    expect([quota.roll(10_000, counters), left(quota, 10_000), quota.endMs]).toEqual([true, 10, 70_000])
  })

  test('ends after its length from now, where more than one has passed', () => {
    const quota = known()
    quota.roll(70_000, counters)
    expect(quota.endMs).toBe(130_000)
    const later = known()
    later.roll(69_999, counters)
    expect(later.endMs).toBe(70_000)
  })

  test('takes what is still under way for its own, but for what was sent before the last one', () => {
    const quota = known()
    quota.roll(10_000, { taken: 6, settled: 2, answered: 2 })
    expect(left(quota, 10_000)).toBe(6)
    quota.roll(70_000, { taken: 7, settled: 2, answered: 2 })
    expect(left(quota, 70_000)).toBe(9)
    quota.roll(130_000, { taken: 7, settled: 7, answered: 2 })
    expect(left(quota, 130_000)).toBe(10)
  })

  test('is forgotten where responses came in it that did not tell of it', () => {
    const quota = known()
    expect(quota.roll(10_000, counters)).toBe(true)
    expect(quota.roll(70_000, counters)).toBe(true)
    expect(quota.roll(130_000, { taken: 4, settled: 4, answered: 4 })).toBe(false)
    const telling = known()
    telling.roll(10_000, counters)
    telling.learn(told(), ticket(4, 3), 4, 20_000)
    expect(telling.roll(80_000, { taken: 4, settled: 4, answered: 4 })).toBe(true)
  })

  test('is forgotten where it has no length', () => {
    expect(known({ windowMs: 0, resetMs: 0 }).roll(0, counters)).toBe(false)
  })

  test('counts every request from its beginning', () => {
    const quota = known()
    expect(quota.counts(ticket(1))).toBe(false)
    quota.roll(10_000, counters)
    expect(quota.counts(ticket(1))).toBe(true)
  })
})

describe('the pace', () => {
  test('lets the upper half of a quota go at once, and spreads the lower half to the end of the window', () => {
    const quota = known({ remaining: 8 })
    expect([0, 2, 3, 4, 7].map((ahead) => quota.pacedTurnMs(0, ahead))).toEqual([0, 0, 0, 2_000, 8_000])
    expect([8, 17, 18].map((ahead) => quota.pacedTurnMs(0, ahead))).toEqual([10_000, 10_000, 70_000])
  })

  test('is kept by one that comes later', () => {
    const quota = known({ remaining: 4 })
    expect([0, 1, 3].map((ahead) => quota.pacedTurnMs(0, ahead))).toEqual([0, 2_500, 7_500])
    quota.take(0)
    expect([0, 1, 2].map((ahead) => quota.pacedTurnMs(0, ahead))).toEqual([2_500, 5_000, 7_500])
    expect(quota.pacedTurnMs(4_000, 0)).toBe(4_000)
    expect(quota.pacedTurnMs(4_000, 1)).toBe(6_000)
  })

  test('is not kept while more than half is left, nor beyond the end of the window', () => {
    const quota = known({ remaining: 8 })
    quota.take(0)
    expect([0, 1, 2].map((ahead) => quota.pacedTurnMs(0, ahead))).toEqual([0, 0, 0])
    expect(known({ remaining: 4 }).pacedTurnMs(11_000, 3)).toBe(11_000)
  })

  test('begins anew with each window', () => {
    const quota = known({ remaining: 4 })
    quota.take(0)
    quota.roll(10_000, { taken: 1, settled: 1, answered: 1 })
    expect([0, 5, 6].map((ahead) => quota.pacedTurnMs(10_000, ahead))).toEqual([10_000, 10_000, 22_000])
  })
})

describe('the rate of an origin', () => {
  const rate = (config: Partial<RateLimitConfig> = {}): Rate => new Rate({ windowMs: 1_000, ...config } as RateLimitConfig)
  const none = (): number => 0
  const answer = (of: Rate, nowMs: number, ...quotas: Quota[]): void => {
    of.takeHurried(nowMs)
    const sent = of.begin()
    of.settle(true)
    of.learn(quotas, sent, nowMs, none)
  }

  test('is to be remembered while much of its limit, or of a quota, is gone', () => {
    expect([rate().busy, rate({ limit: 4 }).busy]).toEqual([false, false])
    const limited = rate({ limit: 4 })
    expect([limited.take(0), limited.take(0), limited.busy]).toEqual([true, true, false])
    expect([limited.take(0), limited.busy]).toEqual([true, true])
    const told6 = rate()
    answer(told6, 0, told({ remaining: 6 }))
    expect(told6.busy).toBe(false)
    answer(told6, 0, told({ remaining: 5 }))
    expect(told6.busy).toBe(true)
  })

  test('gives back what was not sent, to its limit and to its quotas', () => {
    const one = rate({ limit: 4 })
    answer(one, 0, told({ remaining: 3 }))
    expect(one.takeHurried(0)).toBe(true)
    expect(one.takeHurried(0)).toBe(true)
    expect(one.takeHurried(0)).toBe(true)
    expect(one.takeHurried(0)).toBe(false)
    one.refused()
    expect([one.takeHurried(0), one.takeHurried(0)]).toEqual([true, false])
    one.giveBack()
    expect([one.takeHurried(0), one.takeHurried(0)]).toEqual([true, false])
    const unlimited = rate()
    answer(unlimited, 0, told({ remaining: 1 }))
    expect([unlimited.takeHurried(0), unlimited.takeHurried(0)]).toEqual([true, false])
    unlimited.refused()
    expect([unlimited.takeHurried(0), unlimited.takeHurried(0)]).toEqual([true, false])
  })

  test('lets those go that are in a hurry, as many as were told, and the others at their pace', () => {
    const one = rate()
    answer(one, 0, told({ remaining: 5 }))
    expect([one.take(0), one.take(0)]).toEqual([true, false])
    one.hurry(2)
    expect([one.pacedTurnMs(0, 0), one.pacedTurnMs(0, 1)]).toEqual([0, 0])
    expect(one.pacedTurnMs(0, 2)).toBeGreaterThan(0)
    expect([one.take(0), one.take(0), one.take(0)]).toEqual([true, true, false])
  })

  test('pays for a request in one partition: in the others it is given back', () => {
    const one = rate()
    answer(one, 0, told({ partition: 'x', remaining: 3 }))
    answer(one, 0, told({ partition: 'y', remaining: 3 }))
    // Three are left in each, for the second was one of y.
    expect([one.takeHurried(0), one.takeHurried(0), one.takeHurried(0), one.takeHurried(0)]).toEqual([true, true, true, false])
    const other = rate()
    answer(other, 0, told({ name: 'x', remaining: 3 }))
    answer(other, 0, told({ name: 'y', remaining: 3 }))
    expect([other.takeHurried(0), other.takeHurried(0), other.takeHurried(0)]).toEqual([true, true, false])
  })

  test('remembers 32 quotas, the latest', () => {
    const one = rate()
    answer(one, 0, told({ name: 'first', remaining: 0 }))
    for (let count = 0; count < 31; count += 1) answer(one, 0, told({ name: `${count}`, remaining: 9 }))
    expect(one.turnMs(0, 0)).toBe(10_000)
    answer(one, 0, told({ name: 'last', remaining: 9 }))
    expect(one.turnMs(0, 0)).toBe(0)
  })

  test('forgets a quota whose window is over, and that is told of no more, and keeps the others', () => {
    const one = rate()
    answer(one, 0, told({ name: 'short', remaining: 0, windowMs: 1_000, resetMs: 1_000 }), told({ name: 'long', remaining: 0 }))
    expect(one.turnMs(0, 0)).toBe(10_000)
    answer(one, 10_000)
    expect(one.turnMs(11_000, 20)).toBe(130_000)
  })
})
