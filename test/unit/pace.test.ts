import { describe, expect, test } from 'vitest'
import { Pace } from '../../src/policy/pace.ts'

const half = (): number => 0.5

/** When calls go that all wait from the beginning, up to a time. */
function letGo(pace: Pace, fromMs: number, untilMs: number, waiting = false): number[] {
  const times: number[] = []
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs = pace.dueMs(nowMs)) if (pace.take(nowMs, half, waiting)) times.push(nowMs)
  return times
}

/** A pace after a pause of a second, of whose origin nothing is known: it is guessed that it takes twenty in that time. */
function guessed(pausedMs = 1_000): Pace {
  const pace = new Pace()
  pace.guess(0, pausedMs)
  pace.open(0, 0, pausedMs)
  return pace
}

describe('what is known of an origin that refuses out of the blue', () => {
  test('nothing: twenty calls go in the stretch that follows a pause, spread over 45 % of it', () => {
    const times = letGo(guessed(), 0, 450)
    expect(times).toHaveLength(20)
    expect(times[0]).toBeCloseTo(22.5)
    expect(times[1]).toBeCloseTo(45)
    expect(times[19]).toBeCloseTo(450)
  })

  test('and then as many go as come back in the time of such a pause', () => {
    const times = letGo(guessed(), 0, 4_000)
    const later = times.slice(45)
    expect(later.map((ms, index) => ms - (later[index - 1] ?? ms)).slice(1)).toEqual(
      later.slice(1).map(() => expect.closeTo(50, 1)),
    )
  })

  test('after a long pause what goes is spread over 5 s at most', () => {
    const times = letGo(guessed(60_000), 0, 5_000)
    expect(times).toHaveLength(20)
    expect(times[0]).toBeCloseTo(250)
  })

  test('how many requests went of late: as many go again in the same time', () => {
    const pace = new Pace()
    for (let ms = 0; ms <= 12_000; ms += 100) pace.count(ms)
    pace.guess(12_000, 1_000)
    pace.open(13_000, 13_000, 1_000)
    expect(letGo(pace, 13_000, 13_450)).toHaveLength(10)
    expect(letGo(pace, 13_450, 23_450).length).toBeCloseTo(102, -1)
  })

  test.each([
    ['12 s ago are known', 12_000, 5],
    ['longer ago are known no more', 12_001, 20],
  ])('requests that went up to %s', (_case, agoMs, gone) => {
    const pace = new Pace()
    // Their turn began at 6,100.
    for (let ms = 0; ms <= 6_100; ms += 100) pace.count(ms)
    const nowMs = 6_100 + agoMs
    pace.guess(nowMs, 1_000)
    pace.open(nowMs, nowMs, 1_000)
    expect(letGo(pace, nowMs, nowMs + 450)).toHaveLength(gone)
  })

  test('a turn that came after a long silence has no turn before it', () => {
    const pace = new Pace()
    for (let ms = 0; ms <= 6_000; ms += 10) pace.count(ms)
    pace.count(20_000)
    pace.guess(20_000, 1_000)
    pace.open(20_000, 20_000, 1_000)
    expect(letGo(pace, 20_000, 20_450)).toHaveLength(20)
  })
})

describe('while calls wait for the rate', () => {
  test('a guess grows by a factor of e in the time of a pause', () => {
    const gone = letGo(guessed(), 0, 1_450, true).filter((ms) => ms > 450)
    expect(gone.length).toBeGreaterThan(30)
    expect(gone.length).toBeLessThanOrEqual(54)
  })

  test('what was learned grows by a hundredth in a second, and more the longer nothing is refused', () => {
    const pace = guessed()
    for (let count = 0; count < 4_000; count += 1) pace.passed()
    pace.learn(200_000)
    pace.open(200_000, 200_000, 1_000)
    const rate = (fromMs: number): number => letGo(pace, fromMs, fromMs + 10_000, true).length / 10
    const [first, second, third] = [rate(200_000), rate(210_000), rate(220_000)]
    expect(first).toBeGreaterThan(20)
    expect(first).toBeLessThan(24)
    expect(second / first).toBeGreaterThan(1.1)
    expect(third / second).toBeGreaterThan(second / first)
    expect(third / second).toBeLessThan(2)
  })

  test('nothing grows while nobody waits', () => {
    const pace = guessed()
    expect(letGo(pace, 0, 10_450).length).toBeCloseTo(20 + 209, -1)
  })
})

describe('a refusal while calls were let go', () => {
  const learned = (passes: number, afterMs: number): number[] => {
    const pace = guessed()
    for (let count = 0; count < passes; count += 1) pace.passed()
    pace.learn(afterMs)
    pace.open(afterMs, afterMs, 1_000)
    return letGo(pace, afterMs, afterMs + 450)
  }

  test('teaches how many got through, pauses included: the longer the stretch was, the more it counts', () => {
    expect(learned(600, 60_000)).toHaveLength(11)
    expect(learned(10, 2_000)).toHaveLength(19)
    expect(learned(6_000, 60_000)).toHaveLength(89)
  })

  test('teaches nothing where nothing got through', () => {
    expect(learned(0, 60_000)).toHaveLength(20)
  })

  test('counts each answer once', () => {
    const pace = guessed()
    for (let count = 0; count < 600; count += 1) pace.passed()
    pace.learn(60_000)
    pace.open(60_000, 60_000, 1_000)
    pace.learn(120_000)
    pace.open(120_000, 120_000, 1_000)
    expect(letGo(pace, 120_000, 120_450)).toHaveLength(11)
  })

  test('teaches nothing before calls were let go at all', () => {
    const pace = new Pace()
    pace.guess(0, 1_000)
    pace.passed()
    pace.learn(60_000)
    pace.open(60_000, 60_000, 1_000)
    expect(letGo(pace, 60_000, 60_450)).toHaveLength(20)
  })

  test('a new guess forgets what got through before it', () => {
    const pace = guessed()
    for (let count = 0; count < 10_000; count += 1) pace.passed()
    pace.guess(1_000, 1_000)
    pace.learn(60_000)
    pace.open(60_000, 60_000, 1_000)
    expect(letGo(pace, 60_000, 60_450)).toHaveLength(20)
  })
})

test('there is nothing left to be paced once as much has come back as a stretch is worth', () => {
  const pace = guessed()
  expect(pace.idle(0)).toBe(true)
  expect(pace.take(22.5, half, false)).toBe(true)
  expect(pace.idle(60)).toBe(false)
  expect(pace.idle(72.5)).toBe(true)
})

test('a call goes neither before its turn nor without a token, and takes none then', () => {
  const pace = guessed(20)
  expect(pace.take(0, half, false)).toBe(false)
  expect(letGo(pace, 0, 9)).toHaveLength(20)
  expect(pace.dueMs(9)).toBeGreaterThan(9)
})

test('calls go in their order while all of them will be gone within 5 s, or within two pauses', () => {
  expect([100, 101].map((held) => guessed().orderly(held))).toEqual([true, false])
  expect([40, 41].map((held) => guessed(10_000).orderly(held))).toEqual([true, false])
})
