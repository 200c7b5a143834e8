// Answers that are right, in every framing that HTTP has for them.
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { contentOf } from './content.ts'
import { chunked, type Visit } from './visit.ts'

/** Answers a request. */
export type Reply = (visit: Visit) => void

const json = { 'content-type': 'application/json' }
const bytesOf = (visit: Visit): Buffer => Buffer.from(contentOf(visit.key))

export const plain: Reply = (visit) => visit.answer('200 OK', json, bytesOf(visit))

const inChunks =
  (extension: string, end: string): Reply =>
  (visit) => {
    visit.head('200 OK', { ...json, 'transfer-encoding': 'chunked' })
    if (visit.request.method !== 'HEAD') for (const part of [...chunked(bytesOf(visit), 3, extension), end]) visit.write(part)
    visit.next()
  }

const coded =
  (coding: string, code: (bytes: Buffer) => Uint8Array): Reply =>
  (visit) =>
    visit.answer('200 OK', { ...json, 'content-encoding': coding }, code(bytesOf(visit)))

const untilClose: Reply = (visit) => {
  visit.head('200 OK', { ...json, connection: 'close' })
  if (visit.request.method !== 'HEAD') visit.write(bytesOf(visit))
  visit.close()
}

const slow: Reply = (visit) => visit.later(20 + visit.chance.below(300), () => plain(visit))

const dripped: Reply = (visit) => {
  const bytes = bytesOf(visit)
  visit.head('200 OK', { ...json, 'content-length': bytes.length })
  if (visit.request.method === 'HEAD') visit.next()
  else visit.drip(bytes, 8, 10, () => visit.next())
}

const headDripped: Reply = (visit) => {
  const bytes = bytesOf(visit)
  const head = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${bytes.length}\r\n\r\n`)
  visit.drip(head, 6, 5, () => {
    if (visit.request.method !== 'HEAD') visit.write(bytes)
    visit.next()
  })
}

/** One interim response after the other, and the final one. */
const after =
  (interim: string): Reply =>
  (visit) => {
    visit.write(interim)
    plain(visit)
  }

/** Every right answer with its weight. */
export const goodReplies: Readonly<Record<string, readonly [weight: number, reply: Reply]>> = {
  'length given': [30, plain],
  chunked: [10, inChunks('', '0\r\n\r\n')],
  'chunked, with extensions': [2, inChunks(';name="value"', '0;last\r\n\r\n')],
  'chunked, with trailers': [2, inChunks('', '0\r\nx-trailer: value\r\n\r\n')],
  'until the connection closes': [4, untilClose],
  gzip: [6, coded('gzip', (bytes) => gzipSync(bytes, { level: 1 }))],
  br: [2, coded('br', (bytes) => brotliCompressSync(bytes, { params: { 0: 0, 1: 1 } }))],
  'gzip in deflate': [2, coded('gzip, deflate', (bytes) => deflateSync(gzipSync(bytes, { level: 1 })))],
  slow: [6, slow],
  dripped: [5, dripped],
  'head dripped': [3, headDripped],
  '103 before': [2, after('HTTP/1.1 103 Early Hints\r\nlink: </style>; rel=preload\r\n\r\n'.repeat(3))],
  'unasked 100 before': [2, after('HTTP/1.1 100 Continue\r\n\r\n')],
}
