import {
  brotliCompressSync,
  brotliDecompressSync,
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateRawSync,
  inflateSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BodyError, createFetch } from '../../../src/index.ts'
import { acceptEncoding } from '../../../src/transport/codings.ts'
import { type RawOrigin, rawOrigin } from '../../support/raw-origin.ts'
import { runCount } from '../../support/run-count.ts'

interface Coding {
  readonly name: string
  readonly code: (bytes: Uint8Array) => Buffer
  readonly decode: (bytes: Uint8Array) => Buffer
}

const codings: readonly Coding[] = [
  { name: 'gzip', code: (bytes) => gzipSync(bytes), decode: (bytes) => gunzipSync(bytes) },
  { name: 'X-GZIP', code: (bytes) => gzipSync(bytes, { level: 0 }), decode: (bytes) => gunzipSync(bytes) },
  { name: 'deflate', code: (bytes) => deflateSync(bytes), decode: inflated },
  { name: 'deflate', code: (bytes) => deflateRawSync(bytes), decode: inflated },
  { name: 'br', code: (bytes) => brotliCompressSync(bytes), decode: (bytes) => brotliDecompressSync(bytes) },
  { name: 'identity', code: (bytes) => Buffer.from(bytes), decode: (bytes) => Buffer.from(bytes) },
  ...(acceptEncoding.includes('zstd')
    ? [
        {
          name: 'zstd',
          code: (bytes: Uint8Array) => zstdCompressSync(bytes),
          decode: (bytes: Uint8Array) => zstdDecompressSync(bytes),
        },
      ]
    : []),
]

/** The zlib format begins with a byte whose low half is 8. */
function inflated(bytes: Uint8Array): Buffer {
  return ((bytes[0] ?? 0) & 0x0f) === 8 ? inflateSync(bytes) : inflateRawSync(bytes)
}

let server: RawOrigin
beforeAll(async () => {
  server = await rawOrigin()
})
afterAll(() => server[Symbol.asyncDispose]())

const content = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  { weight: 2, arbitrary: fc.nat({ max: 200_000 }).map((size) => new Uint8Array(size)) },
  { weight: 1, arbitrary: fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.nat({ max: 2_000 })).map(repeated) },
)
function repeated([bytes, times]: [Uint8Array, number]): Uint8Array {
  return Buffer.concat(Array.from({ length: times }, () => bytes))
}
const chain = fc.array(fc.constantFrom(...codings), { minLength: 1, maxLength: 4 })
const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 8 })

/** Sends coded content in the pieces it is cut into; resolves to what the client makes of it. */
async function received(
  names: string,
  coded: Uint8Array,
  places: readonly number[],
  maxDecodedBytes: number | false,
): Promise<unknown> {
  const head = `HTTP/1.1 200 OK\r\ncontent-encoding: ${names}\r\ncontent-length: ${coded.length}\r\n\r\n`
  server.scripts.set('/', { bytes: Buffer.concat([Buffer.from(head), coded]), cuts: places, ending: 'silence' })
  const api = createFetch({ maxAttempts: 1, maxDecodedBytes })
  try {
    return Buffer.from(await (await api(server.origin)).bytes())
  } catch (error) {
    return error
  } finally {
    await api.close()
    expect(await server.empty(2_000)).toBe(true)
  }
}

function coded(bytes: Uint8Array, list: readonly Coding[]): Uint8Array {
  return list.reduce((sofar, { code }) => code(sofar), bytes)
}

test('content is what was coded, whatever the codings and however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(content, chain, cuts, async (bytes, list, places) => {
      const names = list.map(({ name }) => name).join(', ')
      expect(await received(names, coded(bytes, list), places, false)).toEqual(Buffer.from(bytes))
    }),
    { numRuns: runCount(100) },
  )
})

test('content that was changed on the way is what zlib makes of it or a BodyError, never a part of it', async () => {
  const ends = { error: 0, whole: 0 }
  const change = fc.record({
    how: fc.constantFrom('flip', 'cut', 'insert', 'append', 'twice'),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    byte: fc.integer({ min: 1, max: 255 }),
  })
  await fc.assert(
    fc.asyncProperty(content, chain, cuts, change, async (bytes, list, places, { how, at, byte }) => {
      const sent = Buffer.from(coded(bytes, list))
      const place = Math.floor(at * sent.length)
      const [before, after] = [sent.subarray(0, place), sent.subarray(place)]
      if (how === 'flip' && sent.length > 0) sent[place] = (sent[place] as number) ^ byte
      const changes: Record<string, () => Buffer> = {
        flip: () => sent,
        cut: () => before,
        insert: () => Buffer.concat([before, Buffer.of(byte), after]),
        append: () => Buffer.concat([sent, Buffer.of(byte)]),
        twice: () => Buffer.concat([sent, sent]),
      }
      // Of several frames of zstd that follow one another the function of zlib decodes the first alone, RFC 8878 §3.
      fc.pre(how !== 'twice' || !list.some(({ name }) => name === 'zstd'))
      const changed = (changes[how] as () => Buffer)()
      const result = await received(list.map(({ name }) => name).join(), changed, places, false)
      if (result instanceof Error) {
        ends.error += 1
        expect(result).toBeInstanceOf(BodyError)
        return
      }
      ends.whole += 1
      // Content of no bytes is taken as it is, in whatever coding.
      const decoded = [...list]
        .reverse()
        .reduce((sofar: Buffer, { decode }) => (sofar.length === 0 ? sofar : decode(sofar)), changed)
      expect(result).toEqual(decoded)
    }),
    { numRuns: runCount(150) },
  )
  expect(ends.error).toBeGreaterThan(runCount(150) / 20)
  expect(ends.whole).toBeGreaterThan(runCount(150) / 20)
})

test('no more comes than is allowed, and content within the limit comes whole', async () => {
  await fc.assert(
    fc.asyncProperty(content, chain, cuts, fc.nat({ max: 10_000 }), async (bytes, list, places, most) => {
      const names = list.map(({ name }) => name).join(', ')
      const sizes = list.map((_, index) => coded(bytes, list.slice(0, index)).length)
      const isCoded = list.map(({ name }) => name !== 'identity')
      const result = await received(names, coded(bytes, list), places, most)
      // Each coding has the limit for what it decodes to.
      if (sizes.every((size, index) => !isCoded[index] || size <= most)) expect(result).toEqual(Buffer.from(bytes))
      else expect(result).toMatchObject({ name: 'BodyError', kind: 'too large' })
    }),
    { numRuns: runCount(100) },
  )
})
