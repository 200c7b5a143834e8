import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WireBody } from '../../src/http/body.ts'
import { SharedContent } from '../../src/http/shared-content.ts'
import { createFetch, isTimeoutError, type TransportInit } from '../../src/index.ts'
import type { Bytes } from '../../src/types/body.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { bytesOf } from '../support/identical.ts'
import { runCount } from '../support/run-count.ts'

type Value<Arbitrary> = Arbitrary extends fc.Arbitrary<infer Inner> ? Inner : never

const caller = fc.record({
  startMs: fc.integer({ min: 0, max: 300 }),
  /** How long it waits between the response and its first read, and between two reads of a stream. */
  lingerMs: fc.constantFrom(0, 0, 10, 100, 400),
  reads: fc.constantFrom('whole', 'stream', 'never', 'start'),
  abortMs: fc.option(fc.integer({ min: 0, max: 600 }), { nil: undefined }),
})
const answer = fc.record({
  afterMs: fc.integer({ min: 0, max: 100 }),
  parts: fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 100_000 }), afterMs: fc.integer({ min: 0, max: 50 }) }), {
    maxLength: 8,
  }),
  fields: fc.constantFrom({}, {}, { 'cache-control': 'no-store' }, { 'cache-control': 'no-cache' }, { etag: '"a"' }),
  status: fc.constantFrom(200, 200, 200, 404, 503),
})

test('whoever reads, lingers or leaves: each caller gets all bytes or its own end, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(caller, { minLength: 1, maxLength: 8 }),
      fc.array(answer, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(0, 1_000, 100_000, 1_048_576),
      runs,
    ),
    { numRuns: runCount(60) },
  )
})

async function runs(callers: Value<typeof caller>[], answers: Value<typeof answer>[], maxBytes: number): Promise<void> {
  const clock = new FakeClock()
  const open = new Set<object>()
  const contents: Uint8Array[] = []
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve))
  const transport = async (_target: string, { signal }: TransportInit): Promise<Response> => {
    const { afterMs, parts, fields, status } = answers[contents.length % answers.length] as Value<typeof answer>
    // A content is told by its version, lest somebody gets the start of one and the end of another.
    const whole = bytesOf(
      parts.reduce((sum, { bytes }) => sum + bytes, 0),
      contents.length,
    )
    contents.push(whole)
    const mark = {}
    open.add(mark)
    signal.addEventListener('abort', () => open.delete(mark))
    await sleep(afterMs)
    if (signal.aborted) throw signal.reason
    let [index, sent] = [0, 0]
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        async pull(controller) {
          const part = parts[index]
          index += 1
          if (part === undefined) {
            open.delete(mark)
            controller.close()
            return
          }
          await sleep(part.afterMs)
          if (open.has(mark)) controller.enqueue(whole.slice(sent, sent + part.bytes))
          sent += part.bytes
        },
        cancel: () => void open.delete(mark),
      },
      { highWaterMark: 0 },
    )
    return new Response(stream, { status, headers: fields })
  }
  const fetch = createFetch({
    transport,
    clock,
    random: () => 0.5,
    coalesce: { maxBytes },
    maxAttempts: 1,
    errors: 'return',
    timeoutMs: 20_000,
  })
  const ended = callers.map(async ({ startMs, lingerMs, reads, abortMs }) => {
    const gone = new Error('gone')
    const controller = new AbortController()
    await sleep(startMs)
    const stop = abortMs === undefined ? undefined : clock.after(abortMs, () => controller.abort(gone))
    try {
      const response = await fetch('https://api.test/', { signal: controller.signal })
      await sleep(lingerMs)
      const bytes = await readAs(response, reads, () => sleep(lingerMs))
      if (bytes !== undefined) expect(contents.some((whole) => Buffer.compare(whole, bytes) === 0)).toBe(true)
    } catch (error) {
      const isChanged = (error as { kind?: unknown }).kind === 'changed'
      expect(error === gone || isTimeoutError(error) || isChanged).toBe(true)
    }
    stop?.()
  })
  await clock.drive(Promise.all(ended))
  await clock.advance(40_000)
  // Who sends a request of its own, because it was not to share the answer or began to read too late, sends one.
  expect(contents.length).toBeLessThanOrEqual(callers.length)
  expect([open.size, clock.armed]).toEqual([0, 0])
}

async function readAs(response: Response, how: string, linger: () => Promise<void>): Promise<Uint8Array | undefined> {
  if (how === 'whole') return response.bytes()
  if (how === 'never') {
    await response.body?.cancel()
    return undefined
  }
  const reader = response.body?.getReader()
  const parts: Uint8Array[] = []
  for (;;) {
    const read = await reader?.read()
    if (read === undefined || read.done) return Buffer.concat(parts)
    parts.push(new Uint8Array(read.value))
    // Whoever gets the same part must not see this.
    read.value.fill(0)
    await linger()
    if (how === 'start') {
      await reader?.cancel()
      return undefined
    }
  }
}

const reader = fc.record({
  /** Parts it takes at a time, and every how many turns. */
  takes: fc.integer({ min: 1, max: 5 }),
  every: fc.integer({ min: 1, max: 9 }),
  /** The turn in which it begins, and that in which it leaves. */
  begins: fc.integer({ min: 0, max: 20 }),
  leaves: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
})

test('however many read it however fast, a content is kept once, and never more of it than may be', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(reader, { minLength: 1, maxLength: 6 }),
      fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 40 }),
      fc.integer({ min: 0, max: 1_000 }),
      async (readers, sizes, maxBytes) => {
        const clock = new FakeClock()
        const whole = bytesOf(sizes.reduce((sum, size) => sum + size, 0))
        let flows = true
        const source = new WireBody({
          pause: () => {
            flows = false
          },
          resume: () => {
            flows = true
          },
          abort: () => {},
        })
        const content = new SharedContent(source, maxBytes, clock, () => {})
        const ends: (string | undefined)[] = readers.map(() => undefined)
        const got: number[][] = readers.map(() => [])
        const wanted = readers.map(() => 0)
        const bodies = readers.map((_, index) =>
          content.add({
            maxBytes: Infinity,
            patienceMs: 1_000_000,
            told: (error) => error,
            tooMuch: () => 'too much',
            tooSlow: () => 'too slow',
            again: async () => Promise.reject('again'),
            left: () => {
              ends[index] ??= 'left'
            },
          }),
        )
        content.start()
        let [index, sent] = [0, 0]
        for (let turn = 0; turn < 600; turn += 1) {
          for (const [which, { takes, every, begins, leaves }] of readers.entries()) {
            const body = bodies[which] as (typeof bodies)[number]
            if (turn === leaves) body.cancel('bye')
            else if (turn === begins) {
              wanted[which] = takes
              body.attach({
                write: (part: Bytes) => {
                  got[which]?.push(...part)
                  wanted[which] = (wanted[which] as number) - 1
                  return (wanted[which] as number) > 0
                },
                end: () => {
                  ends[which] = 'whole'
                },
                fail: (error) => {
                  ends[which] = String(error)
                },
              })
            } else if (turn > begins && turn % every === 0) {
              wanted[which] = takes
              body.resume()
            }
          }
          while (flows && !source.done && index < sizes.length) {
            const size = sizes[index] as number
            source.write(whole.subarray(sent, sent + size))
            sent += size
            index += 1
            expect(content.keptBytes).toBeLessThan(maxBytes + Math.max(1, size) + 1)
          }
          if (index === sizes.length) source.end()
        }
        for (const [which, { leaves }] of readers.entries()) {
          if (ends[which] === 'whole') expect(got[which]).toEqual([...whole])
          else expect(leaves).toBeDefined()
        }
      },
    ),
    { numRuns: runCount(200) },
  )
})
