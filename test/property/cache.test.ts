import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDirectives, secondsOf } from '../../src/http/cache-control.ts'
import { createFetch } from '../../src/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { runCount } from '../support/run-count.ts'

const target = 'https://example.test/a'
const lifetimeMs = 10_000

interface Step {
  readonly waitMs: number
  readonly act: 'read' | 'validate' | 'write' | 'change'
  readonly user: string
}

const steps = fc.array(
  fc.record<Step>({
    waitMs: fc.nat(8_000),
    act: fc.constantFrom('read', 'read', 'read', 'validate', 'write', 'change'),
    user: fc.constantFrom('a', 'b', ''),
  }),
  { minLength: 1, maxLength: 30 },
)

test("no answer is older than it may be, none is older than the own writes, and none is another user's", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const clock = new FakeClock()
      let version = 0
      // When each version was replaced.
      const replacedMs: number[] = []
      const change = (): void => {
        replacedMs[version] = clock.now()
        version += 1
      }
      const transport = async (_: string, { method, headers }: { method: string; headers: Record<string, string> }) => {
        if (method === 'POST') change()
        const etag = `"${version}${headers.authorization ?? ''}"`
        const fields = { etag, date: new Date(clock.wallTime()).toUTCString(), 'cache-control': `max-age=${lifetimeMs / 1_000}` }
        if (headers['if-none-match'] === etag) return new Response(null, { status: 304, headers: fields })
        return new Response(JSON.stringify([version, headers.authorization ?? '']), { headers: fields })
      }
      const fetch = createFetch({ transport, clock, cache: true })
      let written = 0
      for (const { waitMs, act, user } of sequence) {
        await clock.advance(waitMs)
        const headers: Record<string, string> = user === '' ? {} : { authorization: user }
        if (act === 'change') change()
        else if (act === 'write') {
          await fetch(target, { method: 'POST', headers })
          written = version
        } else {
          const response = await fetch(target, { headers, cache: act === 'validate' ? 'no-cache' : 'default' })
          const [found, whose] = (await response.json()) as [number, string]
          expect(whose).toBe(user)
          expect(found).toBeGreaterThanOrEqual(written)
          if (act === 'validate') expect(found).toBe(version)
          // A second of its own is what a Date leaves out.
          if (found < version) expect(clock.now() - (replacedMs[found] as number)).toBeLessThanOrEqual(lifetimeMs)
        }
      }
    }),
    { numRuns: runCount(150) },
  )
})

test('any text is a Cache-Control field, whose directives have seconds that are no less than nothing', () => {
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom('max-age', '=', '"', '\\', ',', ' ', '1', 'no-store', ';')).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, (field) => {
      const directives = parseDirectives(field)
      for (const name of directives.keys()) expect(secondsOf(directives, name)).toBeGreaterThanOrEqual(0)
      if (/(?:^|[,; ])no-store(?:$|[,;" ])/.test(field) && !field.includes('"')) expect(directives.has('no-store')).toBe(true)
    }),
    { numRuns: runCount(2_000) },
  )
})
