import type { Transform } from 'node:stream'
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'

/**
 * zlib's decoders are strict about the end: a body cut short is an error, never a short body. "deflate" means the zlib
 * format, but some servers send raw deflate (RFC 9110 §8.4.1.2); the first byte tells which.
 */
const decoders: Readonly<Record<string, (firstByte: number) => Transform>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  deflate: (firstByte) => ((firstByte & 0x0f) === 0x08 ? createInflate() : createInflateRaw()),
  br: () => createBrotliDecompress(),
  ...(zstdTellsItsEnd() ? { zstd: () => createZstdDecompress(zstdOptions) } : {}),
}

/** The window a decoder must be prepared for, RFC 9659 §3: 8 MiB, and no more. */
const zstdOptions = { params: { [constants.ZSTD_d_windowLogMax]: 23 } }

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

/** The codings of a Content-Encoding field, in the order they were applied; those of no effect are left out. */
export function codingsOf(contentEncoding: string): readonly string[] {
  return contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
}

/** Whether we can undo the coding. */
export function isKnownCoding(coding: string): boolean {
  return Object.hasOwn(decoders, coding)
}

/** A decoder for a known coding, made once its first byte is there. */
export function decoderOf(coding: string, firstByte: number): Transform {
  return (decoders[coding] as (firstByte: number) => Transform)(firstByte)
}
