import { type Fault, type SimpleFault, simple } from '../fault.ts'

const ok = (fields: string, content: string): string => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${content}`
const chunked = (content: string): string => ok('transfer-encoding: chunked', content)
const invalid = { fails: { name: 'NetworkError', kind: 'protocol' } }
/** Where the body had begun, undici's parser is stopped in the middle of it. */
const broken = [invalid, { fails: { name: 'NetworkError', kind: 'truncated' } }]

const endless =
  (start: string, part: string): SimpleFault['answer'] =>
  (socket) => {
    socket.write(start)
    const timer = setInterval(() => socket.write(part), 1)
    socket.once('close', () => clearInterval(timer))
  }

/** Where content ends: RFC 9112 §6 and §7. */
export const framing: readonly Fault[] = simple('framing', [
  { name: 'two different Content-Lengths', answer: ok('content-length: 3\r\ncontent-length: 4', 'abcd'), want: invalid },
  { name: 'a list of different Content-Lengths', answer: ok('content-length: 3, 4', 'abcd'), want: invalid },
  // RFC 9112 §6.3: a list of equal ones may be taken for one, or refused.
  {
    name: 'equal Content-Lengths',
    answer: ok('content-length: 3\r\ncontent-length: 3', 'abc'),
    want: [invalid, { gets: 'abc' }],
  },
  { name: 'a negative Content-Length', answer: ok('content-length: -3', 'abc'), want: invalid },
  { name: 'a Content-Length with a sign', answer: ok('content-length: +3', 'abc'), want: invalid },
  { name: 'a Content-Length that is no number', answer: ok('content-length: abc', 'abc'), want: invalid },
  { name: 'a Content-Length in hexadecimal', answer: ok('content-length: 0x3', 'abc'), want: invalid },
  { name: 'a Content-Length with a space in it', answer: ok('content-length: 3 0', 'abc'), want: invalid },
  { name: 'an empty Content-Length', answer: ok('content-length: ', 'abc'), want: [invalid, { gets: 'abc' }] },
  { name: 'a Content-Length beyond 64 bits', answer: ok('content-length: 99999999999999999999999', 'abc'), want: invalid },
  {
    name: 'less content than a huge Content-Length',
    answer: ok('content-length: 9007199254740993', 'abc'),
    want: broken,
    requests: 1,
  },
  // RFC 9112 §6.3: Transfer-Encoding overrides, or the message is refused; the length must not count.
  {
    name: 'Content-Length and chunked',
    answer: ok('content-length: 3\r\ntransfer-encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'),
    want: [invalid, { gets: 'hello' }],
  },
  {
    name: 'chunked and Content-Length',
    answer: ok('transfer-encoding: chunked\r\ncontent-length: 30', '5\r\nhello\r\n0\r\n\r\n'),
    want: [invalid, { gets: 'hello' }],
  },
  {
    name: 'chunked twice (RFC 9112 §6.1)',
    answer: ok('transfer-encoding: chunked, chunked', '5\r\nhello\r\n0\r\n\r\n'),
    want: [invalid, { gets: 'hello' }, ...broken],
  },
  {
    name: 'chunked in two fields',
    answer: ok('transfer-encoding: chunked\r\ntransfer-encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'),
    want: [invalid, { gets: 'hello' }, ...broken],
  },
  {
    name: 'a Transfer-Encoding that ends with another coding',
    answer: ok('transfer-encoding: chunked, identity', '5\r\nhello\r\n0\r\n\r\n'),
    want: [invalid, { gets: '5\r\nhello\r\n0\r\n\r\n' }],
  },
  {
    name: 'an unknown Transfer-Encoding',
    answer: ok('transfer-encoding: xchunked', 'hello'),
    want: [invalid, { gets: 'hello' }],
  },
  { name: 'a chunk size that is no number', answer: chunked('zz\r\nhello\r\n0\r\n\r\n'), want: broken, requests: 1 },
  { name: 'a negative chunk size', answer: chunked('-5\r\nhello\r\n0\r\n\r\n'), want: broken, requests: 1 },
  { name: 'a chunk size beyond 64 bits', answer: chunked('fffffffffffffffff\r\nhello\r\n0\r\n\r\n'), want: broken, requests: 1 },
  { name: 'a chunk size with a prefix', answer: chunked('0x5\r\nhello\r\n0\r\n\r\n'), want: broken, requests: 1 },
  { name: 'an empty chunk size', answer: chunked('\r\nhello\r\n0\r\n\r\n'), want: broken, requests: 1 },
  { name: 'more in a chunk than its size', answer: chunked('3\r\nhello\r\n0\r\n\r\n'), want: broken, requests: 1 },
  { name: 'less in a chunk than its size', answer: chunked('a\r\nhello\r\n0\r\n\r\n'), want: broken, requests: 1 },
  { name: 'no line end after a chunk', answer: chunked('5\r\nhello0\r\n\r\n'), want: broken, requests: 1 },
  {
    name: 'chunk lines that end with LF alone',
    answer: chunked('5\nhello\n0\n\n'),
    want: [...broken, { gets: 'hello' }],
    requests: 1,
  },
  { name: 'a chunk extension', answer: chunked('5;name=value;"q"\r\nhello\r\n0\r\n\r\n'), want: [{ gets: 'hello' }, ...broken] },
  {
    name: 'a chunk extension without an end',
    answer: endless(chunked('5;'), 'a'.repeat(4_096)),
    want: [...broken, { fails: { name: 'TimeoutError' } }],
    requests: 1,
  },
  { name: 'trailers', answer: chunked('5\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n'), want: { gets: 'hello' } },
  {
    name: 'trailers that would frame',
    answer: chunked('5\r\nhello\r\n0\r\ncontent-length: 99\r\ntransfer-encoding: x\r\n\r\n'),
    want: [{ gets: 'hello' }, ...broken],
  },
  {
    name: 'trailers without an end',
    answer: endless(chunked('5\r\nhello\r\n0\r\n'), `x-a: ${'a'.repeat(4_000)}\r\n`),
    want: [...broken, { fails: { name: 'TimeoutError' } }],
    requests: 1,
  },
  { name: 'chunked in capitals', answer: ok('Transfer-Encoding: CHUNKED', '5\r\nhello\r\n0\r\n\r\n'), want: { gets: 'hello' } },
  {
    name: 'no length and no close until the limit',
    answer: (socket, _piece, count) => void (count === 1 && socket.write('HTTP/1.1 200 OK\r\n\r\nhello')),
    want: { fails: { name: 'TimeoutError' } },
    requests: 1,
  },
])
