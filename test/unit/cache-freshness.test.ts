import { expect, test } from 'vitest'
import { initialAgeMs, lifetimeMs } from '../../src/policy/freshness.ts'
import { dateAt } from '../support/cache.ts'

const nowMs = Date.UTC(2026, 0, 1)
const privately = { shared: false, heuristicRatio: 0.1 } as const
const at = (fields: Record<string, string>, status = 200) => ({ status, field: (name: string) => fields[name] ?? null })
const lifetime = (fields: Record<string, string>, rules: Parameters<typeof lifetimeMs>[2] = privately, status = 200): number =>
  lifetimeMs(at(fields, status), { requestMs: nowMs, responseMs: nowMs }, rules)
const shared = { shared: true, heuristicRatio: 0.1 } as const

test('max-age counts before Expires, and s-maxage before both in a shared cache alone', () => {
  const fields = { 'cache-control': 'max-age=60, s-maxage=600', expires: dateAt(7_000_000), date: dateAt(0) }
  expect(lifetime(fields)).toBe(60_000)
  expect(lifetime(fields, shared)).toBe(600_000)
})

test('Expires counts from the Date of the same response, else from its arrival', () => {
  expect(lifetime({ expires: dateAt(90_000), date: dateAt(30_000) })).toBe(60_000)
  expect(lifetime({ expires: dateAt(90_000) })).toBe(90_000)
  expect(lifetime({ expires: dateAt(90_000), date: 'yesterday' })).toBe(90_000)
})

test.each(['0', '-1', 'Thu, 01 Jan 2026 00:10:00 UTC', 'Thu, 01 Jan 26 00:10:00 GMT', `${dateAt(60_000)}, ${dateAt(60_000)}`])(
  'Expires: %s means stale',
  (expires) => {
    expect(lifetime({ expires, date: dateAt(0), 'last-modified': dateAt(-100_000_000) })).toBe(0)
  },
)

test.each(['thu, 01 jan 2026 00:10:00 gmt', 'THU, 01 JAN 2026 00:10:00 GMT', 'Thursday, 01-Jan-26 00:10:00 GMT'])(
  'Expires: %s is ten minutes from now',
  (expires) => {
    expect(lifetime({ expires })).toBe(600_000)
  },
)

test('without either a tenth of the time since the last change is taken, for a day at most', () => {
  expect(lifetime({ 'last-modified': dateAt(-600_000), date: dateAt(0) })).toBe(60_000)
  expect(lifetime({ 'last-modified': dateAt(-86_400_000_000), date: dateAt(0) })).toBe(86_400_000)
  expect(lifetime({ 'last-modified': dateAt(600_000), date: dateAt(0) })).toBe(0)
  expect(lifetime({ 'last-modified': dateAt(-600_000) }, { shared: false, heuristicRatio: false })).toBe(0)
  expect(lifetime({})).toBe(0)
})

test('it is taken only where the status, or public, lets it', () => {
  const fields = { 'last-modified': dateAt(-600_000), date: dateAt(0) }
  const found = (control: string, status: number) => lifetime({ ...fields, 'cache-control': control }, privately, status)
  for (const status of [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]) expect(found('', status)).toBe(60_000)
  for (const status of [201, 202, 206, 302, 307, 403, 500, 503, 599]) expect(found('', status)).toBe(0)
  expect(found('public', 599)).toBe(60_000)
})

const age = (fields: Record<string, string>, delayMs = 0): number =>
  initialAgeMs(at(fields), { requestMs: nowMs - delayMs, responseMs: nowMs })

test('the age of a response is the greater of what Date and Age tell, and of the time it was under way', () => {
  expect(age({})).toBe(0)
  expect(age({}, 700)).toBe(700)
  expect(age({ age: '30', date: dateAt(0) }, 700)).toBe(30_700)
  expect(age({ age: '30', date: dateAt(-60_000) })).toBe(60_000)
  expect(age({ age: '30', date: dateAt(60_000) })).toBe(30_000)
})

test('the part of a second that a Date leaves out is no age', () => {
  const response = at({ date: dateAt(0) })
  expect(initialAgeMs(response, { requestMs: nowMs + 999, responseMs: nowMs + 999 })).toBe(0)
  expect(initialAgeMs(response, { requestMs: nowMs + 1_999, responseMs: nowMs + 1_999 })).toBe(1_000)
})

test.each([
  ['7200, 0', 7_200_000],
  ['0, 7200', 0],
  ['abc', 0],
  ['-7200', 0],
  ['7200.0', 0],
  ['7200;a=b', 0],
  ['2147483649', 2 ** 31 * 1_000],
])('Age: %s is %d ms', (text, ms) => {
  expect(age({ age: text, date: dateAt(0) })).toBe(ms)
})
