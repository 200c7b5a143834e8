import fc from 'fast-check'
import { parseList } from 'structured-headers'
import { expect, test } from 'vitest'
import { parseDirectives, secondsOf } from '../../../src/http/cache-control.ts'
import { createFetch, traceOf } from '../../../src/index.ts'
import { initialAgeMs, lifetimeMs } from '../../../src/policy/freshness.ts'
import { isStorable } from '../../../src/policy/storable.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { anyField, anySpace, anyToken, word } from '../../support/field-grammar.ts'
import { runCount } from '../../support/run-count.ts'

const directive = fc.tuple(anyToken, fc.option(word), anySpace, anySpace).map(([name, argument, before, after]) => ({
  name: name.toLowerCase(),
  argument: argument === null ? null : argument.value,
  written: `${before}${name}${argument === null ? '' : `=${argument.written}`}${after}`,
}))

test('a Cache-Control field that is well-formed is read back as it was meant', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(directive, fc.constant(undefined)), { maxLength: 6 }), (members) => {
      const meant = new Map<string, (string | null)[]>()
      for (const member of members) {
        if (member !== undefined) meant.set(member.name, [...(meant.get(member.name) ?? []), member.argument])
      }
      const field = members.map((member) => member?.written ?? ' ').join(',')
      expect(new Map(parseDirectives(field))).toEqual(meant)
    }),
    { numRuns: runCount(300) },
  )
})

/** The fields a cache goes by. */
const names = ['cache-control', 'age', 'expires', 'date', 'vary', 'last-modified', 'pragma', 'etag'] as const
const dateText = fc
  .integer({ min: -400_000, max: 400_000 })
  .map((seconds) => new Date(Date.UTC(2026, 0, 1) + seconds * 1_000).toUTCString())
const value = fc.oneof(anyField, dateText, fc.constantFrom('0', '-1', '10', '99999999999999', '*', 'accept', 'max-age=60', '"a"'))
const fieldsOf = fc.record(
  Object.fromEntries(names.map((name) => [name, fc.option(value)])) as Record<string, fc.Arbitrary<string | null>>,
)
const cacheControl = fc.oneof(
  anyField,
  fc
    .tuple(
      anyField,
      fc.constantFrom(',', ', ', ' ', ';', '"'),
      fc.constantFrom('no-store', 'max-age=60', 'private', 'no-store, max-age=60'),
    )
    .map(([before, between, after]) => before + between + after),
)

/** Words outside of quoted strings, where those are closed, that are not the argument of a directive. */
function wordsOf(field: string): string[] {
  const bare = field
    .replace(/"(?:[^"\\]|\\.)*"/g, ' ')
    .toLowerCase()
    .replace(/(^|,)([\t ]*[!#$%&'*+\-.^_`|~0-9a-z]+)=[!#$%&'*+\-.^_`|~0-9a-z]+(?=[\t ]*(?:,|$))/g, '$1$2')
  return bare.match(/[!#$%&'*+\-.^_`|~0-9a-z]+/g) ?? []
}

test('whatever the fields say, ages and lifetimes are times, and what is malformed makes nothing fresher', () => {
  fc.assert(
    fc.property(fieldsOf, cacheControl, fc.boolean(), (given, control, shared) => {
      const fields: Record<string, string | null> = { ...given, 'cache-control': control }
      const response = { status: 200, field: (name: string) => fields[name] ?? null }
      const nowMs = Date.UTC(2026, 0, 1)
      const times = { requestMs: nowMs, responseMs: nowMs }
      for (const ms of [lifetimeMs(response, times, { shared, heuristicRatio: 0.1 }), initialAgeMs(response, times)]) {
        expect(ms >= 0 && ms < Infinity).toBe(true)
      }
      const directives = parseDirectives(control)
      for (const name of directives.keys()) expect(secondsOf(directives, name)).toBeGreaterThanOrEqual(0)
      const said = wordsOf(control)
      const stored = isStorable(response, [], shared)
      if (said.includes('no-store') && !said.includes('must-understand')) expect(stored).toBe(false)
      if (said.includes('private') && shared) expect(stored).toBe(false)
      if ((fields.vary ?? '').split(',').some((name) => name.trim() === '*')) expect(stored).toBe(false)
      // Only a number of whole seconds makes a response fresh by max-age.
      if (directives.has('max-age') && !/(?:max-age|s-maxage)\s*=\s*"?\d/i.test(control)) {
        expect(lifetimeMs(response, times, { shared, heuristicRatio: 0.1 })).toBe(0)
      }
    }),
    { numRuns: runCount(500) },
  )
})

test('a cache that is fed with anything answers, and what it says of itself is a field of RFC 9211', async () => {
  const ends = { hits: 0, sent: 0 }
  await fc.assert(
    fc.asyncProperty(fieldsOf, cacheControl, fc.nat({ max: 100_000 }), fc.boolean(), async (given, control, waitMs, shared) => {
      const clock = new FakeClock()
      const headers = new Headers({ 'cache-control': control })
      for (const [name, text] of Object.entries(given)) if (text !== null && name !== 'cache-control') headers.set(name, text)
      let sent = 0
      const transport = async (): Promise<Response> => {
        sent += 1
        return new Response(`answer ${sent}`, { headers })
      }
      const fetch = createFetch({ transport, clock, cache: { shared } })
      for (const call of [1, 2]) {
        const response = await fetch('https://api.test/a')
        const text = await response.text()
        const told = traceOf(response)?.cache
        expect(() => parseList(told ?? '')).not.toThrow()
        expect(text).toMatch(/^answer [12]$/)
        if (call === 1) await clock.advance(waitMs)
        else ends[sent === 1 ? 'hits' : 'sent'] += 1
      }
      const said = wordsOf(control)
      if (said.includes('no-store') && !said.includes('must-understand')) expect(sent).toBe(2)
    }),
    { numRuns: runCount(200) },
  )
  expect(ends.hits).toBeGreaterThan(runCount(200) / 50)
  expect(ends.sent).toBeGreaterThan(runCount(200) / 50)
})
