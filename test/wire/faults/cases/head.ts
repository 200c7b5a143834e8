import type { Socket } from 'node:net'
import { complaint, type Fault, fault, type SimpleFault, simple } from '../fault.ts'

const ok = (fields = '', content = 'hello'): string =>
  `HTTP/1.1 200 OK\r\n${fields}content-length: ${content.length}\r\n\r\n${content}`
const invalid = { fails: { name: 'NetworkError', kind: 'protocol' } }
const either = [invalid, { gets: 'hello' }]
const line = (status: string): string => `${status}\r\ncontent-length: 5\r\n\r\nhello`

const endless =
  (start: string, part: string, everyMs: number): SimpleFault['answer'] =>
  (socket: Socket) => {
    socket.write(start)
    const timer = setInterval(() => socket.write(part), everyMs)
    socket.once('close', () => clearInterval(timer))
  }

/** Status lines and fields: RFC 9112 §4 and §5. */
export const heads: readonly Fault[] = [
  ...simple('header section', [
    { name: 'no HTTP at all', answer: 'SSH-2.0-OpenSSH_9.6\r\n', want: invalid },
    { name: 'HTTP/0.9', answer: '<html>hello</html>', want: invalid },
    { name: 'another protocol', answer: 'RTSP/1.0 200 OK\r\n\r\n', want: invalid },
    { name: 'version 2.0', answer: line('HTTP/2.0 200 OK'), want: [invalid, { gets: 'hello' }] },
    { name: 'version 9.9', answer: line('HTTP/9.9 200 OK'), want: invalid },
    { name: 'the name of the protocol in small letters', answer: line('http/1.1 200 OK'), want: invalid },
    { name: 'a status of two digits', answer: line('HTTP/1.1 20 OK'), want: invalid },
    { name: 'a status of four digits', answer: line('HTTP/1.1 2000 OK'), want: invalid },
    { name: 'a status of letters', answer: line('HTTP/1.1 abc OK'), want: invalid },
    { name: 'a negative status', answer: line('HTTP/1.1 -200 OK'), want: invalid },
    { name: 'status 099', answer: line('HTTP/1.1 099 Low'), want: [invalid, { fails: {} }] },
    { name: 'no reason phrase, and no space', answer: line('HTTP/1.1 200'), want: { gets: 'hello' } },
    { name: 'an empty reason phrase', answer: line('HTTP/1.1 200 '), want: { gets: 'hello' } },
    { name: 'a reason phrase of other characters', answer: line('HTTP/1.1 200 \xe9t\xe9'), want: { gets: 'hello' } },
    { name: 'a reason phrase with a NUL', answer: line('HTTP/1.1 200 O\0K'), want: either },
    { name: 'a space before the status line', answer: line(' HTTP/1.1 200 OK'), want: invalid },
    { name: 'a NUL in a value', answer: ok('x-a: a\0b\r\n'), want: invalid },
    { name: 'a control character in a value', answer: ok('x-a: a\x01b\r\n'), want: either },
    { name: 'a carriage return in a value', answer: ok('x-a: a\rb\r\n'), want: invalid },
    { name: 'a NUL in a name', answer: ok('x\0a: b\r\n'), want: invalid },
    { name: 'a space in a name', answer: ok('x a: b\r\n'), want: invalid },
    // RFC 9112 §5.1: a proxy must remove it; no response with it is to be believed.
    {
      name: 'a space before the colon of Content-Length',
      answer: 'HTTP/1.1 200 OK\r\ncontent-length : 5\r\n\r\nhello',
      want: [invalid, { gets: 'hello' }],
    },
    { name: 'an empty name', answer: ok(': b\r\n'), want: invalid },
    { name: 'a field without a colon', answer: ok('nonsense\r\n'), want: invalid },
    { name: 'a line that is folded (RFC 9112 §5.2)', answer: ok('x-a: b\r\n c\r\n'), want: either },
    { name: 'a first line that is folded', answer: 'HTTP/1.1 200 OK\r\n x: y\r\ncontent-length: 5\r\n\r\nhello', want: invalid },
    { name: 'lines that end with LF alone', answer: ok('').replaceAll('\r\n', '\n'), want: either },
    { name: 'lines that end with CR alone', answer: ok('').replaceAll('\r\n', '\r'), want: invalid },
    { name: 'a field of 100 KB', answer: ok(`x-a: ${'a'.repeat(100_000)}\r\n`), want: invalid },
    {
      name: '5,000 fields',
      answer: ok(Array.from({ length: 5_000 }, (_, index) => `x-${index}: a\r\n`).join('')),
      want: invalid,
    },
    {
      name: 'a field without an end',
      answer: endless('HTTP/1.1 200 OK\r\nx-a: ', 'a'.repeat(4_096), 1),
      want: [invalid, { fails: { name: 'TimeoutError' } }],
    },
    {
      name: 'fields without an end',
      answer: endless('HTTP/1.1 200 OK\r\n', 'x-a: b\r\n'.repeat(100), 1),
      want: [invalid, { fails: { name: 'TimeoutError' } }],
    },
    {
      name: 'a reason phrase without an end',
      answer: endless('HTTP/1.1 200 ', 'a'.repeat(4_096), 1),
      want: [invalid, { fails: { name: 'TimeoutError' } }],
    },
    { name: 'a value of other characters', answer: ok('x-a: caf\xe9\r\n'), want: { gets: 'hello' } },
    { name: 'a thousand Set-Cookie fields', answer: ok('set-cookie: a=b\r\n'.repeat(500)), want: { gets: 'hello' } },
  ]),
  fault(
    'header section',
    'what a server says is not written into a log as its own line',
    async ({ client, limitMs, raw, ours }) => {
      const { origin } = await raw((socket) =>
        socket.end('HTTP/1.1 499 a\x1b[31mred\x85next\r\ncontent-length: 0\r\n\r\n', 'latin1'),
      )
      const result = await client.send(origin, { limitMs })
      if (result.kind === 'error' && /\p{Cc}/u.test((result.error as Error).message)) return 'control characters in the message'
      return complaint(result, { fails: {} }, ours)
    },
  ),
  fault('header section', '__proto__ and constructor are fields like any other', async ({ client, limitMs, raw, ours }) => {
    const { origin } = await raw((socket) => socket.end(ok('__proto__: polluted\r\nconstructor: x\r\nhasOwnProperty: y\r\n')))
    const result = await client.send(origin, { limitMs })
    if ((Object.prototype as { polluted?: unknown }).polluted !== undefined) return 'the prototype is polluted'
    return complaint(result, { gets: 'hello' }, ours)
  }),
]
