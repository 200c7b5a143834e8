import { describe, expect, test } from 'vitest'
import { demandOf } from '../../src/policy/demand.ts'
import type { Terms } from '../../src/types/terms.ts'

describe('Pragma', () => {
  const directives = (fields: string[]): string[] => [...demandOf({ cache: 'default' } as Terms, fields, false).directives.keys()]

  test.each([
    ['no-cache', true],
    ['NO-CACHE', true],
    ['foo, no-cache', true],
    ['foo ,\t no-cache\t ,bar', true],
    ['no-cache, bar', true],
    ['xno-cache', false],
    ['no-cachex', false],
    ['foo no-cache', false],
    ['no-cache foo', false],
    ['', false],
  ])('%o asks for a validation: %o', (field, asks) => {
    expect(directives(['pragma', field])).toEqual(asks ? ['no-cache'] : [])
  })

  test('counts only without a Cache-Control, even an empty one', () => {
    expect(directives(['pragma', 'no-cache', 'cache-control', 'max-age=5'])).toEqual(['max-age'])
    expect(directives(['pragma', 'no-cache', 'cache-control', ''])).toEqual([])
    expect(directives([])).toEqual([])
  })
})

describe('a request keeps the cache out of it', () => {
  test.each([
    ['by its mode', 'no-store', [], true],
    ['by its directive', 'default', ['cache-control', 'no-store'], true],
    ['by a condition', 'default', ['if-none-match', '"a"'], true],
    ['by a range', 'default', ['range', 'bytes=0-'], true],
    ['but not by nothing', 'default', ['accept', '*/*'], false],
    ['nor by asking for a validation', 'no-cache', ['cache-control', 'no-cache'], false],
  ] as const)('%s', (_case, mode, fields, bypasses) => {
    expect(demandOf({ cache: mode } as Terms, fields, false).bypasses).toBe(bypasses)
  })
})

describe('conditions are answered here', () => {
  const validation = ['if-none-match', '"a"']

  test.each([
    ['in a shared cache', 'default', validation, true, true],
    ['not in a private one', 'default', validation, false, false],
    ['not in a mode of its own', 'no-cache', validation, true, false],
    ['not where nothing may be stored', 'default', ['cache-control', 'no-store', ...validation], true, false],
    ['not with If-Match', 'default', ['if-match', '"a"', ...validation], true, false],
    ['not with If-Unmodified-Since', 'default', ['if-unmodified-since', 'x', ...validation], true, false],
    ['not with If-Range', 'default', ['if-range', '"a"', ...validation], true, false],
    ['not with Range', 'default', ['range', 'bytes=0-', ...validation], true, false],
  ] as const)('%s', (_case, mode, fields, shared, evaluates) => {
    expect(demandOf({ cache: mode } as Terms, fields, shared).evaluates).toBe(evaluates)
  })
})

test('nothing is to be sent where the mode or a directive says so', () => {
  expect(demandOf({ cache: 'only-if-cached' } as Terms, [], false).onlyIfCached).toBe(true)
  expect(demandOf({ cache: 'default' } as Terms, ['cache-control', 'only-if-cached'], false).onlyIfCached).toBe(true)
  expect(demandOf({ cache: 'default' } as Terms, ['cache-control', 'max-age=0'], false).onlyIfCached).toBe(false)
})
