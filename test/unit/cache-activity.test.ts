import { expect, test } from 'vitest'
import { CacheActivity } from '../../src/policy/cache-activity.ts'

test('a request is overtaken by an invalidation of its own target that came after it began', () => {
  const activity = new CacheActivity()
  const before = activity.changes
  activity.invalidated('/a')
  const after = activity.changes
  expect([activity.isCurrent('/a', before), activity.isCurrent('/a', after), activity.isCurrent('/b', before)]).toEqual([
    false,
    true,
    true,
  ])
  activity.invalidated('/a')
  expect(activity.isCurrent('/a', after)).toBe(false)
})

test('what is forgotten of many invalidations overtakes older requests alone', () => {
  const activity = new CacheActivity()
  const first = activity.changes
  activity.invalidated('/a')
  const second = activity.changes
  for (let count = 0; count < 63; count += 1) activity.invalidated(`/${count}`)
  expect(activity.isCurrent('/other', first)).toBe(true)
  activity.invalidated('/last')
  expect([activity.isCurrent('/other', first), activity.isCurrent('/other', second)]).toEqual([false, true])
  expect(activity.isCurrent('/a', first)).toBe(false)
})
