import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as exported from '../../src/index.ts'
import { explain } from '../../src/index.ts'
import { healthOf } from '../../src/status/health.ts'
import {
  cacheableStatuses,
  errorClass,
  isBodiless,
  isInformational,
  isOk,
  isStatus,
  registeredStatuses,
  statusClass,
  statusRow,
} from '../../src/status/table.ts'

/** The registry as IANA publishes it: value, description, reference. */
const registry = readFileSync(new URL('./iana-http-status-codes.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => /^([\d-]+),([^,]*),"?(.*?)"?$/.exec(line)?.slice(1) as [string, string, string])
const assigned = registry.filter(([, description]) => description !== 'Unassigned')

/** DESIGN of the defaults, written down apart from the table. */
const policies: Record<string, number[]> = {
  inform: [100, 101, 102, 103, 104],
  accept: [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 304, 305, 306],
  follow: [301, 302, 303, 307, 308],
  fail: [
    400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 414, 415, 416, 417, 418, 422, 423, 424, 426, 428, 431, 451, 501,
    505, 506, 507, 508, 510, 511,
  ],
  pause: [429],
  retry: [408, 413, 421, 425, 500, 502, 503, 504],
}

/** Who may be repeated, and what a Retry-After means, where it is not nobody and nothing. */
const repeats: Record<string, number[]> = { any: [421, 425], idempotent: [408, 413, 429, 500, 502, 503, 504] }
const waits: Record<string, number[]> = {
  waits: [301, 302, 303, 307, 308, 408, 421, 425, 500, 502, 504],
  pauses: [429, 503],
  required: [413],
}
/** What holds of few codes only. */
const extras: Record<string, number[]> = {
  switches: [101],
  pending: [202],
  bodiless: [204, 205, 304],
  newConnection: [421],
  tooEarly: [425],
  notOfOrigin: [407, 511],
}

describe("the status table against IANA's registry", () => {
  test('has a line for every registered code, and no other', () => {
    expect(registeredStatuses()).toEqual(assigned.map(([value]) => Number(value)))
  })

  test.each(assigned)('%s %s is named and cited as registered', (value, description, reference) => {
    const row = statusRow(Number(value))
    expect(row.phrase).toBe(description.replace(/ \((?:TEMPORARY|OBSOLETED)\)$/, ''))
    const [, document, section] = /^\[([A-Za-z]+\d+|draft-[a-z-]+[a-z])(?:-\d+)?(?:, Section ([\d.]+))?\]/.exec(reference) ?? []
    expect(row.reference.replace('RFC ', 'RFC')).toContain(document)
    if (section !== undefined) expect(row.reference).toBe(`RFC 9110 §${section}`)
  })

  test.each(Object.entries(policies))('the built-in policy %s applies to the codes it should', (policy, statuses) => {
    expect(registeredStatuses().filter((status) => explain(status).policy.kind === policy)).toEqual(statuses)
  })

  test('says who may be repeated', () => {
    for (const status of registeredStatuses()) {
      const rule = Object.keys(repeats).find((name) => repeats[name]?.includes(status)) ?? 'never'
      expect([status, statusRow(status).repeat]).toEqual([status, rule])
    }
  })

  test('says what a Retry-After means', () => {
    for (const status of registeredStatuses()) {
      const rule = Object.keys(waits).find((name) => waits[name]?.includes(status)) ?? 'ignored'
      expect([status, statusRow(status).retryAfter]).toEqual([status, rule])
    }
  })

  test.each(Object.entries(extras))('says of which codes it holds: %s', (name, statuses) => {
    const row = (status: number): object => statusRow(status)
    expect(registeredStatuses().filter((status) => name in row(status))).toEqual(statuses)
    expect(statuses.map((status) => row(status))).toEqual(statuses.map(() => expect.objectContaining({ [name]: true })))
  })

  test('says what becomes of the request when a redirect is followed', () => {
    expect(registeredStatuses().flatMap((status) => statusRow(status).redirect ?? [])).toHaveLength(5)
    expect([301, 302, 303, 307, 308].map((status) => statusRow(status).redirect)).toEqual([
      'post-becomes-get',
      'post-becomes-get',
      'becomes-get',
      'keeps-request',
      'keeps-request',
    ])
  })

  test('every registered 4xx and 5xx code but 418 has an error class of its own, named after its phrase', () => {
    const failures = assigned.filter(([value]) => Number(value) >= 400 && value !== '418')
    const names = failures.map(([value]) => errorClass(Number(value)).name)
    expect(new Set(names).size).toBe(failures.length)
    for (const [index, [, description]] of failures.entries()) {
      const phrase = description.replace(' (OBSOLETED)', '')
      const name = phrase
        .split(' ')
        .map((word) => (word === word.toUpperCase() ? (word[0] ?? '') + word.slice(1).toLowerCase() : word))
        .join('')
      expect(names[index]).toBe(name.endsWith('Error') ? name : `${name}Error`)
      expect(exported).toHaveProperty(names[index] as string)
    }
    expect(errorClass(418).name).toBe('ClientError')
  })

  test('is total over 100-999: codes that are not registered take the default of their class', () => {
    for (let status = 100; status <= 999; status += 1) {
      const row = statusRow(status)
      expect(row.phrase !== '').toBe(assigned.some(([value]) => Number(value) === status))
      expect(['inform', 'accept', 'follow', 'fail', 'retry', 'pause']).toContain(row.policy)
    }
    expect([199, 299, 399, 499, 599, 600, 999].map((status) => [statusClass(status), statusRow(status).policy])).toEqual([
      ['1xx', 'inform'],
      ['2xx', 'accept'],
      ['3xx', 'accept'],
      ['4xx', 'fail'],
      ['5xx', 'retry'],
      ['5xx', 'fail'],
      ['5xx', 'fail'],
    ])
  })
})

test('codes that are not registered are repeated, waited for, cited and thrown as those of their class', () => {
  const facts = [199, 299, 399, 499, 599, 600, 999].map((status) => {
    const { repeat, retryAfter, reference } = statusRow(status)
    return [repeat, retryAfter, reference, errorClass(status).name]
  })
  expect(facts).toEqual([
    ['never', 'ignored', 'RFC 9110 §15.2', 'UnexpectedStatusError'],
    ['never', 'ignored', 'RFC 9110 §15.3', 'UnexpectedStatusError'],
    ['never', 'ignored', 'RFC 9110 §15.4', 'UnexpectedStatusError'],
    ['never', 'ignored', 'RFC 9110 §15.5', 'ClientError'],
    ['idempotent', 'waits', 'RFC 9110 §15.6', 'ServerError'],
    ['never', 'ignored', 'RFC 9110 §15', 'ServerError'],
    ['never', 'ignored', 'RFC 9110 §15', 'ServerError'],
  ])
  expect(errorClass(200).name).toBe('UnexpectedStatusError')
})

test('what a status is said to be by its number', () => {
  const which = (is: (status: number) => boolean): number[] => [99, 100, 199, 200, 200.5, 299, 300, 999, 1000].filter(is)
  expect(which(isStatus)).toEqual([100, 199, 200, 299, 300, 999])
  expect(which(isInformational)).toEqual([99, 100, 199])
  expect(which(isOk)).toEqual([200, 200.5, 299])
})

test('a response to HEAD has no content, nor has one of a status without', () => {
  expect([100, 199, 200, 204, 205, 206, 304, 404].filter((status) => isBodiless('GET', status))).toEqual([
    100, 199, 204, 205, 304,
  ])
  expect(isBodiless('HEAD', 200)).toBe(true)
})

test('a status that is understood is stored by a cache only if RFC 9110 says so', () => {
  const stored = registeredStatuses().filter((status) => cacheableStatuses.has(status))
  expect(stored).toEqual([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])
})

test('a 5xx that may be repeated is a failure of the origin, a 429 asks for less, and any other answer shows that it is well', () => {
  const codes = [...registeredStatuses(), 299, 499, 599, 600]
  expect(codes.filter((status) => healthOf(status) === 'failing')).toEqual([500, 502, 503, 504, 599])
  expect(codes.filter((status) => healthOf(status) === 'limiting')).toEqual([429])
  expect(codes.filter((status) => healthOf(status) === 'well')).toHaveLength(codes.length - 6)
})

describe('explain', () => {
  test('tells the policy, where it comes from and what gives it up', () => {
    expect(explain(503)).toMatchObject({
      phrase: 'Service Unavailable',
      policy: { kind: 'retry' },
      source: 'built-in',
      repeat: 'idempotent',
      retryAfter: 'pauses',
      error: 'ServiceUnavailableError',
      reference: 'RFC 9110 §15.6.4',
    })
    expect(explain(404, { on: { '4xx': 'accept' } })).toMatchObject({
      policy: { kind: 'accept' },
      source: 'class',
      error: undefined,
    })
    expect(explain(404, { on: { 404: () => 'fail' } })).toMatchObject({ policy: { kind: 'function' }, source: 'exact' })
    expect(explain(421)).toMatchObject({ repeat: 'any' })
    expect(explain('network')).toMatchObject({ policy: { kind: 'retry' }, error: 'NetworkError' })
    expect(explain('timeout', { on: { timeout: 'fail' } })).toMatchObject({
      policy: { kind: 'fail' },
      source: 'exact',
      error: 'TimeoutError',
    })
    expect(() => explain(99)).toThrow(TypeError)
  })
})
