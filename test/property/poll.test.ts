import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inquiry } from '../../src/http/monitor.ts'
import { pollWaitMs } from '../../src/policy/polling.ts'
import { runCount } from '../support/run-count.ts'

const ms = (max: number) => fc.double({ min: 1, max, noNaN: true })

test('a poll is never sooner than the interval and Retry-After, and at most a fifth later than what is due', () => {
  fc.assert(
    fc.property(
      fc.record({
        intervalMs: ms(60_000),
        growMs: ms(60_000),
        polls: fc.nat(2_000),
        askedMs: fc.option(ms(1e9), { nil: undefined }),
        remainingMs: ms(1e9),
        chance: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      }),
      ({ intervalMs, growMs, polls, askedMs, remainingMs, chance }) => {
        const maxIntervalMs = intervalMs + growMs
        const policy = { kind: 'poll', intervalMs, maxIntervalMs } as const
        const waitMs = pollWaitMs({ policy, polls, askedMs, remainingMs, random: () => chance })
        expect(waitMs).toBeGreaterThanOrEqual(Math.max(intervalMs, askedMs ?? 0))
        const due = askedMs === undefined ? Math.min(maxIntervalMs, remainingMs / 2) : askedMs
        expect(waitMs).toBeLessThanOrEqual(Math.max(intervalMs, due) * 1.2 + 1e-6)
      },
    ),
    { numRuns: runCount(5_000) },
  )
})

test('whatever a monitor field says, no credential leaves its origin, nothing goes from https to http, and content never', () => {
  const secret = [
    'authorization',
    'Bearer secret',
    'cookie',
    'a=secret',
    'x-api-key',
    'secret',
    'accept',
    '*/*',
    'content-type',
    'a/b',
  ]
  const request = {
    method: 'POST',
    href: 'https://api.test/jobs?a=b',
    origin: 'https://api.test',
    fields: secret,
    content: null,
  }
  const location = fc.oneof(
    fc.webUrl({ withQueryParameters: true }),
    fc.string(),
    fc.stringMatching(/^(?:https?:)?[/\\\\@]{0,3}(?:api\.test|evil\.test|a@api\.test)?[/\\\\?#:0-9]{0,6}$/),
  )
  fc.assert(
    fc.property(location, (text) => {
      const next = inquiry(request, text)
      if ('kind' in next) {
        expect(next.kind).toBe('refused')
        return
      }
      expect(next.href.startsWith(`${next.origin}/`)).toBe(true)
      expect(next.origin).toMatch(/^https:/)
      expect([next.method, next.content, next.fields.includes('content-type')]).toEqual(['GET', null, false])
      expect(next.fields.join().includes('secret')).toBe(next.origin === request.origin)
    }),
    { numRuns: runCount(5_000) },
  )
})
