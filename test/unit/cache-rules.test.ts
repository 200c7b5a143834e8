import { describe, expect, test } from 'vitest'
import { parseDirectives } from '../../src/http/cache-control.ts'
import { demandOf } from '../../src/policy/demand.ts'
import { initialAgeMs, lifetimeMs } from '../../src/policy/freshness.ts'
import { mayStandIn, reuseOf, usefulMs } from '../../src/policy/reuse.ts'
import { isStorable, names } from '../../src/policy/storable.ts'
import { conditional, describes, isUnchanged, validates } from '../../src/policy/validation.ts'
import type { CacheMode, StoredResponse } from '../../src/types/cache.ts'
import type { Terms } from '../../src/types/terms.ts'
import { dateAt } from '../support/cache.ts'

const nowMs = Date.UTC(2026, 0, 1)
const at = (fields: Record<string, string>, status = 200) => ({ status, field: (name: string) => fields[name] ?? null })
const stored = (headers: Record<string, string>, more: Partial<StoredResponse> = {}): StoredResponse =>
  ({ headers, cachedAt: nowMs, staleAt: nowMs + 10_000, ...more }) as StoredResponse

describe('whether a response may be stored', () => {
  const control = (text: string) => ({ 'cache-control': text })

  test.each<[string, number, Record<string, string>, boolean, boolean]>([
    ['a usual status', 200, {}, true, true],
    ['a status that is none of those', 302, {}, false, false],
    ['unless it says so by public', 302, control('public'), true, true],
    ['or by max-age', 302, control('max-age=5'), true, true],
    ['or by Expires', 302, { expires: '0' }, true, true],
    ['or by private, in a private cache', 302, control('private'), true, false],
    ['or by s-maxage, in a shared one', 302, control('s-maxage=5'), false, true],
    ['a private one, in a private cache alone', 200, control('private'), true, false],
    ['one that says no-store', 200, control('no-store'), false, false],
    ['one that must be understood, and is', 200, control('no-store, must-understand'), true, true],
    ['one that must be understood, and is not', 299, control('max-age=5, must-understand'), false, false],
    ['one that varies by everything', 200, { vary: 'accept, *' }, false, false],
    ['a part', 206, control('max-age=5'), false, false],
    ['a 304', 304, control('max-age=5'), false, false],
    ['an informational one', 103, control('max-age=5'), false, false],
    ['one with a cookie, in a private cache alone', 200, { 'set-cookie': 'a=b' }, true, false],
    ['one with a cookie that is for all', 200, { 'set-cookie': 'a=b', ...control('public') }, true, true],
  ])('%s', (_case, status, fields, privately, shared) => {
    expect([isStorable(at(fields, status), [], false), isStorable(at(fields, status), [], true)]).toEqual([privately, shared])
  })

  test.each([
    ['max-age=5', false],
    ['public', true],
    ['s-maxage=5', true],
    ['must-revalidate', true],
  ])('with Authorization in a shared cache, %s', (text, may) => {
    expect(isStorable(at(control(text)), ['authorization', 'a'], true)).toBe(may)
    expect(isStorable(at(control(text)), ['authorization', 'a'], false)).toBe(true)
  })

  test('names are read from a list whatever their case, and what is empty is none', () => {
    expect(names(' Accept,,ACCEPT-language , ')).toEqual(['accept', 'accept-language'])
    expect([names(''), names(null)]).toEqual([[], []])
  })
})

describe('a validation', () => {
  test('asks by the validators that are stored, in the place of any that are there', () => {
    const fields = ['accept', '*/*', 'if-none-match', '"old"']
    expect(conditional(fields, stored({}))).toEqual(fields)
    expect(conditional(fields, stored({ etag: '"a"' }))).toEqual(['accept', '*/*', 'if-none-match', '"a"'])
    expect(conditional(['accept', '*/*'], stored({ 'last-modified': 'x' }))).toEqual(['accept', '*/*', 'if-modified-since', 'x'])
  })

  test.each<[string, Record<string, string>, Record<string, string>, boolean]>([
    ['without validators', {}, { etag: '"a"' }, true],
    ['with the same tag', { etag: '"a"' }, { etag: '"a"' }, true],
    ['with the same tag, weak here or there', { etag: 'W/"a"' }, { etag: '"a"' }, true],
    ['with another tag', { etag: '"b"', 'last-modified': 'x' }, { etag: '"a"', 'last-modified': 'x' }, false],
    ['with a tag where none is stored', { etag: '"a"' }, {}, false],
    ['with the same date', { 'last-modified': 'x' }, { 'last-modified': 'x' }, true],
    ['with another date', { 'last-modified': 'y' }, { 'last-modified': 'x' }, false],
    ['with a date where none is stored', { 'last-modified': 'y' }, {}, false],
  ])('a 304 %s is about the stored response: $3', (_case, fields, headers, about) => {
    expect(validates(at(fields), stored(headers))).toBe(about)
  })

  test.each<[string, Record<string, string>, boolean]>([
    ['that says nothing', {}, true],
    ['with the same tag, date and length', { etag: '"a"', 'last-modified': 'x', 'content-length': '5' }, true],
    ['with another tag', { etag: '"b"' }, false],
    ['with another date', { 'last-modified': 'y' }, false],
    ['with another length', { 'content-length': '6' }, false],
  ])('the answer to a HEAD %s', (_case, fields, about) => {
    const headers = { etag: '"a"', 'last-modified': 'x', 'steadfetch-content-length': '5' }
    expect(describes(at(fields), stored(headers))).toBe(about)
  })
})

describe('a condition of the caller is met', () => {
  const headers = { etag: 'W/"a"', 'last-modified': dateAt(-60_000), date: dateAt(0) }

  test.each<[string, string[], Record<string, string>, boolean]>([
    ['by the tag', ['if-none-match', '"b", "a"'], headers, true],
    ['by any tag', ['if-none-match', ' * '], headers, true],
    ['not by another tag', ['if-none-match', '"b"'], headers, false],
    ['not by one that is part of another', ['if-none-match', '"aa"'], headers, false],
    ['not by a list without tags', ['if-none-match', 'a'], headers, false],
    ['not by a tag where none is stored', ['if-none-match', '"a"'], {}, false],
    ['not by a date beside a tag that is not', ['if-none-match', '"b"', 'if-modified-since', dateAt(0)], headers, false],
    ['by the date', ['if-modified-since', dateAt(-60_000)], headers, true],
    ['by a later date', ['if-modified-since', dateAt(0)], headers, true],
    ['not by an earlier date', ['if-modified-since', dateAt(-61_000)], headers, false],
    ['by the Date, where there is no Last-Modified', ['if-modified-since', dateAt(0)], { date: dateAt(0) }, true],
    ['not by what is no date', ['if-modified-since', 'yesterday'], headers, false],
    ['not where no date is stored', ['if-modified-since', dateAt(0)], {}, false],
    ['not by nothing', [], headers, false],
  ])('%s', (_case, fields, kept, met) => {
    expect(isUnchanged(fields, stored(kept), nowMs)).toBe(met)
  })
})

describe('what is done with a stored response', () => {
  /** Ten seconds old and fresh for so long. */
  const kept = (control: string, freshForMs: number): StoredResponse =>
    stored({ 'cache-control': control }, { cachedAt: nowMs - 10_000, staleAt: nowMs + freshForMs })

  test.each<[string, number, CacheMode, string, string, string]>([
    ['a fresh one', 1, 'default', '', '', 'hit'],
    ['a stale one', 0, 'default', '', '', 'stale'],
    ['a fresh one that says no-cache', 1, 'default', 'no-cache', '', 'stale'],
    ['a stale one, whatever its age', -1, 'force-cache', '', '', 'hit'],
    ['a stale one, for want of another', -1, 'only-if-cached', '', '', 'hit'],
    ['a fresh one that is to be validated', 1, 'no-cache', '', '', 'request'],
    ['a fresh one that never changes', 1, 'no-cache', 'immutable', '', 'hit'],
    ['a stale one that never changes', 0, 'no-cache', 'immutable', '', 'request'],
    ['a fresh one, with no-cache', 1, 'default', '', 'no-cache', 'request'],
    ['one as old as it may be', 1, 'default', '', 'max-age=10', 'hit'],
    ['one older than it may be', 1, 'default', '', 'max-age=9', 'request'],
    ['any, with max-age=0', 1, 'default', '', 'max-age=0', 'request'],
    ['one fresh for as long as is asked', 5_000, 'default', '', 'min-fresh=5', 'hit'],
    ['one not fresh for so long', 4_999, 'default', '', 'min-fresh=5', 'request'],
    ['a stale one that was to be fresh', 0, 'default', 'stale-while-revalidate=9', 'min-fresh=5', 'stale'],
    ['a stale one, with any staleness', -9e9, 'default', '', 'max-stale', 'hit'],
    ['a stale one, with so much staleness', -5_000, 'default', '', 'max-stale=5', 'hit'],
    ['a stale one, with less', -5_001, 'default', '', 'max-stale=5', 'stale'],
    ['a stale one, with less and any', -5_001, 'default', '', 'max-stale, max-stale=5', 'stale'],
    ['a stale one that forbids it', -1, 'default', 'must-revalidate', 'max-stale', 'stale'],
    ['a stale one for a while', -5_000, 'default', 'stale-while-revalidate=5', '', 'hit and revalidate'],
    ['a stale one after that', -5_001, 'default', 'stale-while-revalidate=5', '', 'stale'],
    ['a stale one, s-maxage of which is for others', -1, 'default', 's-maxage=1, proxy-revalidate', 'max-stale', 'hit'],
  ])('%s', (_case, freshForMs, mode, control, asked, reuse) => {
    const demand = demandOf({ cache: mode } as Terms, asked === '' ? [] : ['cache-control', asked], false)
    expect(reuseOf(kept(control, freshForMs), demand, false, nowMs)).toBe(reuse)
  })

  test.each(['proxy-revalidate', 's-maxage=1'])('a shared cache serves nothing stale with %s', (control) => {
    const demand = demandOf({ cache: 'default' } as Terms, ['cache-control', 'max-stale'], true)
    expect(reuseOf(kept(control, -1), demand, true, nowMs)).toBe('stale')
    expect(reuseOf(kept('max-age=1', -1), demand, true, nowMs)).toBe('hit')
  })

  test.each<[string, number, CacheMode, string, string, boolean]>([
    ['where the response says so', -5_000, 'default', 'stale-if-error=5', '', true],
    ['not longer than it says', -5_001, 'default', 'stale-if-error=5', '', false],
    ['where the request says so', -5_000, 'default', '', 'stale-if-error=5', true],
    ['not by itself', -1, 'default', '', '', false],
    ['not where it forbids it', -1, 'default', 'stale-if-error=5, must-revalidate', '', false],
    ['though it forbids it once it is stale, while it is not', 1, 'default', 'stale-if-error=5, must-revalidate', '', true],
    ['not at the moment when it is', 0, 'default', 'stale-if-error=5, must-revalidate', '', false],
    ['never with no-cache', 1, 'default', 'stale-if-error=5, no-cache', '', false],
    ['not for a request that insists', -1, 'no-cache', 'stale-if-error=5', '', false],
    ['nor for one that does so by a directive', -1, 'default', 'stale-if-error=5', 'no-cache', false],
    ['but if that says so itself', -1, 'no-cache', '', 'stale-if-error=5', true],
  ])('it stands in for an error: %s', (_case, freshForMs, mode, control, asked, may) => {
    const demand = demandOf({ cache: mode } as Terms, asked === '' ? [] : ['cache-control', asked], false)
    expect(mayStandIn(kept(control, freshForMs), demand, false, nowMs)).toBe(may)
  })

  test('it is of use for a day, or as long as it says', () => {
    expect(usefulMs(parseDirectives('stale-if-error=5'))).toBe(86_400_000)
    expect(usefulMs(parseDirectives('stale-if-error=100000'))).toBe(100_000_000)
    expect(usefulMs(parseDirectives('stale-while-revalidate=200000, stale-if-error=100000'))).toBe(200_000_000)
  })
})

describe('times', () => {
  const times = { requestMs: nowMs, responseMs: nowMs }
  const rules = { shared: false, heuristicRatio: 0.1 } as const

  test('no heuristic is used where none is wanted', () => {
    const fields = { 'last-modified': dateAt(-600_000) }
    expect(lifetimeMs(at(fields), times, { ...rules, heuristicRatio: false })).toBe(0)
    expect(lifetimeMs(at(fields), times, rules)).toBe(60_000)
  })

  test('of several ages the first counts, with the space around it', () => {
    expect(initialAgeMs(at({ age: ' 5 , 9' }), times)).toBe(5_000)
    expect(initialAgeMs(at({ age: '' }), times)).toBe(0)
  })

  test('a date may have space around it, and its zone in any case, but no other zone', () => {
    expect(lifetimeMs(at({ expires: ` ${dateAt(5_000)} ` }), times, rules)).toBe(5_000)
    expect(lifetimeMs(at({ expires: dateAt(5_000).replace('GMT', 'gMt') }), times, rules)).toBe(5_000)
    for (const zone of ['GMTX', 'XGMT', 'UTC']) {
      expect(lifetimeMs(at({ expires: dateAt(5_000).replace('GMT', zone) }), times, rules)).toBe(0)
    }
  })
})
