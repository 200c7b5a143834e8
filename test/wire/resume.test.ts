import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createFetch, isNetworkError, traceOf } from '../../src/index.ts'
import { httpServer, type LocalServer } from '../support/server.ts'

const file = randomBytes(3_000_000)
const etag = `"${createHash('sha256').update(file).digest('hex').slice(0, 16)}"`
const quick = { resume: { baseMs: 1, capMs: 5 } }

/** A server with the file, which cuts its connections after these numbers of bytes; then it cuts no more. */
async function cutting(
  cuts: readonly number[],
  etagOf: (request: number) => string | undefined = () => etag,
): Promise<LocalServer & { ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = []
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const { range } = request.headers
    ranges.push(range)
    const start = Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0)
    const tag = etagOf(ranges.length - 1)
    const content = file.subarray(start)
    response.writeHead(range === undefined ? 200 : 206, {
      'content-length': content.byteLength,
      ...(tag === undefined ? {} : { etag: tag }),
      ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${file.byteLength - 1}/${file.byteLength}` }),
    })
    const cut = cuts[ranges.length - 1]
    if (cut === undefined) response.end(content)
    else response.write(content.subarray(0, cut), () => setTimeout(() => response.destroy(), 5))
  }
  return Object.assign(await httpServer(serve), { ranges })
}

describe('a download that is cut short', () => {
  test.each(['bytes', 'body', 'clone'] as const)('goes on where it stopped, and is byte-identical, read by %s', async (way) => {
    await using server = await cutting([1_000_000, 1, 700_000, 0])
    const api = createFetch(quick)
    const response = await api(server.origin)
    const read = async (): Promise<Uint8Array> => {
      if (way !== 'body') return (way === 'clone' ? response.clone() : response).bytes()
      const parts: Uint8Array[] = []
      for await (const part of response.body as ReadableStream<Uint8Array>) parts.push(part)
      return Buffer.concat(parts)
    }
    const bytes = await read()
    if (way === 'clone') await response.body?.cancel()
    expect(Buffer.from(bytes).equals(file)).toBe(true)
    expect(server.ranges).toHaveLength(5)
    expect(server.ranges[0]).toBeUndefined()
    const attempts = traceOf(response)?.attempts ?? []
    expect(attempts.map(({ status }) => status)).toEqual([200, 206, 206, 206, 206])
    expect(attempts.slice(1).every(({ waitReason }) => waitReason === 'resume')).toBe(true)
    await api.close()
  })

  test('fails as it does without the option, or without a strong validator', async () => {
    for (const [options, tag] of [
      [{}, etag],
      [quick, `W/${etag}`],
      [quick, undefined],
    ] as const) {
      await using server = await cutting([1_000], () => tag)
      const api = createFetch(options)
      const error: unknown = await api(server.origin)
        .then((response) => response.bytes())
        .catch((reason: unknown) => reason)
      expect(isNetworkError(error) && error.kind).toMatch(/truncated|reset/)
      expect(server.ranges).toHaveLength(1)
      await api.close()
    }
  })

  test('is never stitched from two representations', async () => {
    await using server = await cutting([1_000], (request) => (request === 0 ? etag : '"other"'))
    const api = createFetch(quick)
    const response = await api(server.origin)
    const error: unknown = await response.bytes().catch((reason: unknown) => reason)
    expect(isNetworkError(error) && error.message).toContain('cut short, and the part is of another representation')
    await api.close()
  })

  test('gives up after some requests that bring nothing', async () => {
    await using server = await cutting([1_000, 0, 0, 0, 0, 0])
    const api = createFetch({ resume: { maxAttempts: 2, baseMs: 1 } })
    const response = await api(server.origin)
    await expect(response.bytes()).rejects.toMatchObject({ name: 'NetworkError' })
    expect(server.ranges).toHaveLength(3)
    await api.close()
  })

  test('ends with the abort of its caller, and asks no more', async () => {
    await using server = await cutting([1_000, 0, 0, 0])
    const api = createFetch({ resume: { baseMs: 60_000, capMs: 60_000 }, random: () => 0.9 })
    const controller = new AbortController()
    const response = await api(server.origin, { signal: controller.signal })
    const bytes = response.bytes().catch((reason: unknown) => reason)
    setTimeout(() => controller.abort('enough'), 50)
    expect(await bytes).toBe('enough')
    expect(server.ranges).toHaveLength(1)
    await api.close()
  })

  test('ends when its reader cancels it, and no socket is left', async () => {
    await using server = await cutting([])
    const api = createFetch(quick)
    const reader = (await api(server.origin)).body?.getReader()
    await reader?.read()
    await reader?.cancel()
    await expect.poll(() => server.connections.every((socket) => socket.destroyed)).toBe(true)
    await api.close()
  })
})

test('a range of the caller, and several parts, are left alone', async () => {
  await using server = await httpServer((request, response) => {
    const several = request.headers.range?.includes(',') === true
    const type = several ? 'multipart/byteranges; boundary=x' : 'text/plain'
    response.writeHead(206, { etag, 'content-type': type, ...(several ? {} : { 'content-range': 'bytes 0-1/10' }) })
    response.end(several ? '--x\r\n\r\na\r\n--x--' : 'ab')
  })
  const api = createFetch(quick)
  expect(await (await api(server.origin, { headers: { range: 'bytes=0-1' } })).text()).toBe('ab')
  const response = await api(server.origin, { headers: { range: 'bytes=0-0,4-4' } })
  expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
    206,
    'multipart/byteranges; boundary=x',
    '--x\r\n\r\na\r\n--x--',
  ])
  expect(server.requests).toHaveLength(2)
  await api.close()
})

test('the retry budget of the origin pays for what is asked for again', async () => {
  await using server = await cutting([1_000, 1_000, 1_000, 1_000])
  const api = createFetch({ ...quick, retryBudget: { capacity: 10, retryCost: 5 } })
  const response = await api(server.origin)
  await expect(response.bytes()).rejects.toMatchObject({ name: 'NetworkError' })
  expect(server.ranges.length).toBeLessThanOrEqual(4)
  await api.close()
})

test.each<[unknown, string]>([
  ['yes', 'createFetch: resume must be true, false or an object, got "yes"'],
  [{ maxAttempts: 0 }, 'createFetch: resume: maxAttempts must be a whole number of at least 1, got 0'],
  [{ max: 1 }, 'createFetch: resume: unknown option "max"'],
])('an option that is none is refused: %o', (resume, message) => {
  expect(() => createFetch({ resume: resume as never })).toThrow(message)
})
