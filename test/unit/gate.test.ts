import { describe, expect, test } from 'vitest'
import { Gate, type PauseRequest } from '../../src/policy/gate.ts'
import type { Timed } from '../../src/timed.ts'

const none = (): number => 0
const most = (): number => 1

function refusal(gate: Gate, more: Partial<PauseRequest> = {}): PauseRequest {
  return { status: 429, askedMs: 1_000, sentAtClosing: gate.closings, policy: {}, ...more }
}

/** A gate that was closed at 0 for a second. */
function closed(): Gate {
  const gate = new Gate()
  gate.close(refusal(gate), 0, none)
  return gate
}

/** Calls that stand in the room of the gate. */
function hold(gate: Gate, count: number): void {
  const limits = { enter() {}, leave() {} }
  for (let call = 0; call < count; call += 1) {
    const timed = { cancelled: false, deadlineMs: Infinity, limits, add() {}, remove() {} } as unknown as Timed
    void gate.room.wait(timed, Infinity)
  }
}

/** How many calls go from one moment to another, when all that may, do. */
function gone(gate: Gate, fromMs: number, untilMs: number): number {
  let count = 0
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs = gate.dueMs(nowMs)) {
    if (gate.admit(nowMs, () => 0.5, false) === 'go') count += 1
  }
  return count
}

/** Lets the probe go and be answered well. */
function reopen(gate: Gate, nowMs: number): void {
  expect(gate.admit(nowMs, none, true)).toBe('probe')
  gate.open(gate.closings, nowMs)
}

test('a gate of which nobody asked anything lets everybody go', () => {
  const gate = new Gate()
  expect([gate.busy, gate.quiet, gate.holds(0), gate.dueMs(5), gate.remainingMs(0)]).toEqual([false, true, false, 5, 0])
  expect([gate.admit(0, none, false), gate.admit(0, none, false)]).toEqual(['go', 'go'])
})

describe('a closed gate', () => {
  test('holds everybody until its time is over, then one probe goes, and all others wait for its answer', () => {
    const gate = closed()
    expect([gate.busy, gate.quiet, gate.status, gate.remainingMs(400)]).toEqual([true, false, 429, 600])
    expect([gate.holds(999), gate.admit(999, none, false), gate.dueMs(999)]).toEqual([true, 'wait', 1_000])
    expect(gate.holds(1_000)).toBe(false)
    expect(gate.admit(1_000, none, false)).toBe('probe')
    expect([gate.holds(1_000), gate.admit(1_000, none, false), gate.dueMs(1_000)]).toEqual([true, 'wait', Infinity])
  })

  test('lets another probe go when the first came to nothing', () => {
    const gate = closed()
    gate.admit(1_000, none, false)
    gate.endProbe()
    expect(gate.admit(1_000, none, false)).toBe('probe')
  })

  test('that was reopened is as if nothing had been, when nobody waits', () => {
    const gate = closed()
    reopen(gate, 1_000)
    expect([gate.busy, gate.quiet, gate.holds(1_000), gate.admit(1_000, none, false)]).toEqual([false, true, false, 'go'])
  })

  test('that was reopened lets the others go at a pace, and is to be remembered while some of them wait', () => {
    const gate = closed()
    hold(gate, 2)
    reopen(gate, 1_000)
    expect([gate.busy, gate.quiet, gate.holds(1_000)]).toEqual([true, false, false])
    expect(gate.admit(1_000, none, true)).toBe('wait')
    expect(gate.dueMs(1_000)).toBeCloseTo(1_022.5)
    expect(gate.admit(1_023, none, true)).toBe('go')
  })

  test('is opened by no answer to a request that was sent before it was closed, and by none while the pause is on', () => {
    const gate = closed()
    gate.open(0, 1_000)
    gate.open(gate.closings, 999)
    expect(gate.quiet).toBe(false)
    gate.open(gate.closings, 1_000)
    expect(gate.quiet).toBe(true)
  })

  test('that has opened and was refused again at once keeps its strikes until an answer shows that all is well', () => {
    const gate = new Gate()
    gate.close(refusal(gate, { askedMs: undefined }), 0, most)
    expect(gate.remainingMs(0)).toBe(100)
    gate.close(refusal(gate, { askedMs: undefined }), 100, most)
    expect(gate.remainingMs(100)).toBe(200)
    reopen(gate, 300)
    gate.close(refusal(gate, { askedMs: undefined }), 300, most)
    expect(gate.remainingMs(300)).toBe(100)
  })
})

describe('answers to requests that were sent before the gate was closed', () => {
  test.each([
    ['without a Retry-After', undefined, 1_000],
    ['with a shorter one', 999, 1_000],
    ['with the same', 1_000, 1_000],
    ['with a longer one', 2_000, 2_000],
  ])('%s', (_case, askedMs, remainingMs) => {
    const gate = closed()
    gate.close(refusal(gate, { askedMs, sentAtClosing: 0 }), 0, askedMs === 1_000 ? most : none)
    expect([gate.remainingMs(0), gate.closings]).toEqual([remainingMs, askedMs === 2_000 ? 2 : 1])
  })

  test('are no further strike', () => {
    const gate = new Gate()
    gate.close(refusal(gate, { askedMs: undefined }), 0, most)
    gate.close(refusal(gate, { askedMs: 2_000, sentAtClosing: 0 }), 0, none)
    gate.close(refusal(gate, { askedMs: undefined }), 2_000, most)
    expect(gate.remainingMs(2_000)).toBe(200)
  })

  test('teach nothing about the pace', () => {
    const gate = closed()
    for (let ms = 0; ms < 1_000; ms += 1) gate.pass(ms)
    gate.close(refusal(gate, { askedMs: 2_000, sentAtClosing: 0 }), 0, none)
    hold(gate, 1)
    reopen(gate, 2_000)
    // Twenty in the second that was asked for first; twice as many in two.
    expect(gone(gate, 2_000, 2_900)).toBe(40)
  })
})

test('a pause is bound by maxWaitMs', () => {
  const gate = new Gate()
  gate.close(refusal(gate, { askedMs: 86_400_000 }), 0, none)
  expect(gate.remainingMs(0)).toBe(60_000)
  const strict = new Gate()
  strict.close(refusal(strict, { askedMs: 86_400_000, policy: { maxWaitMs: 500 } }), 0, none)
  expect(strict.remainingMs(0)).toBe(500)
})

describe('the pace', () => {
  test('is that of the requests that went before the first refusal, those that passed a quiet gate among them', () => {
    const passing = new Gate()
    for (let ms = 0; ms <= 12_000; ms += 20) passing.pass(ms)
    const admitted = new Gate()
    for (let ms = 0; ms <= 12_000; ms += 20) admitted.admit(ms, none, false)
    for (const gate of [passing, admitted]) {
      gate.close(refusal(gate), 12_000, none)
      hold(gate, 1)
      reopen(gate, 13_000)
      expect(gone(gate, 13_000, 13_450)).toBeGreaterThan(45)
    }
  })

  test('is learned from what got through between two pauses', () => {
    const gate = closed()
    hold(gate, 1)
    reopen(gate, 1_000)
    for (let count = 1; count < 600; count += 1) gate.open(gate.closings, 30_000)
    gate.close(refusal(gate), 60_000, none)
    reopen(gate, 61_000)
    expect(gone(gate, 61_000, 61_450)).toBe(11)
  })

  test('is guessed once: a probe that is refused teaches nothing', () => {
    const gate = new Gate()
    for (let ms = 0; ms <= 12_000; ms += 20) gate.pass(ms)
    gate.close(refusal(gate), 12_000, none)
    expect(gate.admit(13_000, none, true)).toBe('probe')
    gate.close(refusal(gate), 40_000, none)
    hold(gate, 1)
    reopen(gate, 41_000)
    expect(gone(gate, 41_000, 41_450)).toBeGreaterThan(45)
  })
})

test('the newest goes first once more wait than will soon be gone, until one is left', () => {
  const gate = closed()
  hold(gate, 101)
  expect(gate.newestFirst).toBe(false)
  reopen(gate, 1_000)
  expect(gate.newestFirst).toBe(true)
  while (gate.room.size > 2) gate.room.call({ probe: false, closing: gate.closings }, 'newest')
  expect(gate.newestFirst).toBe(true)
  gate.room.call({ probe: false, closing: gate.closings }, 'newest')
  expect(gate.newestFirst).toBe(false)
  hold(gate, 1)
  expect(gate.newestFirst).toBe(false)
})
