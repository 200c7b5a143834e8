import { describe, expect, test } from 'vitest'
import { looksLikeCredential, redactUrl } from '../../src/errors/redact.ts'
import { mergeFields, noFields, recordOf } from '../../src/http/fields.ts'
import { parseHttpDate } from '../../src/http/http-date.ts'
import { normaliseMethod } from '../../src/http/methods.ts'
import { retryAfterMs } from '../../src/http/retry-after.ts'
import { asFolder, resolveTarget } from '../../src/http/target.ts'

const nowMs = Date.UTC(2026, 10, 6, 8, 49, 37)

describe('HTTP-date (RFC 9110 §5.6.7)', () => {
  test.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sunday, 06-Nov-94 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sun Nov  6 08:49:37 1994', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Friday, 06-Nov-76 08:49:37 GMT', Date.UTC(2076, 10, 6, 8, 49, 37)],
    ['Friday, 06-Nov-77 08:49:37 GMT', Date.UTC(1977, 10, 6, 8, 49, 37)],
    ['Tue, 30 Jun 2026 23:59:60 GMT', Date.UTC(2026, 6, 1)],
    ['Sat, 29 Feb 2028 00:00:00 GMT', Date.UTC(2028, 1, 29)],
    ['Mon, 29 Feb 2027 00:00:00 GMT', null],
    ['Sun, 06 Nov 1994 08:49:37 CET', null],
    ['Sun, 06 Nov 1994 24:49:37 GMT', null],
    ['sun, 06 nov 1994 08:49:37 gmt', null],
    ['2026-11-06T08:49:37Z', null],
    ['', null],
  ])('%s', (text, expected) => {
    expect(parseHttpDate(text, nowMs)).toBe(expected)
  })
})

describe('Retry-After (RFC 9110 §10.2.3)', () => {
  const read = (value: string | null, date?: string): number | undefined => {
    const headers = new Headers({ ...(value === null ? {} : { 'retry-after': value }), ...(date === undefined ? {} : { date }) })
    return retryAfterMs({ field: (name) => headers.get(name) }, () => nowMs)
  }

  test.each([
    [null, undefined],
    ['120', 120_000],
    ['0', 0],
    [' 5 ', 5_000],
    ['1.5', 1_500],
    ['-1', undefined],
    ['1e3', undefined],
    ['soon', undefined],
    ['', undefined],
    // Of several, which a server must not send, none is to be come back before.
    ['5, 10', 10_000],
    ['10,5', 10_000],
    ['soon, 5', 5_000],
    ['5, Fri, 06 Nov 2026 08:50:37 GMT', 60_000],
    ['Friday, 06-Nov-26 08:50:37 GMT, 90', 90_000],
    [', ,', undefined],
    ['99999999999', 99_999_999_999_000],
    ['9'.repeat(400), Number.POSITIVE_INFINITY],
    ['Fri, 06 Nov 2026 08:50:37 GMT', 60_000],
    ['Friday, 06-Nov-26 08:50:37 GMT', 60_000],
    ['Fri Nov  6 08:50:37 2026', 60_000],
    ['Fri, 06 Nov 2020 08:50:37 GMT', 0],
  ])('%s', (value, expected) => {
    expect(read(value)).toBe(expected)
  })

  test('a date is measured from the Date of the response, so that a wrong clock here does not matter', () => {
    expect(read('Fri, 06 Nov 2026 10:00:30 GMT', 'Fri, 06 Nov 2026 10:00:00 GMT')).toBe(30_000)
    expect(read('Fri, 06 Nov 2026 08:50:37 GMT', 'nonsense')).toBe(60_000)
  })
})

describe('fields', () => {
  test('are merged by lower-case name, a repeated name joined, an own undefined removed', () => {
    const base = mergeFields(noFields, { Accept: 'a/b', 'X-Old': '1' })
    const list: [string, string][] = [
      ['accept', 'c/d'],
      ['Accept', 'e/f'],
      ['cookie', 'a=1'],
      ['Cookie', 'b=2'],
    ]
    expect(recordOf(mergeFields(base, list))).toEqual({ accept: 'c/d, e/f', 'x-old': '1', cookie: 'a=1; b=2' })
    expect(recordOf(mergeFields(base, { 'X-OLD': undefined } as never))).not.toHaveProperty('x-old')
    expect(recordOf(mergeFields(noFields, new Headers({ A: ' padded ' })))).toEqual({ a: 'padded' })
  })

  test.each([
    [{ 'a b': '1' }, '"a b" is no field name'],
    [{ '': '1' }, 'is no field name'],
    [{ a: 'x\r\ny: 1' }, 'the value of a holds forbidden characters'],
    [{ a: 'x\0' }, 'forbidden characters'],
    [{ a: '→' }, 'forbidden characters'],
    [{ a: Symbol('s') }, 'is a symbol'],
    [{ 'Transfer-Encoding': 'chunked' }, 'belongs to the connection'],
    [{ Expect: '100-continue' }, 'belongs to the connection'],
    [[['a']], 'must be a pair'],
    ['a: b', 'must be an object'],
  ])('%#: are refused without showing the value', (source, message) => {
    expect(() => mergeFields(noFields, source as never)).toThrow(message)
  })
})

describe('methods', () => {
  test('are normalised as fetch does: patch is not', () => {
    expect(['get', 'pOsT', 'patch', 'QUERY', 'purge'].map(normaliseMethod)).toEqual(['GET', 'POST', 'patch', 'QUERY', 'purge'])
  })
  test.each(['CONNECT', 'trace', 'TRACK', 'GET /x', '', 'GÉT'])('%j is refused', (method) => {
    expect(() => normaliseMethod(method)).toThrow(TypeError)
  })
})

describe('targets', () => {
  test('are resolved against the base as a folder', () => {
    const base = asFolder(new URL('https://api.test/v1?x#y'))
    expect(resolveTarget('users/1', base).href).toBe('https://api.test/v1/users/1')
    expect(resolveTarget('/users', base).href).toBe('https://api.test/users')
    expect(resolveTarget('https://other.test/', base).href).toBe('https://other.test/')
  })
  test.each([
    ['users/1', 'needs the option baseUrl'],
    ['https://', 'not a valid URL'],
    ['ftp://x/', 'the scheme "ftp:"'],
    ['javascript:alert(1)', 'the scheme "javascript:"'],
    ['https://me:hunter2@x.test/', 'has credentials'],
  ])('%s is refused', (target, message) => {
    expect(() => resolveTarget(target, undefined)).toThrow(message)
    expect(() => resolveTarget(target, undefined)).not.toThrow('hunter2')
  })
})

describe('redaction', () => {
  test('masks credentials in a target and leaves the rest', () => {
    expect(redactUrl('https://u:p@x.test/a?id=7&access_token=abc&X-Amz-Signature=def&sig=1#frag')).toBe(
      'https://x.test/a?id=7&access_token=***&X-Amz-Signature=***&sig=***',
    )
    expect(redactUrl('not a url')).toBe('(invalid URL)')
  })
  test.each([
    'authorization',
    'cookie',
    'x-api-key',
    'X-Auth-Token',
    'apiKey',
    'client_secret',
    'x-csrf-token',
    'x-session-id',
    'PRIVATE-TOKEN',
  ])('%s looks like a credential', (name) => expect(looksLikeCredential(name)).toBe(true))
  test.each(['accept', 'idempotency-key', 'content-type', 'x-request-id', 'keyboard', 'monkey', 'author', 'range'])(
    '%s does not',
    (name) => expect(looksLikeCredential(name)).toBe(false),
  )
})
