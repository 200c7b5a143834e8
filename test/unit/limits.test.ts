import { describe, expect, it } from 'vitest'
import { Limits } from '../../src/limits.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { Entry } from '../support/limited.ts'

function setUp(): { clock: FakeClock; limits: Limits; entry: (inMs: number) => Entry } {
  const clock = new FakeClock()
  const limits = new Limits(clock)
  const entry = (inMs: number): Entry => {
    const made = new Entry(clock.now() + inMs)
    limits.enter(made)
    return made
  }
  return { clock, limits, entry }
}

describe('the time limits of a client', () => {
  it('arm no timer while there are none', () => {
    expect(setUp().clock.armed).toBe(0)
  })

  it('share one timer, and look at each when it is due', async () => {
    const { clock, entry } = setUp()
    const [late, early, middle] = [entry(300), entry(100), entry(200)] as const
    expect(clock.armed).toBe(1)
    await clock.advance(99)
    expect([late.looks, early.looks, middle.looks]).toEqual([[], [], []])
    await clock.advance(1)
    expect([late.looks, early.looks, middle.looks]).toEqual([[], [1_100], []])
    expect(clock.armed).toBe(1)
    await clock.advance(200)
    expect([late.looks, early.looks, middle.looks]).toEqual([[1_300], [1_100], [1_200]])
    expect(clock.armed).toBe(0)
  })

  it('of the same moment are looked at together', async () => {
    const { clock, entry } = setUp()
    const entries = Array.from({ length: 20 }, () => entry(50))
    await clock.advance(50)
    expect(entries.map(({ looks }) => looks)).toEqual(entries.map(() => [1_050]))
    expect(entries.map(({ place }) => place)).toEqual(entries.map(() => -1))
    expect(clock.armed).toBe(0)
  })

  it('that are over already are looked at in the next turn of the clock, not at once', async () => {
    const { clock, entry } = setUp()
    const late = entry(-10)
    expect(late.looks).toEqual([])
    await clock.advance(0)
    expect(late.looks).toEqual([1_000])
    expect(clock.armed).toBe(0)
  })

  it('that move to an earlier moment are entered again and looked at then, once', async () => {
    const { clock, limits, entry } = setUp()
    entry(50)
    const moved = entry(300)
    moved.dueMs = clock.now() + 20
    limits.enter(moved)
    expect(clock.armed).toBe(1)
    await clock.advance(1_000)
    expect(moved.looks).toEqual([1_020])
  })

  it.each([
    ['without notice', false],
    ['and are entered again', true],
  ])('that move to a later moment %s are not looked at before', async (_name, again) => {
    const { clock, limits, entry } = setUp()
    const moved = entry(100)
    moved.dueMs = clock.now() + 250
    if (again) limits.enter(moved)
    await clock.advance(249)
    expect(moved.looks).toEqual([])
    await clock.advance(1)
    expect(moved.looks).toEqual([1_250])
    expect(clock.armed).toBe(0)
  })

  it('that are switched off without notice are forgotten', async () => {
    const { clock, entry } = setUp()
    const off = entry(100)
    off.dueMs = Infinity
    await clock.advance(1_000)
    expect([off.looks, off.place, clock.armed]).toEqual([[], -1, 0])
  })

  it('that leave are not looked at, and the last one takes the timer along', async () => {
    const { clock, limits, entry } = setUp()
    const [first, second] = [entry(100), entry(200)] as const
    limits.leave(first)
    limits.leave(first)
    expect(clock.armed).toBe(1)
    limits.leave(second)
    expect(clock.armed).toBe(0)
    await clock.advance(1_000)
    expect([first.looks, second.looks]).toEqual([[], []])
  })

  it('are looked at in order, whichever of them leaves', async () => {
    const dues = [10, 1_000, 20, 1_010, 1_020, 30, 40]
    for (const leaver of dues.keys()) {
      const { clock, limits, entry } = setUp()
      const list = dues.map(entry)
      limits.leave(list[leaver] as Entry)
      await clock.advance(2_000)
      expect(list.map(({ looks }) => looks)).toEqual(dues.map((due, index) => (index === leaver ? [] : [1_000 + due])))
    }
  })

  it('that leave before they came are none', () => {
    const { clock, limits } = setUp()
    const stranger = new Entry(5_000)
    limits.leave(stranger)
    expect([stranger.place, clock.armed]).toEqual([-1, 0])
  })

  it('may enter again, enter others and make others leave while they are looked at', async () => {
    const { clock, limits, entry } = setUp()
    const doomed = entry(100)
    const other = new Entry(1_150)
    const first = entry(50)
    first.onLook = () => {
      limits.leave(doomed)
      limits.enter(other)
      first.dueMs = 1_120
      first.onLook = undefined
      limits.enter(first)
    }
    await clock.advance(1_000)
    expect([first.looks, other.looks, doomed.looks]).toEqual([[1_050, 1_120], [1_150], []])
    expect(clock.armed).toBe(0)
  })

  it('of one moment may make one another leave', async () => {
    const { clock, limits, entry } = setUp()
    const pair = [entry(50), entry(50)] as const
    pair[0].onLook = () => limits.leave(pair[1])
    pair[1].onLook = () => limits.leave(pair[0])
    await clock.advance(100)
    expect(pair[0].looks.length + pair[1].looks.length).toBe(1)
    expect(clock.armed).toBe(0)
  })

  it('are looked at, although one before them throws', async () => {
    const { clock, entry } = setUp()
    const [first, same, later] = [entry(50), entry(50), entry(100)] as const
    first.onLook = () => {
      throw new Error('out of order')
    }
    await expect(clock.advance(100)).rejects.toThrow('out of order')
    await clock.advance(100)
    expect([same.looks.length, later.looks.length]).toEqual([1, 1])
    expect(clock.armed).toBe(0)
  })
})
