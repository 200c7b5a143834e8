// Answers that break the connection, or the rules of HTTP.
import { gzipSync } from 'node:zlib'
import { contentOf, poison } from './content.ts'
import { plain, type Reply } from './good-replies.ts'
import { chunked, type Visit } from './visit.ts'

const bytesOf = (visit: Visit): Buffer => Buffer.from(contentOf(visit.key))

/** Writes these bytes; the connection is let go a moment later. */
const raw =
  (text: string, end: 'close' | 'reset' | 'stay' = 'close'): Reply =>
  (visit) => {
    visit.write(text)
    if (end === 'close') visit.close()
    else if (end === 'reset') visit.later(3, () => visit.reset())
  }

/** A part of the content, then this. */
const cutShort =
  (how: 'length' | 'chunks', end: 'close' | 'reset'): Reply =>
  (visit) => {
    const bytes = bytesOf(visit)
    const part = bytes.subarray(0, visit.chance.below(bytes.length))
    visit.head('200 OK', how === 'length' ? { 'content-length': bytes.length } : { 'transfer-encoding': 'chunked' })
    for (const piece of how === 'length' ? [part] : chunked(part)) visit.write(piece)
    visit.later(visit.chance.below(20), () => visit[end]())
  }

const gzipShort: Reply = (visit) => {
  const bytes = gzipSync(bytesOf(visit), { level: 1 })
  visit.answer('200 OK', { 'content-encoding': 'gzip' }, bytes.subarray(0, bytes.length - 1 - visit.chance.below(8)))
}

const bomb = gzipSync(Buffer.alloc(12_000_000))
/** Not 200: where nothing limits it, it is not the content of the key. */
const coded =
  (coding: string, bytes: Uint8Array): Reply =>
  (visit) =>
    visit.answer('203 Non-Authoritative Information', { 'content-encoding': coding }, bytes)

/** A whole response, and bytes after it that look like the next one. */
const surplus: Reply = (visit) => {
  const bytes = visit.request.method === 'HEAD' ? '' : contentOf(visit.key)
  // In one piece: bytes that come once the next request is sent are its answer to every client of HTTP/1.1.
  if (bytes.length > 2_000 || visit.request.method === 'HEAD') plain(visit)
  else
    visit.write(
      `HTTP/1.1 200 OK\r\ncontent-length: ${bytes.length}\r\n\r\n${bytes}HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n${poison}`,
    )
}

/** A whole response, and a connection that closes just when the next request may come. */
const stale: Reply = (visit) => {
  plain(visit)
  visit.later(visit.chance.below(15), () => (visit.chance.once(2) ? visit.close() : visit.reset()))
}

const silentBody: Reply = (visit) => {
  const bytes = bytesOf(visit)
  visit.head('200 OK', { 'content-length': bytes.length })
  visit.write(bytes.subarray(0, bytes.length >> 1))
}

const slowHead: Reply = (visit) => {
  visit.drip(Buffer.from(`HTTP/1.1 200 OK\r\n${'x-slow: 1\r\n'.repeat(200)}\r\n`), 2_200, 20, () => visit.close())
}

const endlessContent: Reply = (visit) => {
  visit.head('200 OK', { 'transfer-encoding': 'chunked' })
  visit.flood(Buffer.from(`4000\r\n${'x'.repeat(0x4000)}\r\n`), visit.chance.of([2, 10]))
}

const early = 'HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n'
const interims =
  (everyMs: number): Reply =>
  (visit) =>
    visit.flood(Buffer.from(early.repeat(everyMs === 0 ? 50 : 1)), everyMs)

/** Every broken answer with its weight. */
export const brokenReplies: Readonly<Record<string, readonly [weight: number, reply: Reply]>> = {
  'reset before the head': [4, raw('', 'reset')],
  'closed before the head': [3, raw('')],
  'reset within the head': [2, raw('HTTP/1.1 200 OK\r\ncontent-le', 'reset')],
  'closed within the head': [2, raw('HTTP/1.1 200 OK\r\ncontent-le')],
  'reset within the content': [3, cutShort('length', 'reset')],
  'closed within the content': [3, cutShort('length', 'close')],
  'reset within chunks': [2, cutShort('chunks', 'reset')],
  'closed within chunks': [2, cutShort('chunks', 'close')],
  'a wrong chunk size': [2, raw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nab\r\n', 'stay')],
  garbage: [2, raw('\u0016\u0003\u0001 no HTTP at all\r\n\r\n', 'stay')],
  'HTTP/0.9': [1, raw('<html>hello</html>')],
  'two lengths': [2, raw('HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd', 'stay')],
  'a length and chunks': [
    2,
    raw('HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n', 'stay'),
  ],
  'a head of 100 KB': [2, raw(`HTTP/1.1 200 OK\r\n${'x-long: 0123456789\r\n'.repeat(5_000)}\r\n`, 'stay')],
  'a NUL in a field': [1, raw('HTTP/1.1 200 OK\r\nx-nul: a\0b\r\n\r\n', 'stay')],
  'an unasked switch': [1, raw('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n', 'stay')],
  'endless interims': [1, interims(0)],
  'endless interims, slow': [1, interims(15)],
  'gzip cut short': [3, gzipShort],
  'no gzip': [1, coded('gzip', Buffer.from('this is no gzip'))],
  'a bomb': [1, coded('gzip', bomb)],
  'six codings': [1, coded('gzip, gzip, gzip, gzip, gzip, gzip', gzipSync('a'))],
  'surplus bytes': [3, surplus],
  'closed when idle': [4, stale],
  'no answer': [2, raw('', 'stay')],
  'silence within the content': [2, silentBody],
  'a head that never ends': [1, slowHead],
  'content without end': [1, endlessContent],
}
