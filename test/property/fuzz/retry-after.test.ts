import fc from 'fast-check'
import { expect, test } from 'vitest'
import { retryAfterMs } from '../../../src/http/retry-after.ts'
import { createFetch, isHttpError, traceOf } from '../../../src/index.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { runCount } from '../../support/run-count.ts'
import { scripted } from '../../support/scripted-transport.ts'

const startMs = Date.UTC(2026, 0, 1)
const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** The three forms of RFC 9110 §5.6.7, written from their grammar. */
function dateText(seconds: number, form: 'imf' | 'rfc850' | 'asctime'): string {
  const date = new Date(startMs + seconds * 1_000)
  const imf = date.toUTCString()
  const [, day = '', month = '', year = '', time = ''] = /^\w+, (\d\d) (\w+) (\d+) (\S+) GMT$/.exec(imf) ?? []
  const name = days[date.getUTCDay()] as string
  if (form === 'imf') return imf
  if (form === 'rfc850') return `${name}, ${day}-${month}-${year.slice(-2)} ${time} GMT`
  return `${name.slice(0, 3)} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`
}

/** What a field means, told by what made it; undefined for what means nothing. */
interface Asked {
  readonly field: string
  readonly date?: string
  readonly seconds: number | undefined
}

const space = fc.constantFrom('', ' ', '\t')
const delta = fc
  .tuple(
    fc.oneof(fc.nat({ max: 200 }), fc.bigInt({ min: 0n, max: 10n ** 30n })),
    fc.constantFrom('', '', '.5', '.0625'),
    fc.constantFrom('', '0', '000'),
    space,
  )
  .map(([whole, part, zeros, around]): Asked => {
    return { field: `${around}${zeros}${whole}${part}${around}`, seconds: Number(`${whole}${part}`) }
  })
const form = fc.constantFrom('imf' as const, 'rfc850' as const, 'asctime' as const)
const dated = fc
  .tuple(fc.integer({ min: -100_000, max: 100_000 }), form, fc.option(fc.tuple(fc.integer({ min: -90_000, max: 90_000 }), form)))
  .map(([seconds, how, said]): Asked => {
    const field = dateText(seconds, how)
    if (said === null) return { field, seconds: Math.max(0, seconds) }
    return { field, date: dateText(said[0], said[1]), seconds: Math.max(0, seconds - said[0]) }
  })
const meaningless = fc
  .oneof(
    fc.constantFrom('-1', '+1', '1e3', '0x10', '1,5', '5, 5', '1 2', 'NaN', 'Infinity', '.5', '5.', '٣', '1s', ''),
    fc.string({ unit: fc.constantFrom(...'0123456789.-+e,: GMTJanSudy'), maxLength: 30 }),
    fc.tuple(dated, fc.nat({ max: 40 }), fc.constantFrom('', 'x', '9', ' ')).map(([{ field }, at, by]) => {
      return field.slice(0, at) + by + field.slice(at + 1)
    }),
  )
  .filter((field) => !/^\s*\d+(?:\.\d+)?\s*$/.test(field))

/** A value as it can stand in a field. */
const header = (text: string): string => text.replace(/[^\t\x20-\x7e]/g, '')

test('what Retry-After asks for is read exactly, in every form it has', () => {
  fc.assert(
    fc.property(fc.oneof(delta, dated), ({ field, date, seconds }) => {
      const fields: Record<string, string | undefined> = { 'retry-after': field, date }
      const ms = retryAfterMs({ field: (name) => fields[name] ?? null }, () => startMs)
      expect(ms).toBe((seconds as number) * 1_000)
    }),
    { numRuns: runCount(300) },
  )
})

test('what is none of its forms means nothing, or a time that is not negative', () => {
  fc.assert(
    fc.property(meaningless, (field) => {
      const ms = retryAfterMs({ field: (name) => (name === 'retry-after' ? header(field) : null) }, () => startMs)
      expect(ms === undefined || (ms >= 0 && !Number.isNaN(ms))).toBe(true)
    }),
    { numRuns: runCount(300) },
  )
})

test('no request comes earlier than was asked, no timer is armed for what is no time, and each call ends', async () => {
  const ends = { waited: 0, thrown: 0 }
  const junk = meaningless.map((field): Asked => ({ field: header(field), seconds: undefined }))
  await fc.assert(
    fc.asyncProperty(fc.oneof(delta, dated, junk), fc.constantFrom(429, 503, 500, 413, 302), async (asked, status) => {
      const clock = new FakeClock(startMs)
      const armedFor: number[] = []
      const watched = {
        now: clock.now,
        wallTime: clock.wallTime,
        after: (ms: number, run: () => void) => {
          armedFor.push(ms)
          return clock.after(ms, run)
        },
      }
      const headers = {
        'retry-after': asked.field,
        ...(asked.date === undefined ? {} : { date: asked.date }),
        ...(status === 302 ? { location: '/b' } : {}),
      }
      const { transport, sent } = scripted(clock.now, new Response(null, { status, headers }), new Response('ok'))
      const fetch = createFetch({ transport, clock: watched, random: () => 0.5 })
      const result = await clock.drive(fetch('https://api.test/a').catch((error: unknown) => error))
      expect(armedFor.filter((ms) => !(ms >= 0 && ms < Infinity))).toEqual([])
      expect(clock.armed).toBe(0)
      expect(traceOf(result)?.attempts).toHaveLength(sent.length)
      const [first, second] = sent
      if (second === undefined) {
        ends.thrown += 1
        expect(result).toBeInstanceOf(Error)
        if (status !== 302) expect(isHttpError(result, status)).toBe(true)
        return
      }
      ends.waited += 1
      const askedMs = Math.max(0, (asked.seconds ?? 0) * 1_000)
      expect(second.atMs - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(askedMs)
    }),
    { numRuns: runCount(200) },
  )
  expect(ends.waited).toBeGreaterThan(runCount(200) / 20)
  expect(ends.thrown).toBeGreaterThan(runCount(200) / 20)
})
