import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { complaint, type Fault, fault, type Want } from '../fault.ts'

const group = 'content'
const decode = { fails: { name: 'BodyError', kind: 'decode' } }
/** A busy machine may not come to it within the limit of the call. */
const tooLarge = [{ fails: { name: 'BodyError', kind: 'too large' } }, decode, { fails: { name: 'TimeoutError' } }]
const text = 'hello '.repeat(1_000)
const gzip = gzipSync(text)
const brotli = (content: Uint8Array | string): Buffer =>
  brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })
const six = [1, 2, 3, 4, 5, 6].reduce<Buffer>((content) => gzipSync(content), Buffer.from('hello'))

const coded = (name: string, coding: string, content: Uint8Array | string, want: Want | readonly Want[], status = 200): Fault =>
  fault(group, name, async ({ client, limitMs, http, ours }) => {
    const { origin, received } = await http((_request, response) =>
      response.writeHead(status, { 'content-encoding': coding }).end(content),
    )
    const result = await client.send(origin, { limitMs })
    return received.length > 1 && status === 200 ? 'asked for more than once' : complaint(result, want, ours)
  })

const typed = (
  name: string,
  type: string,
  content: Uint8Array | string,
  read: 'text' | 'json',
  want: Want | readonly Want[],
  status = 200,
): Fault =>
  fault(group, name, async ({ client, limitMs, http, ours }) => {
    const { origin } = await http((_request, response) => response.writeHead(status, { 'content-type': type }).end(content))
    return complaint(await client.send(origin, { limitMs, read }), want, ours)
  })

/** Content and its codings: RFC 9110 §8. */
export const content: readonly Fault[] = [
  coded('gzip', 'gzip', gzip, { gets: text }),
  coded('gzip that is cut short', 'gzip', gzip.subarray(0, gzip.length - 12), decode),
  coded('gzip without its checksum', 'gzip', gzip.subarray(0, gzip.length - 8), decode),
  coded('gzip with a wrong checksum', 'gzip', Buffer.concat([gzip.subarray(0, -8), Buffer.alloc(8)]), decode),
  coded('what says it is gzip, and is not', 'gzip', 'plain text', decode),
  coded('gzip of nothing', 'gzip', '', { gets: '' }),
  coded('two members of gzip', 'gzip', Buffer.concat([gzipSync('hello '), gzipSync('there')]), { gets: 'hello there' }),
  coded('gzip and zeros behind it', 'gzip', Buffer.concat([gzipSync('hello'), Buffer.alloc(100)]), [{ gets: 'hello' }, decode]),
  coded('gzip and garbage behind it', 'gzip', Buffer.concat([gzipSync('hello'), Buffer.from('garbage')]), [
    { gets: 'hello' },
    decode,
  ]),
  coded('a bomb of gzip', 'gzip', gzipSync(Buffer.alloc(300_000_000)), tooLarge),
  coded('a bomb of Brotli', 'br', brotli(Buffer.alloc(300_000_000)), tooLarge),
  coded('a bomb in an error', 'gzip', gzipSync(Buffer.alloc(300_000_000)), { fails: { status: 500 } }, 500),
  coded('deflate', 'deflate', deflateSync(text), { gets: text }),
  coded('deflate without its frame', 'deflate', deflateRawSync(text), { gets: text }),
  coded('deflate that is cut short', 'deflate', deflateSync(text).subarray(0, -10), decode),
  coded('Brotli', 'br', brotli(text), { gets: text }),
  coded('Brotli that is cut short', 'br', brotli(text).subarray(0, -5), decode),
  coded('what says it is Brotli, and is not', 'br', 'plain text', decode),
  coded('two codings', 'gzip, br', brotli(gzip), [{ gets: text }]),
  coded('six codings', Array(6).fill('gzip').join(', '), six, decode),
  coded('a thousand codings', Array(1_000).fill('gzip').join(','), gzip, decode),
  coded('an unknown coding', 'x-unknown', 'hello', [{ gets: 'hello' }, decode]),
  coded('x-gzip in capitals', 'X-GZIP', gzip, { gets: text }),
  typed('a byte order mark before JSON', 'application/json', '\ufeff{"a":1}', 'json', { gets: { a: 1 } }),
  typed('JSON that is cut short', 'application/json', '{"a":', 'json', { fails: { name: 'BodyError', kind: 'json' } }),
  typed('HTML where JSON is due', 'text/html', '<html>', 'json', { fails: { name: 'BodyError', kind: 'json' } }),
  typed('no JSON where JSON is due', 'application/json', '', 'json', [{ fails: {} }, { gets: undefined }]),
  typed('bytes that are no UTF-8', 'text/plain', Buffer.from([0x68, 0xff, 0x69]), 'text', { gets: 'h\ufffdi' }),
  typed('another charset, which fetch does not read', 'text/plain; charset=iso-8859-1', Buffer.from([0x68, 0xe9]), 'text', [
    { gets: 'h\ufffd' },
    { gets: 'h\xe9' },
  ]),
  typed(
    'problem details that are no JSON',
    'application/problem+json',
    '{"title":',
    'text',
    { fails: { status: 422, problem: undefined } },
    422,
  ),
  typed(
    'problem details that are a list',
    'application/problem+json',
    '[1,2]',
    'text',
    { fails: { status: 422, problem: undefined } },
    422,
  ),
  typed('a content type that is none', ';;;=', 'hello', 'text', { gets: 'hello' }),
  fault(group, '__proto__ in JSON pollutes nothing', async ({ client, limitMs, http }) => {
    const { origin } = await http((_request, response) =>
      response
        .writeHead(422, { 'content-type': 'application/problem+json' })
        .end('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
    )
    const result = await client.send(origin, { limitMs })
    if (({} as { polluted?: unknown }).polluted !== undefined) return 'the prototype is polluted'
    const { problem } = Object(result.kind === 'error' ? result.error : {}) as { problem?: { polluted?: unknown } }
    return problem?.polluted === undefined ? undefined : 'the problem has a foreign prototype'
  }),
  fault(group, 'an error with 100 MB of content keeps little of it', async ({ client, limitMs, http, ours }) => {
    const { origin } = await http((_request, response) => {
      let left = 1_600
      const more = (): void => {
        while (left-- > 0) if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', more)
        response.end()
      }
      response.writeHead(500)
      more()
    })
    const result = await client.send(origin, { limitMs, method: 'POST', body: 'x' })
    const { body, data, response } = Object(result.kind === 'error' ? result.error : {}) as Record<string, unknown>
    const kept = [body, data, (Object(response) as { data?: unknown }).data].find((value) => typeof value === 'string') as
      | string
      | undefined
    if ((kept?.length ?? 0) > 1_000_000) return `${kept?.length} characters are kept`
    return complaint(result, { fails: { status: 500 } }, ours)
  }),
]
