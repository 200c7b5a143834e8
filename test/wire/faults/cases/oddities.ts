import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { complaint, type Fault, fault, pause, type SimpleFault, simple } from '../fault.ts'

const head = (fields: string, content = '', status = '200 OK'): string => `HTTP/1.1 ${status}\r\n${fields}\r\n\r\n${content}`
const ok = (content = 'hello'): string => head(`content-length: ${content.length}`, content)
const chunks = (content: string): string => `${content.length.toString(16)}\r\n${content}\r\n0\r\n\r\n`
const gzip = gzipSync('hello').toString('latin1')
const sixCodings = 'content-encoding: gzip, gzip, gzip, gzip, gzip, gzip\r\ncontent-length: 5'
const invalid = { fails: { name: 'NetworkError', kind: 'protocol' } }
const broken = [invalid, { fails: { name: 'NetworkError', kind: 'truncated' } }]
const late = { fails: { name: 'TimeoutError' } }

/** Keeps the connection open, as it is after an answer that does not end it. */
const open =
  (text: string): SimpleFault['answer'] =>
  (socket) =>
    void socket.write(text, 'latin1')
/** Writes this, and then that again and again. */
const dripping =
  (start: string, part: string, everyMs = 5): SimpleFault['answer'] =>
  (socket) => {
    socket.write(start, 'latin1')
    const timer = setInterval(() => socket.write(part, 'latin1'), everyMs)
    socket.once('close', () => clearInterval(timer))
  }
/** A redirect from /, whose content is this; the next answer is whole. */
const redirecting =
  (content: string): SimpleFault['answer'] =>
  (socket, piece) =>
    void socket.write(piece.includes(' / ') ? content : ok(), 'latin1')

/** Forms of HTTP/1.1 that are seldom seen, right and wrong. */
export const oddities: readonly Fault[] = [
  // RFC 9112 §7.4: without a TE field in the request there is none but chunked; what is not undone is not the content.
  ...simple('transfer codings', [
    {
      name: 'gzip and chunked',
      answer: head('transfer-encoding: gzip, chunked', chunks(gzip)),
      want: [invalid, { gets: 'hello' }],
    },
    { name: 'gzip until the close', answer: head('transfer-encoding: gzip', gzip), want: [invalid, { gets: 'hello' }] },
    {
      name: 'chunked with a parameter',
      answer: head('transfer-encoding: chunked;q=1', chunks('hello')),
      want: [invalid, { gets: 'hello' }],
    },
    { name: 'chunked after a control character', answer: head('transfer-encoding: \x0bchunked', chunks('hello')), want: invalid },
    {
      name: 'an empty field beside a length',
      answer: head('transfer-encoding: \r\ncontent-length: 5', 'hello'),
      want: [invalid, { gets: 'hello' }],
    },
    {
      name: 'chunked of HTTP/1.0',
      answer: head('transfer-encoding: chunked', chunks('hello')).replace('/1.1', '/1.0'),
      want: [invalid, { gets: 'hello' }],
    },
    {
      name: 'of the answer to a HEAD',
      answer: open(head('transfer-encoding: gzip, chunked')),
      ask: { method: 'HEAD' },
      want: { gets: '' },
    },
  ]),
  ...simple('framing', [
    {
      name: 'a chunk size with zeros before it',
      answer: head('transfer-encoding: chunked', '0000005\r\nhello\r\n000\r\n\r\n'),
      want: { gets: 'hello' },
    },
    {
      name: 'a chunk size with an underscore',
      answer: head('transfer-encoding: chunked', '5_0\r\nhello\r\n0\r\n\r\n'),
      want: broken,
      requests: 1,
    },
    {
      name: 'a CR within a chunk extension',
      answer: head('transfer-encoding: chunked', '5;a\rb\r\nhello\r\n0\r\n\r\n'),
      want: broken,
      requests: 1,
    },
    {
      name: 'a LF within a chunk extension',
      answer: head('transfer-encoding: chunked', '5;a\nb\r\nhello\r\n0\r\n\r\n'),
      want: broken,
      requests: 1,
    },
    { name: 'a Content-Length with a fraction', answer: head('content-length: 5.0', 'hello'), want: invalid },
    { name: 'a Content-Length of 2^64', answer: head('content-length: 18446744073709551616', 'hello'), want: invalid },
    {
      name: 'a Content-Length of 2^64-1',
      answer: head('content-length: 18446744073709551615', 'hello'),
      want: broken,
      requests: 1,
    },
    { name: 'empty lines before the status line', answer: `\r\n\r\n${ok()}`, want: [{ gets: 'hello' }, invalid] },
    { name: 'empty lines without an end', answer: dripping('', '\r\n'.repeat(100)), want: [late, invalid] },
    { name: 'frames of HTTP/2', answer: '\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\xff\xff', want: invalid },
    { name: 'status 000', answer: head('content-length: 0', '', '000 None'), want: invalid },
  ]),
  ...simple('upgrades', [
    // As Apache says it of each response, RFC 9110 §7.8.
    {
      name: 'one that is offered beside the answer',
      answer: open(head('upgrade: h2,h2c\r\nconnection: upgrade\r\ncontent-length: 5', 'hello')),
      want: { gets: 'hello' },
    },
    {
      name: 'one that is required',
      answer: open(head('upgrade: h2c\r\nconnection: upgrade\r\ncontent-length: 5', 'hello', '426 Upgrade Required')),
      want: { fails: { status: 426 } },
      requests: 1,
    },
  ]),
  // RFC 9112 §6.3: its content is empty by what it means, not by how it is framed.
  ...simple('no content', [
    {
      name: 'a 205 without a length, left open',
      answer: open('HTTP/1.1 205 Reset Content\r\n\r\n'),
      want: { status: 205, gets: '' },
    },
    {
      name: 'a 205 whose content has no end',
      answer: dripping('HTTP/1.1 205 Reset Content\r\n\r\n', 'a'.repeat(16_384)),
      want: { status: 205, gets: '' },
    },
    {
      name: 'a 205 with chunks that do not come',
      answer: open(head('transfer-encoding: chunked', '', '205 Reset Content')),
      want: { status: 205, gets: '' },
    },
  ]),
  ...simple('content', [
    {
      name: 'zeros without an end behind gzip',
      answer: dripping(head('content-encoding: gzip', gzip), '\0\0\0\0'),
      want: [{ gets: 'hello' }, late, { fails: { name: 'BodyError' } }],
      requests: 1,
    },
    {
      name: 'garbage without an end behind gzip',
      answer: dripping(head('content-encoding: gzip', `${gzip}\0`), 'garbage'),
      want: [{ gets: 'hello' }, late, { fails: { name: 'BodyError' } }],
      requests: 1,
    },
    {
      name: 'six codings of an error: its status tells what to do',
      answer: head(sixCodings, 'hello', '404 Not Found'),
      want: { fails: { status: 404 } },
      requests: 1,
    },
    {
      name: 'six codings of a redirect',
      answer: redirecting(head(`location: /next\r\n${sixCodings}`, 'hello', '302 Found')),
      want: { gets: 'hello' },
      requests: 2,
    },
    {
      name: 'a redirect with content that is no gzip',
      answer: redirecting(head('location: /next\r\ncontent-encoding: gzip\r\ncontent-length: 5', 'hello', '302 Found')),
      want: { gets: 'hello' },
      requests: 2,
    },
    {
      name: 'a redirect with content that does not come',
      answer: redirecting(head('location: /next\r\ncontent-length: 100', '', '302 Found')),
      want: { gets: 'hello' },
      requests: 2,
    },
  ]),
  fault(
    'kept connections',
    'an answer that comes after its request was given up answers nobody',
    async ({ client, limitMs, raw, ours }) => {
      const { origin } = await raw((socket, piece) => {
        if (!piece.includes(' /first')) socket.write(ok('second'))
        else setTimeout(() => socket.write(ok('late')), 250)
      })
      await client.send(`${origin}/first`, { limitMs: 200 })
      await pause(300)
      return complaint(await client.send(`${origin}/second`, { limitMs }), { gets: 'second' }, ours)
    },
  ),
  fault(
    'kept connections',
    'content that is sent on after an early answer is no request',
    async ({ client, limitMs, raw, ours }) => {
      let smuggled = false
      const first = new Set<Socket>()
      const { origin } = await raw((socket, piece, count) => {
        if (count === 1) {
          first.add(socket)
          socket.write(ok('early'))
        } else if (!piece.startsWith('GET /second')) return
        else if (first.has(socket)) smuggled = true
        if (count > 1) socket.write(ok('second'))
      })
      const stream = async function* () {
        for (let part = 0; part < 20; part += 1) {
          await pause(10)
          yield Buffer.from('GET /evil HTTP/1.1\r\n\r\n')
        }
      }
      await client.send(`${origin}/`, { method: 'POST', stream, limitMs })
      const result = await client.send(`${origin}/second`, { limitMs })
      return smuggled ? 'the connection was used again' : complaint(result, { gets: 'second' }, ours)
    },
  ),
  fault('slow', 'an upload that nobody reads', async ({ client, limitMs, raw, ours }) => {
    const { origin, sockets } = await raw((socket, _piece, count) => void (count === 1 && socket.pause()))
    const result = await client.send(origin, { method: 'POST', body: 'a'.repeat(20_000_000), limitMs })
    // A socket that is paused does not see that the other end is gone.
    for (const socket of sockets) socket.resume()
    return complaint(result, late, ours)
  }),
]
