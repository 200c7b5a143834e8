import { describe, expect, test } from 'vitest'
import { quotasOf } from '../../src/http/rate-limit.ts'

const nowMs = Date.UTC(2026, 0, 1, 12)
const date = 'Thu, 01 Jan 2026 12:00:00 GMT'
const nowSeconds = nowMs / 1_000

function told(fields: Record<string, string>, wallTime = nowMs): unknown[] {
  const headers = new Headers(fields)
  const quotas = quotasOf({ field: (name) => headers.get(name) }, () => wallTime)
  return quotas.map((quota) =>
    Object.fromEntries(Object.entries(quota).filter(([, value]) => value !== undefined && value !== '')),
  )
}

describe('what services send', () => {
  test.each<[string, Record<string, string>, object]>([
    [
      'GitHub: epoch seconds, a quota per resource',
      {
        'x-ratelimit-limit': '5000',
        'x-ratelimit-remaining': '4987',
        'x-ratelimit-reset': String(nowSeconds + 1_800),
        'x-ratelimit-used': '13',
        'x-ratelimit-resource': 'core',
      },
      { name: 'x-ratelimit', partition: 'core', limit: 5_000, remaining: 4_987, resetMs: 1_800_000 },
    ],
    [
      'X: epoch seconds, spelt x-rate-limit',
      { 'x-rate-limit-limit': '900', 'x-rate-limit-remaining': '12', 'x-rate-limit-reset': String(nowSeconds + 600) },
      { name: 'x-rate-limit', limit: 900, remaining: 12, resetMs: 600_000 },
    ],
    [
      'Okta: epoch seconds compared with Date',
      { date, 'X-Rate-Limit-Limit': '600', 'X-Rate-Limit-Remaining': '0', 'X-Rate-Limit-Reset': String(nowSeconds + 33) },
      { name: 'x-rate-limit', limit: 600, remaining: 0, resetMs: 33_000 },
    ],
    [
      'Cloudflare: the list of the draft',
      { ratelimit: '"default";r=50;t=30', 'ratelimit-policy': '"default";q=1200;w=300' },
      { name: 'default', remaining: 50, resetMs: 30_000, limit: 1_200, windowMs: 300_000 },
    ],
    [
      'express-rate-limit, draft 8: a partition key',
      {
        ratelimit: '"100-in-1min"; r=99; t=60; pk=:NGY3ZTRjOTg4NjFm:',
        'ratelimit-policy': '"100-in-1min"; q=100; w=60; pk=:NGY3ZTRjOTg4NjFm:',
      },
      { name: '100-in-1min', partition: 'NGY3ZTRjOTg4NjFm', remaining: 99, resetMs: 60_000, limit: 100, windowMs: 60_000 },
    ],
    [
      'express-rate-limit, draft 7: the dictionary',
      { ratelimit: 'limit=100, remaining=50, reset=5', 'ratelimit-policy': '100;w=15' },
      { name: 'ratelimit', limit: 100, remaining: 50, resetMs: 5_000, windowMs: 15_000 },
    ],
    [
      'drafts up to 6: three fields, the limit with its windows',
      { 'ratelimit-limit': '100, 100;w=60, 1000;w=3600', 'ratelimit-remaining': '7', 'ratelimit-reset': '22' },
      { name: 'ratelimit', limit: 100, remaining: 7, resetMs: 22_000, windowMs: 60_000 },
    ],
    [
      'three fields and a RateLimit-Policy',
      {
        'ratelimit-limit': '20',
        'ratelimit-remaining': '19',
        'ratelimit-reset': '60',
        'ratelimit-policy': '20;w=60',
      },
      { name: 'ratelimit', limit: 20, remaining: 19, resetMs: 60_000, windowMs: 60_000 },
    ],
    [
      'a payment service: delta seconds in X-RateLimit',
      { 'x-ratelimit-limit': '25', 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': '1' },
      { name: 'x-ratelimit', limit: 25, remaining: 3, resetMs: 1_000 },
    ],
    [
      'Discord: fractions in Reset-After, a quota per bucket',
      {
        'x-ratelimit-limit': '5',
        'x-ratelimit-remaining': '4',
        'x-ratelimit-reset': `${nowSeconds + 9}.125`,
        'x-ratelimit-reset-after': '1.25',
        'x-ratelimit-bucket': 'abcd1234',
      },
      { name: 'x-ratelimit', partition: 'abcd1234', limit: 5, remaining: 4, resetMs: 1_250 },
    ],
    [
      'Reddit: a fraction of a request is none',
      { 'x-ratelimit-remaining': '598.9', 'x-ratelimit-reset': '120', 'x-ratelimit-used': '2' },
      { name: 'x-ratelimit', remaining: 598, resetMs: 120_000 },
    ],
    [
      'HubSpot: the window in milliseconds, no reset',
      {
        'x-hubspot-ratelimit-max': '110',
        'x-hubspot-ratelimit-remaining': '108',
        'x-hubspot-ratelimit-interval-milliseconds': '10000',
        'x-hubspot-ratelimit-daily': '250000',
      },
      { name: 'x-hubspot-ratelimit', limit: 110, remaining: 108, resetMs: 10_000, windowMs: 10_000 },
    ],
    [
      'OpenAI: a duration as Go writes it',
      {
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-remaining-requests': '59',
        'x-ratelimit-reset-requests': '1m2.5s',
        'x-ratelimit-remaining-tokens': '1',
      },
      { name: 'x-ratelimit-requests', limit: 60, remaining: 59, resetMs: 62_500 },
    ],
    [
      'Anthropic: a date of RFC 3339',
      {
        'anthropic-ratelimit-requests-limit': '50',
        'anthropic-ratelimit-requests-remaining': '49',
        'anthropic-ratelimit-requests-reset': '2026-01-01T12:00:04Z',
      },
      { name: 'anthropic-ratelimit-requests', limit: 50, remaining: 49, resetMs: 4_000 },
    ],
    [
      'epoch milliseconds',
      { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': String(nowMs + 2_500) },
      { name: 'x-ratelimit', remaining: 1, resetMs: 2_500 },
    ],
    [
      'an HTTP-date',
      { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': 'Thu, 01 Jan 2026 12:01:00 GMT' },
      { name: 'x-ratelimit', remaining: 1, resetMs: 60_000 },
    ],
  ])('%s', (_who, fields, expected) => {
    expect(told(fields)).toEqual([expected])
  })

  test('several policies are told one by one', () => {
    const fields = {
      ratelimit: '"permin";r=50;t=30, "perhr";r=900;t=1800',
      'ratelimit-policy': '"permin";q=50;w=60,"perhr";q=1000;w=3600',
    }
    expect(told(fields)).toEqual([
      { name: 'permin', remaining: 50, resetMs: 30_000, limit: 50, windowMs: 60_000 },
      { name: 'perhr', remaining: 900, resetMs: 1_800_000, limit: 1_000, windowMs: 3_600_000 },
    ])
  })

  test('the policy of the same partition is the one that counts', () => {
    const fields = {
      ratelimit: '"user";r=1;t=3;pk=:Yg==:',
      'ratelimit-policy': '"user";q=5;w=9;pk=:YQ==:,"user";q=7;w=9;pk=:Yg==:',
    }
    expect(told(fields)).toEqual([{ name: 'user', partition: 'Yg==', remaining: 1, resetMs: 3_000, limit: 7, windowMs: 9_000 }])
  })
})

describe('times', () => {
  test('are compared with the Date of the response, so that a wrong clock here does no harm', () => {
    const fields = { date, 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': String(nowSeconds + 10) }
    expect(told(fields, nowMs + 3_600_000)).toEqual([{ name: 'x-ratelimit', remaining: 1, resetMs: 10_000 }])
  })

  test('that have passed are now', () => {
    const reset = (value: string): unknown => told({ 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': value })
    const now = [{ name: 'x-ratelimit', remaining: 1, resetMs: 0 }]
    expect(reset(String(nowSeconds - 10))).toEqual(now)
    expect(reset('-5')).toEqual(now)
    expect(reset('0')).toEqual(now)
  })

  test('without an effective window are those of the whole window', () => {
    const fields = { ratelimit: '"a";r=9', 'ratelimit-policy': '"a";q=10;w=5' }
    expect(told(fields)).toEqual([{ name: 'a', remaining: 9, resetMs: 5_000, limit: 10, windowMs: 5_000 }])
  })

  test('give way to Retry-After where the quota is used up', () => {
    const fields = { 'retry-after': '7', ratelimit: '"a";r=0;t=5, "b";r=3;t=50' }
    expect(told(fields)).toMatchObject([
      { name: 'a', resetMs: 7_000 },
      { name: 'b', resetMs: 50_000 },
    ])
  })
})

test('a negative remainder is none left, a negative limit is no limit', () => {
  expect(told({ 'x-ratelimit-remaining': '-3', 'x-ratelimit-reset': '1' })).toMatchObject([{ remaining: 0 }])
  expect(told({ 'x-ratelimit-limit': '-1', 'x-ratelimit-remaining': '-1', 'x-ratelimit-reset': '1' })).toEqual([])
})

describe('ignored is', () => {
  test.each<[string, Record<string, string>]>([
    ['a response without such fields', { 'content-type': 'text/plain' }],
    ['a response from a cache', { age: '12', ratelimit: '"a";r=1;t=5' }],
    ['a quota of bytes', { ratelimit: '"a";r=1;t=5', 'ratelimit-policy': '"a";q=9;qu="content-bytes";w=5' }],
    ['a quota of which nobody knows when it ends', { ratelimit: '"trial";r=999;pk=:dHJpYWwxMjEzMjM=:' }],
    ['a policy alone', { 'ratelimit-policy': '"a";q=9;w=5' }],
    ['a list that is none', { ratelimit: '"a";r=1;t=5,,' }],
    ['an inner list', { ratelimit: '("a" "b");r=1;t=5' }],
    ['a negative quota', { ratelimit: '"a";r=-1;t=5' }],
    ['a quota in words', { ratelimit: '"a";r="many";t=5' }],
    ['a dictionary without a reset', { ratelimit: 'limit=5, remaining=3' }],
    ['a number that is none', { 'x-ratelimit-remaining': 'NaN', 'x-ratelimit-reset': '5' }],
    ['a number no number can hold', { 'x-ratelimit-remaining': '9'.repeat(400), 'x-ratelimit-reset': '5' }],
    ['an exponent', { 'x-ratelimit-remaining': '1e3', 'x-ratelimit-reset': '5' }],
    ['a remainder without a reset', { 'x-ratelimit-remaining': '1' }],
    ['a reset that means nothing', { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': 'soon' }],
    ['a date that does not exist', { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '2026-99-01T00:00:00Z' }],
    ['what Azure tells of its own', { 'x-ms-ratelimit-remaining-subscription-reads': '11999' }],
  ])('%s', (_what, fields) => {
    expect(told(fields)).toEqual([])
  })

  test('a malformed field, but not the others', () => {
    const fields = { ratelimit: '(((', 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': '2' }
    expect(told(fields)).toEqual([{ name: 'x-ratelimit', remaining: 4, resetMs: 2_000 }])
  })
})

test('a response that says nothing costs a few looks at its fields', () => {
  const looked: string[] = []
  quotasOf(
    {
      field: (name) => {
        looked.push(name)
        return null
      },
    },
    () => {
      throw new Error('the clock is not asked')
    },
  )
  expect(looked).toHaveLength(7)
})
