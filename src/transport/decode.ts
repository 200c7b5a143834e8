import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'
import { BodyError } from '../errors/failures.ts'
import { branchOf } from '../errors/steadfetch-error.ts'
import type { CallFacts } from '../types/exchange.ts'

type Bytes = Uint8Array<ArrayBuffer>
type ByteStream = ReadableStream<Bytes>
type Reader = ReadableStreamDefaultReader<Bytes>

/** Most codings one after the other; each can blow its input up by a factor of a thousand. */
const maxCodings = 5

const nothing = (): void => {}

/**
 * zlib's decoders are strict about the end: a body cut short is an error, never a short body. "deflate" means the zlib
 * format, but some servers send raw deflate (RFC 9110 §8.4.1.2); the first byte tells which.
 */
const decoders: Readonly<Record<string, (firstByte: number) => Transform>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  deflate: (firstByte) => ((firstByte & 0x0f) === 0x08 ? createInflate() : createInflateRaw()),
  br: () => createBrotliDecompress(),
  ...(zstdTellsItsEnd() ? { zstd: () => createZstdDecompress() } : {}),
}

/** The codings to ask for, RFC 9110 §12.5.3. */
export const acceptEncoding: string = Object.keys(decoders)
  .filter((coding) => coding !== 'x-gzip')
  .join(', ')

/** Node.js 22 takes zstd that is cut short for whole: there it is neither asked for nor decoded. */
function zstdTellsItsEnd(): boolean {
  try {
    return zstdDecompressSync(zstdCompressSync('whole').subarray(0, -1)).length < 0
  } catch {
    return true
  }
}

/** The body without its content codings (RFC 9110 §8.4); one with an unknown coding stays as it is, as fetch leaves it. */
export function decoded(body: ByteStream, headers: Headers, facts: () => CallFacts): ByteStream {
  const field = headers.get('content-encoding')
  if (field === null) return body
  const codings = field
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
  const applied = codings.filter((coding) => coding !== '' && coding !== 'identity')
  if (!applied.every((coding) => Object.hasOwn(decoders, coding))) return body
  if (applied.length > maxCodings)
    return refused(body, new BodyError('decode', `more than ${maxCodings} content codings`, facts()))
  return applied.reduceRight((coded, coding) => decodedOnce(coded, coding, facts), body)
}

function decodedOnce(coded: ByteStream, coding: string, facts: () => CallFacts): ByteStream {
  const reader = coded.getReader()
  const parts = decodedParts(reader, coding, facts)
  return new ReadableStream<Bytes>(
    {
      async pull(controller) {
        const { done, value } = await parts.next()
        if (done === true) controller.close()
        else controller.enqueue(value)
      },
      async cancel(reason) {
        await reader.cancel(reason)
        await parts.return(undefined).catch(nothing)
      },
    },
    { highWaterMark: 0 },
  )
}

async function* decodedParts(reader: Reader, coding: string, facts: () => CallFacts): AsyncGenerator<Bytes, void> {
  const first = await reader.read()
  if (first.done) return
  const decoder = (decoders[coding] as (firstByte: number) => Transform)(first.value[0] ?? 0)
  const feeding = pipeline(codedParts(reader, first.value), decoder)
  feeding.catch(nothing)
  try {
    for await (const part of decoder) yield new Uint8Array(part as Bytes)
  } catch (error) {
    if (branchOf(error) !== undefined) throw error
    throw new BodyError('decode', `the content is no valid ${coding}`, facts(), error)
  } finally {
    decoder.destroy()
    reader.cancel().catch(nothing)
  }
}

async function* codedParts(reader: Reader, first: Bytes): AsyncGenerator<Bytes> {
  for (let value: Bytes | undefined = first; value !== undefined; value = (await reader.read()).value) yield value
}

function refused(body: ByteStream, error: BodyError): ByteStream {
  body.cancel(error).catch(nothing)
  return new ReadableStream({ start: (controller) => controller.error(error) })
}
