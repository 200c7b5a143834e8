import { describe, expect, test } from 'vitest'
import { resolveProtection } from '../../src/options/protection.ts'
import { Breaker } from '../../src/policy/breaker.ts'
import { Origins } from '../../src/policy/origins.ts'
import { Slots } from '../../src/policy/slots.ts'
import { Throttle } from '../../src/policy/throttle.ts'
import type { BreakerConfig, ConcurrencyConfig, ThrottleConfig } from '../../src/types/protection.ts'

const none = (): number => 0
const failure = (nowMs: number) => ({ nowMs, askedMs: undefined, random: none })

function breaker(config: Partial<BreakerConfig> = {}): Breaker {
  const { breaker: resolved } = resolveProtection('test', {} as never, { breaker: { minVolume: 3, probes: 2, ...config } })
  return new Breaker(resolved as BreakerConfig, 'https://a.test')
}

/** One that was opened at 0 for a second. */
function open(): Breaker {
  const one = breaker()
  for (let count = 0; count < 3; count += 1) one.failed(one.generation, failure(0))
  return one
}

describe('a breaker is to be remembered', () => {
  test('while it has counted failures among enough outcomes to open it', () => {
    const one = breaker({ failureRatio: 1 })
    expect(one.busy).toBe(false)
    one.failed(one.generation, failure(0))
    one.succeeded(one.generation, 0)
    expect(one.busy).toBe(false)
    one.succeeded(one.generation, 0)
    expect(one.busy).toBe(true)
  })

  test('not for successes alone', () => {
    const one = breaker()
    for (let count = 0; count < 5; count += 1) one.succeeded(one.generation, 0)
    expect(one.busy).toBe(false)
  })

  test('while it is not closed', () => {
    const one = open()
    expect([one.closed, one.busy]).toEqual([false, true])
    one.close()
    expect([one.closed, one.busy]).toEqual([true, false])
  })
})

describe('whether a breaker would refuse a call', () => {
  test('an open one does until its time is over, an isolated one always, a closed one never', () => {
    const one = open()
    expect([one.refuses(0), one.refuses(999), one.refuses(1_000)]).toEqual([true, true, false])
    one.isolate()
    expect([one.refuses(0), one.refuses(1e9)]).toEqual([true, true])
    one.close()
    expect(one.refuses(0)).toBe(false)
  })

  test('a half-open one does while all of its probes are under way, unless they are lost', () => {
    const one = open()
    expect([one.admit(1_000), one.refuses(1_000)]).toEqual([true, false])
    expect([one.admit(1_000), one.refuses(1_000), one.admit(1_000)]).toEqual([true, true, false])
    expect([one.refuses(4_999), one.refuses(5_000)]).toEqual([true, false])
    one.giveBack(one.generation)
    expect(one.refuses(1_000)).toBe(false)
  })
})

describe('a probe', () => {
  test('gives its place back once, and only where it is one of the probes of now', () => {
    const one = open()
    const before = one.generation
    one.admit(1_000)
    one.admit(1_000)
    one.giveBack(before)
    expect(one.refuses(1_000)).toBe(true)
    one.failed(one.generation, failure(1_000))
    one.giveBack(one.generation)
    expect([one.admit(3_000), one.admit(3_000), one.admit(3_000)]).toEqual([true, true, false])
  })

  test('that is lost counts no more when it comes back, whatever it says', () => {
    const one = open()
    one.admit(1_000)
    one.admit(1_000)
    const lost = one.generation
    expect(one.admit(5_000)).toBe(true)
    one.failed(lost, failure(5_000))
    one.succeeded(lost, 5_000)
    expect(one.state(5_000)).toBe('half-open')
  })

  test('each stretch between two changes has a number of its own', () => {
    const one = breaker()
    const seen = new Set([one.generation])
    for (const change of ['isolate', 'close', 'isolate', 'close'] as const) {
      one[change]()
      seen.add(one.generation)
    }
    expect(seen.size).toBe(5)
  })

  test('of an isolated breaker tells nothing: it stays as it is until it is closed', () => {
    const one = breaker()
    one.isolate()
    for (let count = 0; count < 5; count += 1) {
      one.succeeded(one.generation, 0)
      one.failed(one.generation, failure(0))
    }
    expect(one.state(0)).toBe('isolated')
  })
})

test('a throttle is to be remembered while something was rejected among enough requests to refuse any', () => {
  const { throttle: config } = resolveProtection('test', {} as never, { throttle: { minVolume: 3 } })
  const throttle = new Throttle(config as ThrottleConfig)
  throttle.accepted(0)
  throttle.accepted(0)
  throttle.accepted(0)
  expect([throttle.calm, throttle.busy]).toEqual([true, false])
  const refusing = new Throttle(config as ThrottleConfig)
  refusing.rejected(0)
  refusing.rejected(0)
  expect([refusing.calm, refusing.busy]).toEqual([false, false])
  refusing.rejected(0)
  expect(refusing.busy).toBe(true)
})

test('slots are to be remembered while one of them is taken', () => {
  const { concurrency: config } = resolveProtection('test', {} as never, { concurrency: 2 })
  const slots = new Slots(config as ConcurrencyConfig)
  expect([slots.busy, slots.limit, slots.adaptive]).toEqual([false, 2, undefined])
  expect([slots.take(), slots.busy, slots.take(), slots.take()]).toEqual([true, true, true, false])
  slots.give()
  expect(slots.busy).toBe(true)
  slots.give()
  expect(slots.busy).toBe(false)
})

/** A part of the state of an origin, which says whether it is to be kept. */
class Part {
  busy = false
}

describe('what a client remembers', () => {
  test('is a thousand origins: what is busy is kept, and of the others the one unused for longest goes', () => {
    const origins = new Origins()
    const key = {}
    const part = (number: number): Part => origins.of(`https://a${number}.test`).part(key, Part)
    part(0).busy = true
    const [second, third] = [part(1), part(2)]
    for (let number = 3; number < 1_000; number += 1) part(number)
    expect(part(1)).toBe(second)
    part(1_000)
    expect(part(0).busy).toBe(true)
    expect(part(1)).toBe(second)
    expect(part(2)).not.toBe(third)
  })

  test('is the oldest no longer, where everything is busy', () => {
    const origins = new Origins()
    const key = {}
    const part = (number: number): Part => origins.of(`https://a${number}.test`).part(key, Part)
    const first = part(0)
    for (let number = 0; number < 1_001; number += 1) part(number).busy = true
    expect(part(0)).not.toBe(first)
  })

  test('is 32 configurations of an origin', () => {
    const state = new Origins().of('https://a.test')
    const keys = Array.from({ length: 33 }, () => ({}))
    const [kept, forgotten] = [state.part(keys[0] as object, Part), state.part(keys[1] as object, Part)]
    kept.busy = true
    for (const key of keys.slice(2, 32)) state.part(key, Part)
    expect(state.part(keys[1] as object, Part)).toBe(forgotten)
    state.part(keys[32] as object, Part)
    expect(state.part(keys[0] as object, Part)).toBe(kept)
    expect(state.part(keys[1] as object, Part)).not.toBe(forgotten)
    expect(state.busy).toBe(true)
    kept.busy = false
    expect(state.busy).toBe(false)
  })

  test('of several endpoints is that of the service they are', () => {
    const origins = new Origins()
    const state = origins.ofService({ service: 'https://a.test', origin: 'https://b.test' })
    expect(state).toBe(origins.of('https://a.test'))
    expect(origins.ofService({ origin: 'https://b.test' } as never)).toBe(origins.of('https://b.test'))
    expect(origins.of('https://b.test').origin).toBe('https://b.test')
  })
})
