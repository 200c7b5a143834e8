import type { Socket } from 'node:net'
import { complaint, type Fault, fault, pause, type SimpleFault, simple } from '../fault.ts'

const final = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello'
const invalid = { fails: { name: 'NetworkError', kind: 'protocol' } }
const late = { fails: { name: 'TimeoutError' } }
const once =
  (run: (socket: Socket) => void): SimpleFault['answer'] =>
  (socket, _piece, count) => {
    if (count === 1) run(socket)
  }
const every =
  (ms: number, part: string, start = ''): SimpleFault['answer'] =>
  (socket) => {
    socket.write(start)
    const timer = setInterval(() => socket.write(part), ms)
    socket.once('close', () => clearInterval(timer))
  }

function flood(socket: Socket, start: string): void {
  socket.write(start)
  const timer = setInterval(() => socket.write('a'.repeat(65_536)), 1)
  socket.once('close', () => clearInterval(timer))
}

/** Informational responses, RFC 9110 §15.2; responses that are slow; and those that have no content. */
export const interims: readonly Fault[] = [
  ...simple('informational', [
    {
      name: 'a 103 before the answer',
      answer: `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${final}`,
      want: { gets: 'hello' },
    },
    { name: 'a 102 before the answer', answer: `HTTP/1.1 102 Processing\r\n\r\n${final}`, want: { gets: 'hello' } },
    { name: 'an unasked 100 before the answer', answer: `HTTP/1.1 100 Continue\r\n\r\n${final}`, want: { gets: 'hello' } },
    { name: 'a 199 before the answer', answer: `HTTP/1.1 199 Unknown\r\n\r\n${final}`, want: { gets: 'hello' } },
    {
      name: 'a 103 that says it had content',
      answer: `HTTP/1.1 103 Early Hints\r\ncontent-length: 5\r\n\r\n${final}`,
      want: [{ gets: 'hello' }, invalid],
    },
    {
      name: 'an unexpected 101',
      answer: 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nhello',
      want: invalid,
    },
    {
      name: 'an unexpected 101 that does not say to what',
      answer: `HTTP/1.1 101 Switching Protocols\r\n\r\n${final}`,
      want: invalid,
    },
    {
      name: '1xx without an end, at once',
      answer: every(1, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)),
      want: [invalid, late],
    },
    { name: '1xx without an end, slowly', answer: every(50, 'HTTP/1.1 103 Early Hints\r\n\r\n'), want: [late, invalid] },
    { name: 'unasked 100s without an end', answer: every(1, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)), want: [invalid, late] },
    { name: '1xx and then a close', answer: 'HTTP/1.1 103 Early Hints\r\n\r\n', want: { fails: { name: 'NetworkError' } } },
  ]),
  ...simple('slow', [
    { name: 'no answer', answer: () => {}, want: late },
    { name: 'a header section that drips', answer: every(50, 'a', 'HTTP/1.1 200 OK\r\nx-a: '), want: [late, invalid] },
    {
      name: 'content that drips, slower than the limit of the call',
      answer: every(50, 'a', 'HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n'),
      want: late,
      requests: 1,
    },
    {
      name: 'chunks that drip',
      answer: every(50, '1\r\na\r\n', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'),
      want: late,
      requests: 1,
    },
    {
      name: 'content that stops',
      answer: once((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello')),
      want: late,
      requests: 1,
    },
    {
      name: 'an error whose content drips',
      answer: every(50, 'a', 'HTTP/1.1 404 Not Found\r\ncontent-length: 100000\r\n\r\n'),
      want: [{ fails: { status: 404 } }, late],
      requests: 1,
    },
    {
      name: 'an error whose content has no end',
      answer: (socket) => flood(socket, 'HTTP/1.1 404 Not Found\r\n\r\n'),
      want: { fails: { status: 404 } },
      requests: 1,
    },
    {
      name: 'a redirect whose content has no end',
      answer(socket, piece) {
        if (piece.includes(' /next')) socket.end(final)
        else flood(socket, 'HTTP/1.1 302 Found\r\nlocation: /next\r\n\r\n')
      },
      want: { gets: 'hello' },
      requests: 2,
    },
  ]),
  ...['204 No Content', '304 Not Modified', '205 Reset Content'].map((status) =>
    fault('no content', `content after a ${status} answers nobody else`, async ({ client, limitMs, raw }) => {
      const { origin } = await raw((socket, piece) => {
        if (piece.includes(' /first'))
          socket.write(`HTTP/1.1 ${status}\r\ncontent-length: 5\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison`)
        else socket.write(final)
      })
      await client.send(`${origin}/first`, { limitMs })
      await pause(20)
      const second = await client.send(`${origin}/second`, { limitMs })
      return second.kind === 'response' && second.content !== 'hello'
        ? `the next request got ${JSON.stringify(second.content)}`
        : undefined
    }),
  ),
  fault('no content', 'content after the answer to a HEAD answers nobody else', async ({ client, limitMs, raw, ours }) => {
    const { origin } = await raw((socket, piece) => {
      if (piece.startsWith('HEAD'))
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 41\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\npoison')
      else socket.write(final)
    })
    const first = await client.send(origin, { method: 'HEAD', limitMs })
    await pause(20)
    const second = await client.send(origin, { limitMs })
    return complaint(first, { gets: '' }, ours) ?? complaint(second, { gets: 'hello' }, ours)
  }),
  fault('no content', 'a HEAD may tell a length and a coding, and has neither', async ({ client, limitMs, raw, ours }) => {
    const { origin } = await raw((socket) =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 100\r\n\r\n'),
    )
    return complaint(await client.send(origin, { method: 'HEAD', limitMs }), { gets: '' }, ours)
  }),
  fault('no content', 'a 204 that tells a length is whole', async ({ client, limitMs, raw, ours }) => {
    const { origin } = await raw((socket) => socket.write('HTTP/1.1 204 No Content\r\ncontent-length: 100\r\n\r\n'))
    return complaint(await client.send(origin, { limitMs }), { status: 204, gets: '' }, ours)
  }),
]
