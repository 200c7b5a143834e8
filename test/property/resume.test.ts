import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFetch, isNetworkError } from '../../src/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { RangedOrigin, type Turn } from '../support/ranged-origin.ts'

const ways: readonly Turn['way'][] = [
  'proper',
  'proper',
  'proper',
  'ignores ranges',
  'has changed',
  'says another start',
  'says another length',
  'says another tag',
  'says a weak tag',
  'says no tag',
  'codes the part',
  'sends several parts',
  'cannot satisfy',
  'is busy',
  'is gone',
  'ends early',
  'sends too much',
  'sends less than asked',
]

const turn = (way: fc.Arbitrary<Turn['way']>): fc.Arbitrary<Turn> =>
  fc.record({
    way,
    cutAfter: fc.option(fc.nat({ max: 120 }), { nil: undefined, freq: 6 }),
    chunk: fc.integer({ min: 1, max: 64 }),
    tellsLength: fc.boolean(),
  })

/** What a download comes to. */
async function downloaded(
  origin: RangedOrigin,
  read: 'bytes' | 'body',
): Promise<{ bytes?: Uint8Array; error?: unknown; armed: number }> {
  const clock = new FakeClock()
  const api = createFetch({ dispatcher: origin, clock, random: () => 0.5, resume: true, retryBudget: false })
  const all = async (): Promise<Uint8Array> => {
    const response = await api('http://127.0.0.1/file')
    if (read === 'bytes') return response.bytes()
    const parts: Uint8Array[] = []
    for await (const part of response.body as ReadableStream<Uint8Array>) parts.push(part)
    return Buffer.concat(parts)
  }
  try {
    return { bytes: await clock.drive(all()), armed: clock.armed }
  } catch (error) {
    return { error, armed: clock.armed }
  }
}

test('a download under random cuts and odd servers is byte-identical, or a typed error; nothing is left of it', async () => {
  const outcomes = { whole: 0, failed: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 8 }) },
        { weight: 9, arbitrary: fc.uint8Array({ minLength: 64, maxLength: 256 }) },
      ),
      fc.array(turn(fc.constantFrom(...ways)), { minLength: 2, maxLength: 6 }),
      fc.constantFrom('bytes' as const, 'body' as const),
      async (content, [first, ...turns], read) => {
        // The first response is of the representation, and may be cut anywhere.
        const start: Turn = { chunk: 7, tellsLength: true, cutAfter: undefined, ...first, way: 'proper' }
        const { bytes, error, armed } = await downloaded(new RangedOrigin(content, [start, ...turns]), read)
        expect(armed).toBe(0)
        if (bytes === undefined) expect(isNetworkError(error)).toBe(true)
        else expect(Buffer.from(bytes).equals(content)).toBe(true)
        outcomes[bytes === undefined ? 'failed' : 'whole'] += 1
      },
    ),
    { numRuns: 2_000 },
  )
  expect(Math.min(outcomes.whole, outcomes.failed)).toBeGreaterThan(100)
}, 60_000)

test('a download is always whole where servers are proper, however often they cut it, as long as each brings something', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 256 }),
      fc.array(fc.integer({ min: 1, max: 64 }), { maxLength: 20 }),
      fc.boolean(),
      async (content, cuts, tellsLength) => {
        const turns = cuts.map((cutAfter): Turn => ({ way: 'proper', cutAfter, chunk: 5, tellsLength }))
        const origin = new RangedOrigin(content, turns)
        const { bytes } = await downloaded(origin, 'body')
        expect(Buffer.from(bytes ?? []).equals(content)).toBe(true)
        let position = 0
        for (const [index, { range, ifRange }] of origin.requests.entries()) {
          if (index > 0) expect([range, ifRange]).toEqual([`bytes=${position}-`, '"a"'])
          position += cuts[index] ?? 0
        }
      },
    ),
    { numRuns: 500 },
  )
}, 60_000)
