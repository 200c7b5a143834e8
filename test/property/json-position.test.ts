import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonErrorAt } from '../../src/http/json-position.ts'
import { runCount } from '../support/run-count.ts'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** JSON with a character changed, added or taken away, and what only looks like JSON. */
const nearJson = fc.oneof(
  fc.json(),
  fc
    .tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom('', ',', ':', '"', '\\', '{', ']', '0', '-', '.', 'e', ' ', '\n', '\u0001', 'tru', '\\u12', '\u2028'),
      fc.nat({ max: 2 }),
    )
    .map(([text, at, more, less]) => text.slice(0, at % (text.length + 1)) + more + text.slice((at % (text.length + 1)) + less)),
  fc.string({ unit: fc.constantFrom(...'[]{}:,"0-1.eE+ \ntrue\\u') }),
)

test('there is an error exactly where JSON.parse finds one', () => {
  fc.assert(
    fc.property(nearJson, (text) => {
      const at = jsonErrorAt(text)
      expect(at === undefined).toBe(isJson(text))
      if (at !== undefined) expect(at).toBeLessThanOrEqual(text.length)
    }),
    { numRuns: runCount(20_000) },
  )
})

test('its position is that of the engine, where the engine tells one', () => {
  let told = 0
  fc.assert(
    fc.property(nearJson, (text) => {
      try {
        JSON.parse(text)
      } catch (error) {
        const position = /Unexpected (?:non-whitespace character after JSON|token .*?) at position (\d+)/s.exec(
          String(error),
        )?.[1]
        const at = jsonErrorAt(text)
        // Within a number or an escape the engine may stop a character sooner or later.
        if (position === undefined || at === undefined || /[-.eE+\\]/.test(text.slice(at - 2, at + 1))) return
        told += 1
        expect(at).toBe(Number(position))
      }
    }),
    { numRuns: runCount(20_000) },
  )
  expect(told).toBeGreaterThan(runCount(20_000) / 40)
})

test.each<[string, number]>([
  ['', 0],
  ['{"a":1,}', 7],
  ['[1 2]', 3],
  ['{"a" 1}', 5],
  ['"abc', 4],
  ['"a\\x"', 2],
  ['01', 1],
  ['nul', 0],
  ['[1]]', 3],
])('%s stops to be JSON at %i', (text, position) => {
  expect(jsonErrorAt(text)).toBe(position)
})
