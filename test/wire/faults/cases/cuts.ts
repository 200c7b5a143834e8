import type { Socket } from 'node:net'
import { complaint, type Fault, fault, pause, simple } from '../fault.ts'

const length = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n'
const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
const lost = { fails: { name: 'NetworkError', kind: 'reset' } }
const truncated = { fails: { name: 'NetworkError', kind: 'truncated' } }

/** Writes, then resets once that has gone out. */
const thenReset = (text: string) => (socket: Socket) => {
  socket.write(text)
  setTimeout(() => socket.resetAndDestroy(), 30)
}
const counted =
  (answer: (socket: Socket) => void, method: string, most: number): Fault['run'] =>
  async ({ client, limitMs, raw, ours }) => {
    const { origin, received } = await raw((socket) => answer(socket))
    const result = await client.send(origin, { method, body: method === 'PUT' ? 'the content' : 'x', limitMs })
    const sent = received.filter((piece) => piece.startsWith(method))
    if (sent.length > most) return `${sent.length} requests of ${method}`
    const short = received
      .join('')
      .split(`${method} `)
      .slice(1)
      .filter((request) => !/\r\n\r\n(?:x|the content)$/.test(request))
    if (short.length > 0) return 'a request came without its content'
    return complaint(result, lost, ours)
  }

/** Connections that are lost, in every place. */
export const cuts: readonly Fault[] = [
  ...simple('lost connections', [
    { name: 'reset before any byte', answer: (socket) => socket.resetAndDestroy(), want: lost },
    { name: 'close before any byte', answer: (socket) => socket.end(), want: lost },
    { name: 'close in the status line', answer: 'HTTP/1.1 20', want: lost },
    { name: 'close in a field name', answer: 'HTTP/1.1 200 OK\r\ncontent-le', want: lost },
    { name: 'close before the empty line', answer: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n', want: lost },
    { name: 'reset in the fields', answer: thenReset('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n'), want: lost },
    { name: 'close before the whole length', answer: `${length}abc`, want: truncated, requests: 1 },
    { name: 'reset before the whole length', answer: thenReset(`${length}abc`), want: truncated, requests: 1 },
    { name: 'close before the first byte of the content', answer: length, want: truncated, requests: 1 },
    { name: 'close in a chunk', answer: `${chunked}a\r\nabc`, want: truncated, requests: 1 },
    { name: 'close after a chunk', answer: `${chunked}3\r\nabc\r\n`, want: truncated, requests: 1 },
    { name: 'close in the size of a chunk', answer: `${chunked}3\r\nabc\r\n1`, want: truncated, requests: 1 },
    { name: 'close before the end of the last chunk', answer: `${chunked}3\r\nabc\r\n0\r\n`, want: truncated, requests: 1 },
    { name: 'close in the trailers', answer: `${chunked}3\r\nabc\r\n0\r\nx-a: b`, want: truncated, requests: 1 },
    { name: 'reset in a chunk', answer: thenReset(`${chunked}a\r\nabc`), want: truncated, requests: 1 },
    {
      name: 'close as the end of the content',
      answer: 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall of it',
      want: { gets: 'all of it' },
    },
    {
      name: 'reset where a close would be the end',
      answer: thenReset('HTTP/1.1 200 OK\r\n\r\na part'),
      want: truncated,
      requests: 1,
    },
    { name: 'content that comes byte by byte, whole', answer: bytewise(`${length}0123456789`), want: { gets: '0123456789' } },
    {
      name: 'chunks that come byte by byte, whole',
      answer: bytewise(`${chunked}a;x=y\r\n0123456789\r\n0\r\nx-a: b\r\n\r\n`),
      want: { gets: '0123456789' },
    },
    {
      name: 'an error status whose content is cut short',
      answer: `${length.replace('200 OK', '404 Not Found')}abc`,
      want: { fails: { status: 404 } },
      requests: 1,
    },
  ]),
  fault(
    'lost connections',
    'reset before the answer: a POST is sent once',
    counted((socket) => socket.resetAndDestroy(), 'POST', 1),
  ),
  fault(
    'lost connections',
    'close in the fields: a POST is sent once',
    counted((socket) => socket.end('HTTP/1.1 200 OK\r\nx'), 'POST', 1),
  ),
  fault(
    'lost connections',
    'reset before the answer: a PUT is sent whole each time',
    counted((socket) => socket.resetAndDestroy(), 'PUT', 3),
  ),
  fault('lost connections', 'a PUT of a stream is never sent again, and never empty', async ({ client, limitMs, raw, ours }) => {
    const { origin, received } = await raw((socket, piece) => {
      if (piece.includes('stream')) socket.resetAndDestroy()
    })
    const stream = async function* () {
      yield Buffer.from('the stream')
    }
    const result = await client.send(origin, { method: 'PUT', stream, limitMs })
    const heads = received.filter((piece) => piece.startsWith('PUT ')).length
    if (heads > 1) return `${heads} requests for content that can be read once`
    return complaint(result, { fails: { name: 'NetworkError' } }, ours)
  }),
  fault(
    'lost connections',
    'an answer before the content was sent is taken, and the rest is not',
    async ({ client, limitMs, raw, ours }) => {
      const { origin, sockets } = await raw((socket, _piece, count) => {
        if (count === 1) socket.write('HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
      })
      const stream = async function* () {
        for (let part = 0; part < 10_000; part += 1) {
          await pause(5)
          yield Buffer.alloc(1_000)
        }
      }
      const result = await client.send(origin, { method: 'POST', stream, limitMs })
      const wrong = complaint(result, { fails: { name: 'ContentTooLargeError', status: 413 } }, ours)
      if (wrong !== undefined) return wrong
      const before = sockets[0]?.bytesRead ?? 0
      await pause(100)
      return (sockets[0]?.bytesRead ?? 0) > before + 8_000 ? 'content is sent on' : undefined
    },
  ),
]

/** Writes a byte at a time. */
function bytewise(text: string): (socket: Socket) => void {
  return async (socket) => {
    socket.setNoDelay(true)
    for (const byte of text) {
      if (socket.destroyed) return
      socket.write(byte)
      await pause(0)
    }
  }
}
