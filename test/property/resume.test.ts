import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFetch, isNetworkError, SteadfetchError, traceOf } from '../../src/index.ts'
import { type Answer, answerOf, HastyClock, type Manner, manners, rangeStart, type Version } from '../support/downloads.ts'
import { runCount } from '../support/run-count.ts'

/** One answer of the server, and where it breaks off. */
interface Turn {
  readonly manner: Manner
  /** After how many bytes of the content the connection is lost; undefined when it is not. */
  readonly cutBytes: number | undefined
  /** How many bytes come at a time. */
  readonly partBytes: number
  /** Whether a Content-Length is sent. */
  readonly told: boolean
}

type Way = 'whole' | 'stream' | 'one part, then aborted' | 'one part, then cancelled'

const size = { min: 1, max: 60 }
const content = fc.uint8Array({ minLength: 0, maxLength: 60, size: 'max' })
const turnOf = (manner: fc.Arbitrary<Manner>): fc.Arbitrary<Turn> =>
  fc.record({
    manner,
    cutBytes: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined, freq: 4 }),
    partBytes: fc.integer(size),
    told: fc.boolean(),
  })
/** Half of the answers are right, so that others follow them. */
const manner = fc.oneof(fc.constant<Manner>('right'), fc.constantFrom(...manners))
const way: fc.Arbitrary<Way> = fc.constantFrom('whole', 'stream', 'one part, then aborted', 'one part, then cancelled')

test('a download is one version of the representation, byte by byte, or a typed error, whatever the server does', async () => {
  const ends = { whole: 0, failed: 0, resumed: 0 }
  await fc.assert(
    fc.asyncProperty(content, content, fc.array(turnOf(manner), { maxLength: 8, size: 'max' }), way, async (...given) => {
      const [first, second, turns, how] = given
      // A server that breaks the promise of its own tag is found out only by the length, where it told that before.
      fc.pre(turns[0]?.told !== false || !turns.some(({ manner }) => manner === 'whole of another length'))
      const run = await download(first, second, turns, how)
      if (run.bytes === undefined) {
        expect(run.error).toBeDefined()
        expect(run.error instanceof SteadfetchError || how.includes('then')).toBe(true)
        ends.failed += 1
      } else {
        expect([...run.bytes]).toEqual([...first])
        ends.whole += 1
        if (run.asked.length > 1) ends.resumed += 1
      }
      askedRightly(run, first.length)
      expect(run.open).toBe(0)
      expect(run.armed).toBe(0)
    }),
    { numRuns: runCount(4_000) },
  )
  // The property would hold of a download that is never resumed, too.
  expect(ends.resumed).toBeGreaterThan(runCount(4_000) / 40)
  expect(ends.failed).toBeGreaterThan(runCount(4_000) / 40)
})

test('from a server that does as it should, a download is whole wherever and however often it is cut', async () => {
  const cut = fc.record({
    manner: fc.constantFrom<Manner>('right', 'whole', 'part, shorter than asked for', 'part of an unknown length'),
    cutBytes: fc.integer({ min: 1, max: 60 }),
    partBytes: fc.integer(size),
    told: fc.constant(true),
  })
  await fc.assert(
    fc.asyncProperty(
      content,
      fc.array(cut, { maxLength: 8 }),
      fc.constantFrom<Way>('whole', 'stream'),
      async (first, turns, how) => {
        // A server that sends everything anew gets no further than the cut: three times in a row is too often.
        fc.pre(
          !turns.some((_, index) =>
            turns.slice(index, index + 3).every(({ manner }, _i, some) => some.length === 3 && manner === 'whole'),
          ),
        )
        const run = await download(first, first, turns, how)
        expect([...(run.bytes ?? [])]).toEqual([...first])
        expect(run.bytes).toBeDefined()
        askedRightly(run, first.length)
      },
    ),
    { numRuns: runCount(2_000) },
  )
})

test('without the option nothing is asked for twice', async () => {
  await fc.assert(
    fc.asyncProperty(content, fc.array(turnOf(fc.constant('right')), { minLength: 1, maxLength: 3 }), async (first, turns) => {
      const run = await download(first, first, turns, 'whole', false)
      expect(run.asked).toEqual([undefined])
      if (run.bytes !== undefined) expect([...run.bytes]).toEqual([...first])
    }),
    { numRuns: runCount(200) },
  )
})

interface Run {
  readonly bytes: Uint8Array | undefined
  readonly error: unknown
  /** The first byte of each request. */
  readonly asked: readonly (number | undefined)[]
  readonly conditions: readonly (string | null)[]
  /** Bodies that nobody read to the end or cancelled. */
  readonly open: number
  readonly armed: number
  readonly attempts: number | undefined
}

/** Each resumption asks for what is still missing, and for that of the first version alone. */
function askedRightly({ asked, conditions, attempts }: Run, length: number): void {
  expect(asked[0]).toBeUndefined()
  let before = 0
  for (const start of asked.slice(1)) {
    expect(start).toBeGreaterThanOrEqual(before)
    expect(start).toBeLessThanOrEqual(length)
    before = start as number
  }
  expect(new Set(conditions.slice(1)).size).toBeLessThanOrEqual(1)
  expect(conditions.slice(1).every((condition) => condition === '"one"')).toBe(true)
  if (attempts !== undefined) expect(attempts).toBe(asked.length)
}

async function download(
  first: Uint8Array,
  second: Uint8Array,
  turns: readonly Turn[],
  how: Way,
  resume: boolean = true,
): Promise<Run> {
  const clock = new HastyClock()
  const one: Version = { content: new Uint8Array(first), etag: '"one"' }
  const two: Version = { content: new Uint8Array(second), etag: '"two"' }
  const asked: (number | undefined)[] = []
  const conditions: (string | null)[] = []
  const open = new Set<object>()
  const transport = async (_target: string, { headers }: { headers: Record<string, string> }): Promise<Response> => {
    const turn = turns[asked.length] ?? { manner: 'right', cutBytes: undefined, partBytes: 7, told: true }
    asked.push(rangeStart(headers.range))
    conditions.push(headers['if-range'] ?? null)
    return responseOf(answerOf(turn.manner, one, two, asked.at(-1), turn.told), turn, open)
  }
  const fetch = createFetch({
    transport,
    clock,
    random: () => 0.5,
    resume,
    timeoutMs: false,
    attemptTimeoutMs: false,
    idleTimeoutMs: false,
  })
  const abort = new AbortController()
  let bytes: Uint8Array | undefined
  let error: unknown
  let attempts: number | undefined
  try {
    const response = await fetch('http://a.test/file', { signal: abort.signal })
    bytes = await read(response, how, abort)
    attempts = traceOf(response)?.attempts.length
  } catch (thrown) {
    error = thrown
    if (isNetworkError(thrown)) attempts = traceOf(thrown)?.attempts.length
  }
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  return { bytes, error, asked, conditions, open: open.size, armed: clock.armed, attempts }
}

async function read(response: Response, how: Way, abort: AbortController): Promise<Uint8Array> {
  if (how === 'whole') return new Uint8Array(await response.arrayBuffer())
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const parts: number[] = []
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return new Uint8Array(parts)
    parts.push(...value)
    if (how === 'stream') continue
    if (how.endsWith('aborted')) abort.abort(new Error('enough'))
    else await reader.cancel(new Error('enough'))
    await reader.read()
    throw new Error('enough')
  }
}

/** The answer as a Response whose content comes in parts, and may break off. */
function responseOf({ status, fields, content, length }: Answer, { cutBytes, partBytes }: Turn, open: Set<object>): Response {
  const headers = length === undefined ? fields : { ...fields, 'content-length': String(length) }
  if (status === 204) return new Response(null, { status, headers })
  const breaks = cutBytes !== undefined && cutBytes < content.length
  const end = breaks ? cutBytes : content.length
  let at = 0
  const id = {}
  open.add(id)
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at < end) {
        const until = Math.min(end, at + partBytes)
        controller.enqueue(content.slice(at, until))
        at = until
        return
      }
      open.delete(id)
      if (breaks) controller.error(new TypeError('terminated', { cause: new Error('other side closed') }))
      else controller.close()
    },
    cancel() {
      open.delete(id)
    },
  })
  return new Response(body, { status, headers })
}
