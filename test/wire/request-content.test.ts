import { describe, expect, it } from 'vitest'
import { InternalServerError, traceOf } from '../../src/index.ts'
import { caught, client, inTurn, keepingServer, type Received } from '../support/wire.ts'

const bytes = new Uint8Array(3_000).map((_zero, index) => index % 256)
const view = bytes.subarray(100, 1_100)
const big = new Uint8Array(300_000).map((_zero, index) => (index * 7) % 256)

/** What it is called, the content, its bytes, and its Content-Type: undefined when it has none. */
const kinds: [string, BodyInit, Uint8Array | string, string | undefined][] = [
  ['a string', 'grüße', 'grüße', 'text/plain;charset=UTF-8'],
  ['an empty string', '', '', 'text/plain;charset=UTF-8'],
  ['a Uint8Array', bytes, bytes, undefined],
  ['a subarray, not the memory behind it', view, view, undefined],
  ['a DataView', new DataView(bytes.buffer, 10, 20), bytes.subarray(10, 30), undefined],
  ['an ArrayBuffer', bytes.buffer, bytes, undefined],
  ['a large Uint8Array', big, big, undefined],
  ['a Blob with a type', new Blob([bytes], { type: 'image/png' }), bytes, 'image/png'],
  ['a Blob with no type', new Blob(['a', 'b']), 'ab', undefined],
  ['a large Blob', new Blob([big]), big, undefined],
  ['a File', new File([bytes], 'a.bin', { type: 'application/x-a' }), bytes, 'application/x-a'],
  [
    'URLSearchParams',
    new URLSearchParams({ a: '1 2', b: 'ü' }),
    'a=1+2&b=%C3%BC',
    'application/x-www-form-urlencoded;charset=UTF-8',
  ],
]

function expectSent(received: Received[], content: Uint8Array | string, type: string | undefined): void {
  const expected = Buffer.from(content)
  for (const { headers, body } of received) {
    expect(body.equals(expected)).toBe(true)
    expect(headers['content-type']).toBe(type)
    expect(headers['content-length']).toBe(String(expected.length))
    expect(headers['transfer-encoding']).toBeUndefined()
  }
}

describe('the content of a request', () => {
  it.each(kinds)(
    '%s is sent by PUT with its length and type, and replayed through 503, 503, 200',
    async (_name, body, content, type) => {
      await using server = await keepingServer(inTurn(503, 503, 200))
      const response = await client()(server.origin, { method: 'PUT', body })
      expect(await response.text()).toBe('answer 3')
      expect(server.requests).toEqual(['PUT /', 'PUT /', 'PUT /'])
      expect(server.received).toHaveLength(3)
      expectSent(server.received, content, type)
    },
  )

  it('json is sent with its type and replayed', async () => {
    await using server = await keepingServer(inTurn(503, 503, 200))
    await client()(server.origin, { method: 'PUT', json: { name: 'Zoë', list: [1, null] } })
    expect(server.received).toHaveLength(3)
    expectSent(server.received, '{"name":"Zoë","list":[1,null]}', 'application/json')
  })

  it('json leaves a type that the caller named', async () => {
    await using server = await keepingServer(inTurn(200))
    await client()(server.origin, { method: 'PATCH', json: [], headers: { 'Content-Type': 'application/merge-patch+json' } })
    expectSent(server.received, '[]', 'application/merge-patch+json')
    expect(server.requests).toEqual(['PATCH /'])
  })

  it('FormData with a file is sent with one boundary, the same bytes on every attempt', async () => {
    await using server = await keepingServer(inTurn(503, 503, 200))
    const form = new FormData()
    form.append('name', 'line 1\nline 2')
    form.append('quo"ted', 'ü')
    form.append('file', new File([big], 'a "b".bin', { type: 'application/x-a' }))
    await client()(server.origin, { method: 'PUT', body: form })
    expect(server.received).toHaveLength(3)
    const [first] = server.received as [Received]
    expect(first.headers['content-type']).toMatch(/^multipart\/form-data; boundary=\S+$/)
    expectSent(server.received, first.body, first.headers['content-type'])
    const read = await new Response(new Uint8Array(first.body), { headers: first.headers as HeadersInit }).formData()
    expect([read.get('name'), read.get('quo"ted')]).toEqual(['line 1\r\nline 2', 'ü'])
    const file = read.get('file') as File
    expect([file.name, file.type, Buffer.from(await file.arrayBuffer()).equals(big)]).toEqual([
      'a "b".bin',
      'application/x-a',
      true,
    ])
  })

  it('a global Request with a string is replayed, with its type and its fields', async () => {
    await using server = await keepingServer(inTurn(503, 503, 200))
    const request = new Request(`${server.origin}/path`, { method: 'PUT', body: 'grüße', headers: { 'x-own': 'yes' } })
    await client()(request)
    expect(server.requests).toEqual(['PUT /path', 'PUT /path', 'PUT /path'])
    expectSent(server.received, 'grüße', 'text/plain;charset=UTF-8')
    expect(server.received.map(({ headers }) => headers['x-own'])).toEqual(['yes', 'yes', 'yes'])
  })

  it('a global Request with more than 1 MiB is sent whole but never twice', async () => {
    await using server = await keepingServer(inTurn(503, 503, 200))
    const body = new Uint8Array(2_500_000).map((_zero, index) => (index * 13) % 256)
    const error = await caught(client()(new Request(server.origin, { method: 'PUT', body })))
    expect(error).toMatchObject({ status: 503, attempts: 1 })
    expect(traceOf(error)?.notRepeated).toBe('content cannot be replayed')
    expect(server.received).toHaveLength(1)
    expect(server.received[0]?.body.equals(body)).toBe(true)
  })

  it('what the caller does to its bytes during the call is not sent', async () => {
    const own = new Uint8Array([1, 2, 3])
    await using server = await keepingServer((response, _received, index) => {
      own.fill(9)
      response.writeHead(index === 0 ? 503 : 200).end()
    })
    await client()(server.origin, { method: 'PUT', body: own })
    expect(server.received.map(({ body }) => [...body])).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  it('POST is not repeated after a 500', async () => {
    await using server = await keepingServer(inTurn(500, 200))
    const error = await caught(client()(server.origin, { method: 'POST', body: 'once' }))
    expect(error).toBeInstanceOf(InternalServerError)
    expect(error).toMatchObject({ attempts: 1 })
    expect(traceOf(error)?.notRepeated).toBe('method is not idempotent')
    expect(server.received.map(({ body }) => String(body))).toEqual(['once'])
  })

  it('POST with an Idempotency-Key is repeated with the same key and content', async () => {
    await using server = await keepingServer(inTurn(500, 500, 200))
    const response = await client()(server.origin, { method: 'POST', body: 'once', headers: { 'Idempotency-Key': 'k1' } })
    expect(response.status).toBe(200)
    expect(server.received.map(({ method, headers, body }) => [method, headers['idempotency-key'], String(body)])).toEqual(
      Array.from({ length: 3 }, () => ['POST', 'k1', 'once']),
    )
  })

  it.each(['POST', 'PUT'])('%s without content is sent with a length of 0', async (method) => {
    await using server = await keepingServer(inTurn(200))
    await client()(server.origin, { method })
    expect(server.received.map(({ headers }) => headers['content-length'])).toEqual(['0'])
  })
})
