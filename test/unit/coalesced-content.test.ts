import { describe, expect, test } from 'vitest'
import { type ClientOptions, traceOf } from '../../src/index.ts'
import { rejection } from '../support/client.ts'
import { type FakeClock, settle } from '../support/fake-clock.ts'
import type { HeldTransport } from '../support/held-transport.ts'
import { bytesOf, coalescing, Trickle } from '../support/identical.ts'

const target = 'https://api.test/things'
/** What a stream reads ahead of its reader. */
const partBytes = 65_536
const whole = new Uint8Array(bytesOf(10 * partBytes))

interface Together {
  readonly responses: Response[]
  readonly content: Trickle
  readonly held: HeldTransport
  readonly clock: FakeClock
}

/** Calls that got one response whose content is ten parts of 64 KiB, three of which may be kept. */
async function together(
  count: number,
  options: ClientOptions = {},
  fields: Record<string, string> = { etag: '"a"' },
): Promise<Together> {
  const { fetch, clock, held } = coalescing({ coalesce: { maxBytes: 3 * partBytes }, ...options })
  const content = contentOf(whole)
  const calls = Array.from({ length: count }, () => fetch(target))
  await settle()
  await held.sent[0]?.answer(new Response(content.stream, { headers: fields }))
  return { responses: await Promise.all(calls), content, held, clock }
}

function contentOf(bytes: Uint8Array): Trickle {
  const content = new Trickle()
  for (let start = 0; start < bytes.length; start += partBytes) content.add(bytes.slice(start, start + partBytes))
  content.end()
  return content
}

describe('callers who read the same content', () => {
  test('get the same bytes, and may change what they got', async () => {
    const { responses, clock } = await together(5, { coalesce: true })
    const [one, two, three, four, five] = responses as [Response, Response, Response, Response, Response]
    const bytes = await one.bytes()
    expect(bytes).toEqual(whole)
    bytes.fill(0)
    new Uint8Array(await two.arrayBuffer()).fill(0)
    for await (const part of three.body as ReadableStream<Uint8Array>) part.fill(0)
    new Uint8Array(await (await four.blob()).arrayBuffer()).fill(0)
    expect(await five.bytes()).toEqual(whole)
    expect(clock.armed).toBe(0)
  })

  test('wait for one who reads slowly, and their limits of silence do not count meanwhile', async () => {
    const { responses, content, held, clock } = await together(2, { idleTimeoutMs: 2_000, timeoutMs: false })
    const reader = responses[0]?.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>
    const fast = responses[1]?.bytes()
    const parts: Uint8Array[] = []
    await settle()
    expect(content.taken).toBeLessThanOrEqual(5)
    for (;;) {
      await clock.advance(1_500)
      const { done, value } = await reader.read()
      if (done) break
      parts.push(value)
      await settle()
    }
    expect(Buffer.concat(parts)).toEqual(Buffer.from(whole))
    expect(await fast).toEqual(whole)
    expect([held.sent.length, clock.armed]).toEqual([1, 0])
  })

  test('go on after a while without one who began and reads no more, which is told so', async () => {
    const { responses, content, held, clock } = await together(2)
    const reader = responses[0]?.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>
    await reader.read()
    const fast = responses[1]?.bytes()
    await clock.advance(9_999)
    expect(content.taken).toBeLessThanOrEqual(6)
    await clock.advance(1)
    expect(await fast).toEqual(whole)
    const error = (await rejection(reader.read().then(() => reader.read()))) as Error
    expect(error).toMatchObject({ name: 'TimeoutError', kind: 'unread', code: 'ERR_STEADFETCH_TIMEOUT_UNREAD' })
    expect(error.message).toMatch(
      /^GET https:\/\/api.test\/things failed: other calls had to wait for this one to read their common body for more than 10000 ms/,
    )
    expect([held.sent.length, clock.armed]).toEqual([1, 0])
  })

  test('do not wait for one who has not begun, which gets the content by a request of its own', async () => {
    const { responses, held, clock } = await together(2)
    const [one, other] = responses as [Response, Response]
    const first = one.bytes()
    await clock.advance(50)
    expect(await first).toEqual(whole)
    expect(held.sent).toHaveLength(1)
    const second = other.bytes()
    await settle()
    expect(held.sent).toHaveLength(2)
    await held.sent[1]?.answer(new Response(contentOf(whole).stream, { headers: { etag: '"a"' } }))
    expect(await second).toEqual(whole)
    expect(traceOf(other)?.attempts.map(({ status }) => status)).toEqual([200, 200])
    expect([held.sent.length, held.underWay, clock.armed]).toEqual([2, 0, 0])
  })

  test.each([
    [
      'another version',
      () => new Response('x', { headers: { etag: '"b"' } }),
      { kind: 'changed', code: 'ERR_STEADFETCH_BODY_CHANGED' },
    ],
    ['another status', () => new Response('x', { status: 404, headers: { etag: '"a"' } }), { kind: 'changed' }],
    ['none in time', () => undefined, { kind: 'call' }],
  ])('that one fails where the answer is %s', async (_what, answer, expected) => {
    const { responses, held, clock } = await together(2, { attemptTimeoutMs: false })
    const first = responses[0]?.bytes()
    await clock.advance(50)
    await first
    const error = rejection((responses[1] as Response).bytes())
    await settle()
    const response = answer()
    if (response === undefined) await clock.advance(30_000)
    else await held.sent[1]?.answer(response)
    expect(await error).toMatchObject(expected)
    expect([held.sent.length, held.underWay, clock.armed]).toEqual([2, 0, 0])
  })

  test.each([
    ['before it is read', false],
    ['while it is read alone', true],
  ])('that one may leave %s', async (_when, reads) => {
    const { responses, held, clock } = await together(2)
    const first = responses[0]?.bytes()
    await clock.advance(50)
    await first
    const reader = responses[1]?.body?.getReader()
    const again = new Trickle(['x'])
    if (reads) {
      await settle()
      await held.sent[1]?.answer(new Response(again.stream, { headers: { etag: '"a"' } }))
    }
    await reader?.cancel()
    await settle()
    if (reads) expect(again.cancelled).toBeDefined()
    else await held.sent[1]?.answer(new Response(again.stream, { headers: { etag: '"a"' } }))
    await settle()
    expect([held.underWay, clock.armed]).toEqual([0, 0])
  })

  test('are not held up by clones that nobody reads, beyond what a clone does to its own response', async () => {
    const { responses, clock } = await together(2, { coalesce: true })
    const copy = responses[0]?.clone()
    expect(await responses[0]?.bytes()).toEqual(whole)
    expect(await responses[1]?.bytes()).toEqual(whole)
    expect(await copy?.bytes()).toEqual(whole)
    expect(clock.armed).toBe(0)
  })

  test('are bound by their own limit of decoded content where one of them reads a stream, which has none', async () => {
    const { responses, clock } = await together(
      2,
      { coalesce: true, maxDecodedBytes: 5 * partBytes },
      { 'content-encoding': 'gzip' },
    )
    const stream = new Response(responses[0]?.body).bytes()
    const error = rejection((responses[1] as Response).bytes())
    expect(await error).toMatchObject({ kind: 'too large', code: 'ERR_STEADFETCH_BODY_TOO_LARGE' })
    expect(await stream).toEqual(whole)
    expect(clock.armed).toBe(0)
  })
})
