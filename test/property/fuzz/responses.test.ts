import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFetch, fetchStandard, isTimeoutError, type SteadFetch, SteadfetchError } from '../../../src/index.ts'
import { broken, type Written, wellFormed } from '../../support/http1-grammar.ts'
import { type RawOrigin, rawOrigin } from '../../support/raw-origin.ts'
import { type Reading, readResponse } from '../../support/reference-http1.ts'
import { runCount } from '../../support/run-count.ts'

let server: RawOrigin
beforeAll(async () => {
  server = await rawOrigin()
})
afterAll(() => server[Symbol.asyncDispose]())

/** Never reached by a call that behaves: the server ends what is silent long before. */
const limits = { attemptTimeoutMs: 5_000, idleTimeoutMs: 5_000, timeoutMs: 10_000 } as const

interface Turn {
  readonly method: string
  readonly written: Written
  readonly cuts: readonly number[]
}

type Got = { readonly error: unknown } | Omit<Extract<Reading, { kind: 'response' }>, 'end' | 'kind'>

const method = fc.constantFrom('GET', 'GET', 'GET', 'HEAD')
const cuts = fc.array(fc.nat({ max: 300 }), { maxLength: 6 })

function turn(tag: string, grammar: typeof wellFormed): fc.Arbitrary<Turn> {
  return method.chain((verb) => fc.record({ method: fc.constant(verb), written: grammar(tag, verb), cuts }))
}

let runs = 0

/** Two requests one after the other, over the same connection where that is left open, and what came of each. */
async function ask(turns: readonly Turn[], scriptOf: (turn: Turn) => Parameters<typeof server.scripts.set>[1]): Promise<Got[]> {
  runs += 1
  const api = createFetch({ ...fetchStandard, ...limits, errors: 'return' })
  const got: Got[] = []
  const paths = turns.map((_, index) => `/${runs}/${index}`)
  for (const [index, one] of turns.entries()) server.scripts.set(paths[index] as string, scriptOf(one))
  for (const [index, one] of turns.entries()) got.push(await result(api, server.origin + paths[index], one.method))
  await api.close()
  expect(await server.empty(2_000)).toBe(true)
  for (const path of paths) {
    // A second time only where an idle connection had been closed.
    expect(server.asked.get(path) ?? 0).toBeLessThanOrEqual(2)
    server.scripts.delete(path)
    server.asked.delete(path)
  }
  return got
}

async function result(api: SteadFetch, target: string, verb: string): Promise<Got> {
  try {
    const response = await api(target, { method: verb, redirect: 'manual' })
    const { status, statusText: phrase } = response
    return { status, phrase, fields: [...response.headers], content: Buffer.from(await response.bytes()) }
  } catch (error) {
    return { error }
  }
}

/** A response as Headers would show it: names once, values joined. */
function shown({ status, phrase, fields, content }: Extract<Reading, { kind: 'response' }>, got: Got | undefined): Got {
  return { status, phrase: shownPhrase(phrase, got), fields: [...new Headers(fields as [string, string][])], content }
}

/** As Node.js reads it, in UTF-8; of one that comes in two parts undici tells the second alone. Nothing depends on it. */
function shownPhrase(phrase: string, got: Got | undefined): string {
  const told = got !== undefined && 'phrase' in got ? got.phrase : ''
  const bytes = Buffer.from(phrase, 'latin1')
  const mayBe = Array.from({ length: bytes.length + 1 }, (_, start) => bytes.toString('utf8', start))
  return mayBe.includes(told) ? told : bytes.toString()
}

test('a response that is as RFC 9112 has it is delivered byte by byte, however it is cut, and the next one too', async () => {
  await fc.assert(
    fc.asyncProperty(turn('first', wellFormed), turn('second', wellFormed), async (...turns) => {
      const got = await ask(turns, ({ written: { bytes, last }, cuts: places }) => ({
        bytes,
        cuts: places,
        ending: last ? 'end' : 'silence',
      }))
      for (const [index, { written, method: verb }] of turns.entries()) {
        const reading = readResponse(written.bytes, verb)
        if (reading.kind !== 'response') throw new Error(`the grammar made what is none: ${reading.kind}`)
        expect(got[index]).toEqual(shown(reading, got[index]))
      }
    }),
    { numRuns: runCount(100) },
  )
})

test('a broken response is what a strict reader makes of it or a typed error, and never reaches another request', async () => {
  const ends = { whole: 0, failed: 0 }
  await fc.assert(
    fc.asyncProperty(
      turn('first', broken),
      fc.oneof(turn('second', wellFormed), turn('second', broken)),
      fc.constantFrom('end' as const, 'reset' as const, 'silence' as const, 'silence' as const),
      async (first, second, ending) => {
        const turns = [first, second]
        const got = await ask(turns, ({ written: { bytes, last }, method: verb, cuts: places }) => {
          const reading = readResponse(bytes, verb)
          // What is surplus comes together with the end: later it could be taken for the answer to the next request.
          const end = reading.kind === 'response' ? reading.end : bytes.length
          return { bytes, cuts: places.filter((place) => place < end), ending: last ? 'end' : ending }
        })
        for (const [index, { written, method: verb }] of turns.entries()) {
          const one = got[index] as Got
          if ('error' in one) {
            ends.failed += 1
            expect(one.error).toBeInstanceOf(SteadfetchError)
            expect(isTimeoutError(one.error)).toBe(false)
            continue
          }
          ends.whole += 1
          const reading = readResponse(written.bytes, verb)
          expect({ got: one, of: written.bytes.toString('latin1') }).toEqual({
            got: reading.kind === 'response' ? shown(reading, one) : reading,
            of: written.bytes.toString('latin1'),
          })
        }
      },
    ),
    { numRuns: runCount(200) },
  )
  // The property would hold of a client that fails always, too.
  expect(ends.whole).toBeGreaterThan(runCount(200) / 20)
  expect(ends.failed).toBeGreaterThan(runCount(200) / 20)
})
