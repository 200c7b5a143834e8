import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { type Case, exchange, head, nameOf, outcome, parity, raw, settled, since24 } from '../support/parity.ts'

const text = Array.from({ length: 500 }, (_nothing, index) => `line ${index * 7919} €`).join('\n')
const plain = Buffer.from(text)
const coded = (coding: string, content: Buffer, status = '200 OK'): Buffer =>
  raw(status, [`content-encoding: ${coding}`, 'content-type: text/plain; charset=utf-8'], content)

const codings: readonly Case[] = (
  [
    ['gzip', 'gzip', gzipSync(plain)],
    ['x-gzip', 'x-gzip', gzipSync(plain)],
    ['gzip in capitals', 'GZip', gzipSync(plain)],
    ['gzip of several members', 'gzip', Buffer.concat([gzipSync(plain.subarray(0, 100)), gzipSync(plain.subarray(100))])],
    ['gzip of nothing', 'gzip', gzipSync('')],
    ['gzip with a name and a comment', 'gzip', named(gzipSync(plain))],
    ['deflate', 'deflate', deflateSync(plain)],
    ['raw deflate', 'deflate', deflateRawSync(plain)],
    ['br', 'br', brotliCompressSync(plain)],
    ['br in capitals', 'BR', brotliCompressSync(plain)],
    ['two codings, the last one undone first', 'deflate, gzip', gzipSync(deflateSync(plain))],
    ['two codings with odd white space', 'br ,\tgzip', gzipSync(brotliCompressSync(plain))],
    ['five codings', 'gzip, br, gzip, deflate, gzip', gzipSync(deflateSync(gzipSync(brotliCompressSync(gzipSync(plain)))))],
    ['identity', 'identity', plain],
    ['an unknown coding', 'unknown', plain],
    ['an unknown coding after a known one', 'gzip, unknown', gzipSync(plain)],
    ['an unknown coding before a known one', 'unknown, gzip', gzipSync(plain)],
    ['compress', 'compress', plain],
    ['an empty field', '', plain],
    ['a member of Object.prototype', 'constructor', plain],
  ] as const
).map(([title, coding, content]) => ({
  title,
  reply: coded(coding, content),
  run: (fetch, origin) => outcome(fetch(origin)),
}))

/** Node.js 22 does not decode it, or does not notice where it ends. */
const zstd = since24([
  {
    title: 'zstd',
    reply: coded('zstd', zstdCompressSync(plain)),
    run: (fetch, origin) => outcome(fetch(origin)),
  },
])

const broken: readonly Case[] = [
  {
    title: 'what is no gzip fails the read, with a TypeError that has a cause, and not the fetch',
    reply: coded('gzip', plain),
    run: (fetch, origin) => outcome(fetch(origin)),
  },
  {
    title: 'what is no br fails the read',
    reply: coded('br', Buffer.alloc(100, 0xff)),
    run: (fetch, origin) => outcome(fetch(origin)),
  },
  {
    title: 'what is no deflate fails the read',
    reply: coded('deflate', Buffer.alloc(100, 0xff)),
    run: (fetch, origin) => outcome(fetch(origin)),
  },
  {
    title: 'gzip with a wrong checksum fails the read',
    reply: coded('gzip', corrupted(gzipSync(plain), -6)),
    run: (fetch, origin) => outcome(fetch(origin)),
  },
  {
    title: 'gzip that goes wrong in the middle fails the read of a stream',
    reply: coded('gzip', corrupted(gzipSync(plain), 200)),
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      try {
        for await (const _part of response.body ?? []);
      } catch (error) {
        return [nameOf(error), response.bodyUsed, response.body?.locked]
      }
      return 'read to the end'
    },
  },
  ...since24([
    {
      title: 'more than five codings fail the fetch',
      reply: coded('gzip, gzip, gzip, gzip, gzip, gzip', plain),
      run: (fetch, origin) => outcome(fetch(origin)),
    },
  ]),
]

const untouched: readonly Case[] = [
  {
    title: 'content-encoding and content-length stay as they were sent',
    reply: coded('gzip', gzipSync(plain)),
    run: async (fetch, origin) => head(await fetch(origin)),
  },
  {
    title: 'a coding on the response to HEAD is shown',
    reply: raw('200 OK', ['content-encoding: gzip', 'content-length: 100']),
    run: (fetch, origin) => outcome(fetch(origin, { method: 'HEAD' })),
  },
  {
    title: 'a coding on 204 is shown',
    reply: raw('204 No Content', ['content-encoding: gzip', 'content-length: 0']),
    run: (fetch, origin) => outcome(fetch(origin)),
  },
  {
    title: 'a coding on 304 is shown',
    reply: 'HTTP/1.1 304 Not Modified\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n',
    run: (fetch, origin) => outcome(fetch(origin)),
  },
  {
    title: 'a coding without content reads as nothing',
    reply: coded('gzip', Buffer.alloc(0)),
    run: (fetch, origin) => outcome(fetch(origin)),
  },
  {
    title: 'a failed status is decoded, too',
    reply: coded('gzip', gzipSync(plain), '500 Internal Server Error'),
    run: (fetch, origin) => outcome(fetch(origin)),
  },
  {
    title: 'a 206 is decoded, too',
    reply: coded('gzip', gzipSync(plain), '206 Partial Content'),
    run: (fetch, origin) => outcome(fetch(origin, { headers: { range: 'bytes=0-1000' } })),
  },
  {
    title: 'a redirect that is not followed is decoded',
    reply: raw('302 Found', ['content-encoding: gzip', 'location: /next'], gzipSync('content')),
    run: (fetch, origin) => outcome(fetch(origin, { redirect: 'manual' })),
  },
  {
    title: 'Accept-Encoding of the caller is sent as it is, and what comes is decoded all the same',
    reply: coded('gzip', gzipSync(plain)),
    run: (fetch, origin, server) => exchange(fetch(origin, { headers: { 'accept-encoding': 'x-own' } }), server),
  },
  {
    title: 'a clone is decoded as well',
    reply: coded('br', brotliCompressSync(plain)),
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const clone = response.clone()
      return (await clone.text()) === text && (await response.text()) === text
    },
  },
  {
    title: 'decoded bytes arrive before the end was sent',
    reply: (response) => {
      response.setHeader('content-encoding', 'gzip')
      response.write(gzipSync('content').subarray(0, -8))
    },
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const reader = response.body?.getReader()
      const part = await reader?.read()
      await settled(reader?.cancel() ?? Promise.resolve())
      return Buffer.from(part?.value ?? []).toString()
    },
  },
]

/** gzip whose header has a file name in it, RFC 1952 §2.3. */
function named(gzip: Buffer): Buffer {
  const header = Buffer.from(gzip.subarray(0, 10))
  header[3] = 0x08
  return Buffer.concat([header, Buffer.from('name\0'), gzip.subarray(10)])
}

function corrupted(content: Buffer, index: number): Buffer {
  const copy = Buffer.from(content)
  const at = index < 0 ? copy.length + index : index
  copy[at] = (copy[at] as number) ^ 0xff
  return copy
}

parity('content codings', [...codings, ...zstd])
parity('content that is not coded as it says', broken)
parity('what a coding leaves alone', untouched)
