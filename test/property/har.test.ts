import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { timingsOf, totalOf } from '../../src/har/timings.ts'
import type { HarOptions } from '../../src/index.ts'
import type { Observation } from '../../src/observation.ts'
import { clientOf } from '../support/client.ts'
import { recorded, sole } from '../support/har.ts'

/** Milliseconds at which something happened, if it did. */
const mark = fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined })
const opening = fc.record({
  startMs: fc.double({ min: 0, max: 100, noNaN: true }),
  isSecure: fc.boolean(),
  isOpen: fc.boolean(),
  isLost: fc.boolean(),
  lookupMs: mark,
  connectMs: mark,
  secureMs: mark,
})

describe('the timings of an attempt', () => {
  test('come to its time, whatever happened when', () => {
    const ordered = fc.array(fc.double({ min: 20, max: 100, noNaN: true }), { minLength: 3, maxLength: 3 })
    const happened = fc.record({
      opening: fc.option(opening, { nil: undefined }),
      sentMs: mark,
      marks: ordered,
      reached: fc.nat(2),
    })
    fc.assert(
      fc.property(happened, ({ opening: connecting, sentMs, marks, reached }) => {
        const [departedMs, answeredMs, endedMs] = marks.sort((a, b) => a - b) as [number, number, number]
        const isDeparted = reached > 0
        const observation = {
          beginning: { startMs: 20 },
          connection: { opening: connecting },
          ...(isDeparted ? { departure: { opening: connecting }, departedMs, sentMs } : {}),
          ...(reached > 1 ? { answeredMs } : {}),
          endedMs,
        }
        const timings = timingsOf(observation as unknown as Observation)
        const { ssl, send, wait, receive, ...rest } = timings
        expect(totalOf(timings)).toBeCloseTo(endedMs - 20, 2)
        expect(ssl).toBeLessThanOrEqual(timings.connect)
        for (const ms of [send, wait, receive]) expect(ms).toBeGreaterThanOrEqual(0)
        for (const ms of Object.values(rest)) expect(ms === -1 || ms >= 0).toBe(true)
      }),
    )
  })
})

describe('an archive', () => {
  const secret = 'fffd9a1e'
  const word = fc.constantFrom('token', 'api_key', 'password', 'x-secret', 'sessionId')
  const option: HarOptions = { content: true }

  test('shows no secret member, however deep it is', async () => {
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        fc.constant(secret).map((text) => ({ password: text })),
        fc.dictionary(word, fc.constant({ a: [secret] }), { minKeys: 1 }),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie('node'), { maxKeys: 3 }),
      ),
    })).node
    await fc.assert(
      fc.asyncProperty(value, word, async (json, name) => {
        const { fetch } = clientOf([() => Response.json(json, { headers: { [name]: secret, 'set-cookie': `a=${secret}` } })])
        const { entries } = recorded(fetch, option)
        await (await fetch(`https://api.example.com/?${name}=${secret}`, { method: 'POST', json })).text()
        const { request, response } = sole(entries())
        expect(JSON.stringify([request, response])).not.toContain(secret)
        expect(response.content.text).toBeDefined()
      }),
      { numRuns: 50 },
    )
  })
})
