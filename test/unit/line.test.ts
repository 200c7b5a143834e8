import { describe, expect, test } from 'vitest'
import { Cancellation } from '../../src/cancellation.ts'
import { Line } from '../../src/line.ts'
import { FakeClock } from '../support/fake-clock.ts'

interface Waiting {
  readonly name: string
  readonly cancellation: Cancellation
}

/** A line in which `names` wait, and what has become of them, in order. */
function lineOf(names: string, latestMs = Infinity): { line: Line; clock: FakeClock; waiting: Waiting[]; turns: string[] } {
  const line = new Line()
  const clock = new FakeClock()
  const turns: string[] = []
  const waiting = [...names].map((name) => {
    const cancellation = new Cancellation()
    const note = async (): Promise<void> => {
      turns.push(`${name} ${await line.wait(clock, latestMs, cancellation)}`)
    }
    void note()
    return { name, cancellation }
  })
  return { line, clock, waiting, turns }
}

describe('a line', () => {
  test('calls first come first served', async () => {
    const { line, clock, turns } = lineOf('abc')
    expect([line.length, line.call(), line.call(), line.call(), line.call(), line.length]).toEqual([
      3,
      true,
      true,
      true,
      false,
      0,
    ])
    await clock.advance(0)
    expect(turns).toEqual(['a called', 'b called', 'c called'])
  })

  test.each([
    [0, 'bcd'],
    [1, 'acd'],
    [3, 'abc'],
  ])('lets number %i of four go when it is cancelled, and keeps the order of the others', async (who, others) => {
    const { line, clock, waiting, turns } = lineOf('abcd')
    waiting[who]?.cancellation.cancel(new Error('enough'))
    expect(line.length).toBe(3)
    while (line.call());
    await clock.advance(0)
    expect(turns).toEqual([`${waiting[who]?.name} cancelled`, ...[...others].map((name) => `${name} called`)])
  })

  test('lets go whoever has waited too long, and nobody before', async () => {
    const { line, clock, turns } = lineOf('ab', 1_500)
    await clock.advance(499)
    expect([line.length, clock.armed, turns]).toEqual([2, 2, []])
    await clock.advance(1)
    expect([line.length, clock.armed, turns]).toEqual([0, 0, ['a late', 'b late']])
  })

  test('gives whoever is called its turn, even if it is cancelled in the same moment', async () => {
    const { line, clock, waiting, turns } = lineOf('ab', 9_000)
    line.call()
    waiting[0]?.cancellation.cancel(new Error('enough'))
    await clock.advance(0)
    expect([line.length, clock.armed, turns]).toEqual([1, 1, ['a called']])
  })

  test('takes nobody in who is cancelled already', async () => {
    const cancellation = new Cancellation()
    cancellation.cancel(new Error('enough'))
    const line = new Line()
    expect(await line.wait(new FakeClock(), Infinity, cancellation)).toBe('cancelled')
    expect(line.length).toBe(0)
  })

  test('fills again when it has been empty', async () => {
    const { line, clock } = lineOf('a')
    line.call()
    const turn = line.wait(clock, Infinity, new Cancellation())
    expect([line.length, line.call(), await turn]).toEqual([1, true, 'called'])
  })
})
