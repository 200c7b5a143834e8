import { getEventListeners } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { judged } from './bench.ts'
import { open } from './clients/steadfetch.ts'
import { faults } from './faults.ts'
import { quick } from './quick-clock.ts'

const rejections: unknown[] = []
const onRejection = (reason: unknown): void => void rejections.push(reason)
beforeAll(() => void process.on('unhandledRejection', onRejection))
afterAll(() => {
  process.off('unhandledRejection', onRejection)
  expect(rejections).toEqual([])
  expect(getEventListeners(process as unknown as EventTarget, 'warning').length).toBeLessThan(10)
})

it('has every group of faults, and no name twice', () => {
  const names = faults.map(({ group, name }) => `${group}: ${name}`)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  expect(names.length).toBeGreaterThan(250)
})

const together = faults.filter(({ alone }) => alone !== true)
const apart = faults.filter(({ alone }) => alone === true)
const title = (list: typeof faults) => list.map((fault) => [`${fault.group}: ${fault.name}`, fault] as const)

describe.concurrent('with a limit of 1 s for the whole call', { timeout: 20_000 }, () => {
  it.each(title(together))('%s', async (_title, fault) => {
    const verdict = await judged(fault, open, { ours: true, limitMs: 1_000, hangMs: 8_000 })
    expect([verdict.wrong, verdict.leaked]).toEqual([undefined, 0])
  })
})

describe.concurrent('with the default limits, on a clock that is 20 times as fast', { timeout: 20_000 }, () => {
  const fast = (options: object = {}) => open({ clock: quick(20), ...options })
  it.each(title(together.filter(({ realTime }) => realTime !== true)))('%s', async (_title, fault) => {
    const verdict = await judged(fault, fast, { ours: true, limitMs: undefined, hangMs: 8_000 })
    expect([verdict.wrong, verdict.leaked]).toEqual([undefined, 0])
  })
})

describe('with nothing else under way', { timeout: 90_000 }, () => {
  it.each(title(apart))('%s', async (_title, fault) => {
    const verdict = await judged(fault, open, { ours: true, limitMs: 1_000, hangMs: 80_000 })
    expect([verdict.wrong, verdict.leaked]).toEqual([undefined, 0])
  })
})
