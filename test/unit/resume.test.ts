import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { WireBody } from '../../src/http/body.ts'
import { Splice } from '../../src/http/splice.ts'
import { type ClientOptions, createFetch, isHttpError, type NetworkError, type TimeoutError, traceOf } from '../../src/index.ts'
import { arriving } from '../support/arriving.ts'
import { clientOf, gaps, rejection } from '../support/client.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { fetchFailed, reply, type Sent } from '../support/scripted-transport.ts'

const content = '0123456789'
const etag = '"v1"'
const target = 'http://a.test/file'
type Fields = Record<string, string>
const lost = (): Error => new TypeError('terminated', { cause: Object.assign(new Error('lost'), { code: 'UND_ERR_SOCKET' }) })

/** An answer whose content breaks off after this text. */
function cut(text: string, fields: Fields = { etag, 'content-length': '10' }, status = 200): () => Response {
  return () => {
    let sent = text === ''
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent) controller.error(lost())
        else controller.enqueue(new TextEncoder().encode(text))
        sent = true
      },
    })
    return new Response(body, { status, headers: fields })
  }
}

/** The rest from this byte on, in one part. */
function rest(from: number, fields: Fields = {}, text = content.slice(from)): () => Response {
  return () => reply(206, { etag, 'content-range': `bytes ${from}-${from + text.length - 1}/10`, ...fields }, text)
}

const ranges = (sent: readonly Sent[]): (string | undefined)[] => sent.map(({ init }) => init.headers.range)

test('a download that breaks off is asked for the rest, with its tag as the condition, and is whole', async () => {
  const { fetch, clock, sent } = clientOf([cut('012'), rest(3)], { resume: true })
  const response = await fetch(target, { headers: { accept: 'text/plain' } })
  expect(await clock.drive(response.text())).toBe(content)
  expect(response.status).toBe(200)
  expect(sent.map(({ init }) => init.headers)).toEqual([
    { accept: 'text/plain', 'user-agent': 'steadfetch', 'accept-encoding': 'identity' },
    {
      accept: 'text/plain',
      'user-agent': 'steadfetch',
      'accept-encoding': 'identity',
      range: 'bytes=3-',
      'if-range': etag,
    },
  ])
  expect(gaps(sent)).toEqual([50])
  expect(traceOf(response)?.attempts).toMatchObject([
    { status: 200, waitMs: 0 },
    { status: 206, waitMs: 50, waitReason: 'resume', url: target },
  ])
  expect(clock.armed).toBe(0)
})

test('without the option nothing is asked for anew, and codings are left to the transport', async () => {
  const { fetch, clock, sent } = clientOf([cut('012')])
  const response = await fetch(target)
  await clock.drive(rejection(response.text()))
  expect(sent).toHaveLength(1)
  expect(sent[0]?.init.headers).not.toHaveProperty('accept-encoding')
})

test.each<[string, RequestInit, number]>([
  ['a Range of its own', { headers: { range: 'bytes=0-' } }, 200],
  ['a Range of its own that is answered by a part', { headers: { range: 'bytes=0-9' } }, 206],
  ['a condition of its own', { headers: { 'if-none-match': '"v0"' } }, 200],
  ['an If-Range of its own', { headers: { 'if-range': '"v0"' } }, 200],
  ['a method other than GET', { method: 'POST', body: 'x' }, 200],
])('a call with %s is sent and answered as it is', async (_what, init, status) => {
  const { fetch, clock, sent } = clientOf([cut('012', { etag, 'content-length': '10' }, status)], { resume: true })
  const response = await fetch(target, init)
  expect(response.status).toBe(status)
  await clock.drive(rejection(response.text()))
  expect(sent).toHaveLength(1)
  expect(sent[0]?.init.headers).not.toHaveProperty('accept-encoding')
})

test('content of several ranges is delivered as it came', async () => {
  const parts = '--b\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n--b--\r\n'
  const type = 'multipart/byteranges; boundary=b'
  const { fetch, sent } = clientOf([reply(206, { etag, 'content-type': type }, parts)], { resume: true })
  const response = await fetch(target, { headers: { range: 'bytes=0-1,4-5' } })
  expect(response.headers.get('content-type')).toBe(type)
  expect(await response.text()).toBe(parts)
  expect(ranges(sent)).toEqual(['bytes=0-1,4-5'])
})

test("the caller's own Accept-Encoding is kept", async () => {
  const { fetch, clock, sent } = clientOf([cut('012'), rest(3)], { resume: true })
  const response = await fetch(target, { headers: { 'accept-encoding': 'br' } })
  expect(await clock.drive(response.text())).toBe(content)
  expect(sent.map(({ init }) => init.headers['accept-encoding'])).toEqual(['br', 'br'])
})

const old = 'Wed, 31 Dec 2025 23:59:00 GMT'
const now = 'Thu, 01 Jan 2026 00:00:00 GMT'

test.each<[string, Fields]>([
  ['a weak tag', { etag: 'W/"v1"' }],
  ['a weak tag and an old date', { etag: 'W/"v1"', 'last-modified': old, date: now }],
  ['a tag without quotes', { etag: 'v1' }],
  ['two tags', { etag: '"v1", "v2"' }],
  ['no validator', {}],
  ['a date that may change once more', { 'last-modified': 'Wed, 31 Dec 2025 23:59:01 GMT', date: now }],
  ['an old date of which nobody knows how old it is', { 'last-modified': old }],
  ['a date that is none', { 'last-modified': 'yesterday', date: now }],
  ['a server that serves no ranges', { etag, 'accept-ranges': 'none' }],
  ['content with a coding', { etag, 'content-encoding': 'x-own' }],
  ['a length that is no number', { etag, 'content-length': 'ten' }],
])('of %s nothing more is asked for', async (_what, fields) => {
  const { fetch, clock, sent } = clientOf([cut('012', fields)], { resume: true })
  const response = await fetch(target)
  expect(await clock.drive(rejection(response.text()))).toBeInstanceOf(TypeError)
  expect(sent).toHaveLength(1)
  expect(clock.armed).toBe(0)
})

test('where there is no tag, a date a minute older than the response is the condition', async () => {
  const dated = { 'last-modified': old, date: now, 'content-length': '10' }
  const part = { 'last-modified': old, 'content-range': 'bytes 3-9/10' }
  const { fetch, clock, sent } = clientOf([cut('012', dated), reply(206, part, '3456789')], { resume: true })
  const response = await fetch(target)
  expect(await clock.drive(response.text())).toBe(content)
  expect(sent[1]?.init.headers).toMatchObject({ range: 'bytes=3-', 'if-range': old })
})

test.each<[string, () => Response]>([
  ['another date', () => reply(206, { 'last-modified': now, 'content-range': 'bytes 3-9/10' }, '3456789')],
  ['no date', () => reply(206, { 'content-range': 'bytes 3-9/10' }, '3456789')],
  [
    'a tag that was not there before',
    () => reply(206, { etag, 'last-modified': old, 'content-range': 'bytes 3-9/10' }, '3456789'),
  ],
  ['the same date on everything', () => reply(200, { 'last-modified': old, 'content-length': '10' }, content)],
])('a date is no proof where the answer has %s', async (_what, answer) => {
  const dated = { 'last-modified': old, date: now, 'content-length': '10' }
  const { fetch, clock, sent } = clientOf([cut('012', dated), answer], { resume: true })
  const error = (await clock.drive(rejection((await fetch(target)).text()))) as NetworkError
  expect(error.message).toContain('not resumed: representation changed, answered')
  expect(sent).toHaveLength(2)
})

test('without any progress it is asked for again three times, with a back-off that doubles', async () => {
  const none = cut('', { etag, 'content-range': 'bytes 3-9/10' }, 206)
  const { fetch, clock, sent } = clientOf([cut('012'), none], { resume: true })
  const response = await fetch(target)
  const error = (await clock.drive(rejection(response.text()))) as NetworkError
  expect(error).toMatchObject({ name: 'NetworkError', kind: 'truncated', attempts: 4, retryable: true })
  expect(error.message).toContain('the connection was lost in the middle of the body, not resumed: resumptions spent (4 attempts')
  expect((error.cause as Error).message).toBe('lost')
  expect(traceOf(error)?.notRepeated).toBe('resumptions spent')
  expect(ranges(sent)).toEqual([undefined, 'bytes=3-', 'bytes=3-', 'bytes=3-'])
  expect(gaps(sent)).toEqual([50, 100, 200])
  expect(clock.armed).toBe(0)
})

test('each byte begins the count of resumptions and their back-off anew', async () => {
  const steps = [3, 4, 5, 6, 7].map((from) => cut(String(from), { etag, 'content-range': `bytes ${from}-9/10` }, 206))
  const { fetch, clock, sent } = clientOf([cut('012'), ...steps, rest(8)], { resume: { maxAttempts: 1, baseMs: 10 } })
  expect(await clock.drive((await fetch(target)).text())).toBe(content)
  expect(gaps(sent)).toEqual([5, 5, 5, 5, 5, 5])
})

test('maxResumptions is the limit of a download that comes byte by byte', async () => {
  const steps = [3, 4].map((from) => cut(String(from), { etag, 'content-range': `bytes ${from}-9/10` }, 206))
  const { fetch, clock, sent } = clientOf([cut('012'), ...steps, rest(5)], { resume: { maxResumptions: 2 } })
  const error = (await clock.drive(rejection((await fetch(target)).text()))) as NetworkError
  expect(error.message).toContain('not resumed: resumptions spent')
  expect(sent).toHaveLength(3)
})

test('everything with the same tag counts as the rest: what was received before is left out', async () => {
  const all = reply(200, { etag, 'content-length': '10' }, content)
  const { fetch, clock, sent } = clientOf([cut('012'), all], { resume: true })
  expect(await clock.drive((await fetch(target)).text())).toBe(content)
  expect(sent).toHaveLength(2)
})

test.each<[string, () => Response, string]>([
  ['everything with another tag', () => reply(200, { etag: '"v2"' }, 'abcdefghij'), 'representation changed, answered 200'],
  ['everything without a tag', () => reply(200, {}, content), 'representation changed, answered 200'],
  [
    'everything with the tag as a weak one',
    () => reply(200, { etag: 'W/"v1"' }, content),
    'representation changed, answered 200',
  ],
  ['everything in a coding', () => reply(200, { etag, 'content-encoding': 'x' }, content), 'range not served, answered 200'],
  [
    'everything with the tag and of another length',
    () => reply(200, { etag, 'content-length': '11' }, `${content}!`),
    'representation changed, answered 200',
  ],
  ['a part of another version', rest(3, { etag: '"v2"' }), 'representation changed, answered 206'],
  ['a part of another length', rest(3, { 'content-range': 'bytes 3-9/11' }), 'representation changed, answered 206'],
  ['a part that begins elsewhere', rest(2), 'range not served, answered 206'],
  ['a part with a Content-Length of another', rest(3, { 'content-length': '8' }), 'range not served, answered 206'],
  ['a part in a coding', rest(3, { 'content-encoding': 'gzip' }), 'range not served, answered 206'],
  ['a part that ends beyond the end', rest(3, { 'content-range': 'bytes 3-10/10' }), 'range not served, answered 206'],
  ['several parts', rest(3, { 'content-type': 'multipart/byteranges; boundary=b' }), 'range not served, answered 206'],
  ['416', () => reply(416, { 'content-range': 'bytes */10' }), 'range not served, answered 416'],
  ['404', () => reply(404), 'range not served, answered 404'],
  ['a redirect', () => reply(302, { location: '/other' }), 'range not served, answered 302'],
])('%s ends the download with the failure it had, and the reason', async (_what, answer, why) => {
  const { fetch, clock, sent } = clientOf([cut('012'), answer], { resume: true })
  const response = await fetch(target)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('012')
  const error = (await clock.drive(rejection(reader.read()))) as NetworkError
  expect(error).toMatchObject({ name: 'NetworkError', kind: 'truncated', attempts: 2 })
  expect(error.message).toContain(`not resumed: ${why} (2 attempts`)
  expect(sent).toHaveLength(2)
  expect(clock.armed).toBe(0)
})

test('more content than was told is an error, and none of it is passed on', async () => {
  const { fetch, clock } = clientOf([cut('012'), rest(3, {}, '3456789')], { resume: true })
  const honest = await fetch(target)
  expect(await clock.drive(honest.text())).toBe(content)
  const long = (): Response => reply(206, { etag, 'content-range': 'bytes 3-9/10' }, '3456789more')
  const other = clientOf([cut('012'), long], { resume: true })
  const error = (await other.clock.drive(rejection((await other.fetch(target)).text()))) as NetworkError
  expect(error).toMatchObject({ kind: 'protocol' })
  expect(error.message).toContain('the content is longer than was told')
  expect(other.sent).toHaveLength(2)
})

test('everything that turns out to be longer than it was is an error, and nothing beyond the end is passed on', async () => {
  const { fetch, clock } = clientOf([cut('012'), reply(200, { etag }, `${content}more`)], { resume: true })
  const reader = ((await fetch(target)).body as ReadableStream<Uint8Array>).getReader()
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('012')
  expect(await clock.drive(rejection(reader.read()))).toMatchObject({ kind: 'protocol' })
})

test('everything that turns out to be shorter than what was received is no end', async () => {
  const { fetch, clock, sent } = clientOf([cut('012', { etag }), reply(200, { etag }, '01')], { resume: { maxAttempts: 2 } })
  const error = (await clock.drive(rejection((await fetch(target)).text()))) as NetworkError
  expect(error.message).toContain('not resumed: resumptions spent')
  expect(sent).toHaveLength(3)
})

test('more content than its Content-Length is an error in the first answer, too', async () => {
  const { fetch, clock, sent } = clientOf([reply(200, { etag, 'content-length': '9' }, content)], { resume: true })
  const error = (await clock.drive(rejection((await fetch(target)).text()))) as NetworkError
  expect(error).toMatchObject({ kind: 'protocol', attempts: 1 })
  expect(sent).toHaveLength(1)
})

test('content that ends too early is asked for the rest, though its transport takes it for whole', async () => {
  const short = (): Response => reply(200, { etag, 'content-length': '10' }, '01234')
  const { fetch, clock, sent } = clientOf([short, rest(5)], { resume: true })
  expect(await clock.drive((await fetch(target)).text())).toBe(content)
  expect(ranges(sent)).toEqual([undefined, 'bytes=5-'])
})

test('where the length is not known at first, the part tells it, and nothing short of it is the end', async () => {
  const part = rest(3, { 'content-range': 'bytes 3-5/10' }, '345')
  const { fetch, clock, sent } = clientOf([cut('012', { etag }), part, rest(6)], { resume: true })
  expect(await clock.drive((await fetch(target)).text())).toBe(content)
  expect(ranges(sent)).toEqual([undefined, 'bytes=3-', 'bytes=6-'])
  const unknown = clientOf([cut('012', { etag }), rest(3, { 'content-range': 'bytes 3-9/*' })], { resume: true })
  const error = (await unknown.clock.drive(rejection((await unknown.fetch(target)).text()))) as NetworkError
  expect(error.message).toContain('not resumed: range not served')
})

test('a connection lost after the last byte has lost nothing', async () => {
  const { fetch, clock, sent } = clientOf([cut(content)], { resume: true })
  expect(await clock.drive((await fetch(target)).text())).toBe(content)
  expect(sent).toHaveLength(1)
})

test('a download cut before its first byte is asked for from there', async () => {
  const { fetch, clock, sent } = clientOf([cut(''), rest(0)], { resume: true })
  expect(await clock.drive((await fetch(target)).text())).toBe(content)
  expect(ranges(sent)).toEqual([undefined, 'bytes=0-'])
})

test('a 503 to a resumption is waited out and repeated as any other', async () => {
  const { fetch, clock, sent } = clientOf([cut('012'), reply(503, { 'retry-after': '2' }), rest(3)], { resume: true })
  const response = await fetch(target)
  expect(await clock.drive(response.text())).toBe(content)
  expect(ranges(sent)).toEqual([undefined, 'bytes=3-', 'bytes=3-'])
  expect(gaps(sent)[0]).toBe(50)
  expect(gaps(sent)[1]).toBeGreaterThanOrEqual(2_000)
  expect(traceOf(response)?.attempts.map(({ status }) => status)).toEqual([200, 503, 206])
})

test('a resumption has all the attempts of a call, whatever the first answer took', async () => {
  const busy = reply(503)
  const { fetch, clock, sent } = clientOf([busy, busy, cut('012'), busy, busy, rest(3)], { resume: true })
  const response = await clock.drive(fetch(target))
  expect(await clock.drive(response.text())).toBe(content)
  expect(ranges(sent)).toEqual([undefined, undefined, undefined, 'bytes=3-', 'bytes=3-', 'bytes=3-'])
  expect(gaps(sent)).toEqual([50, 100, 50, 50, 100])
})

test('a stream that fails for another reason than the network fails with it', async () => {
  const bug = new TypeError('x is not a function')
  const body = arriving()
  const { fetch, clock, sent } = clientOf([() => new Response(body.body, { headers: { etag } })], { resume: true })
  const failure = rejection((await fetch(target)).text())
  body.fail(bug)
  expect(await clock.drive(failure)).toBe(bug)
  expect(sent).toHaveLength(1)
})

test('what a policy does not accept is neither resumed nor a resumption', async () => {
  const first = clientOf([cut('012'), rest(3)], { resume: true, on: { 200: 'fail' } })
  expect(isHttpError(await first.clock.drive(rejection(first.fetch(target))), 200)).toBe(true)
  expect(first.sent).toHaveLength(1)
  const second = clientOf([cut('012'), rest(3)], { resume: true, on: { 206: 'fail' } })
  const error = (await second.clock.drive(rejection((await second.fetch(target)).text()))) as NetworkError
  expect(error.message).toContain('not resumed: range not served, answered 206')
})

test('the answer that is of no use is let go', async () => {
  const other = arriving()
  const { fetch, clock } = clientOf([cut('012'), () => new Response(other.body, { headers: { etag: '"v2"' } })], { resume: true })
  await clock.drive(rejection((await fetch(target)).text()))
  await settle()
  expect(other.cancelled).toBe(true)
})

test('what the retries give up on ends the download', async () => {
  const { fetch, clock, sent } = clientOf([cut('012'), fetchFailed('ECONNREFUSED')], { resume: true, maxAttempts: 2 })
  const error = (await clock.drive(rejection((await fetch(target)).text()))) as NetworkError
  expect(error.message).toContain('not resumed: attempts spent (3 attempts')
  expect(sent).toHaveLength(3)
})

test('a resumption is paid for from the retry budget, and its success gives that back', async () => {
  const retryBudget = { capacity: 5, retryCost: 5 }
  const ends = clientOf([cut('012'), rest(3), cut('012'), rest(3)], { resume: true, retryBudget })
  expect(await ends.clock.drive((await ends.fetch(target)).text())).toBe(content)
  expect(await ends.clock.drive((await ends.fetch(target)).text())).toBe(content)
  const none = cut('', { etag, 'content-range': 'bytes 3-9/10' }, 206)
  const poor = clientOf([cut('012'), none], { resume: { maxAttempts: 9 }, retryBudget: { capacity: 3, retryCost: 5 } })
  const error = (await poor.clock.drive(rejection((await poor.fetch(target)).text()))) as NetworkError
  expect(error.message).toContain('not resumed: retry budget is empty')
  expect(poor.sent).toHaveLength(1)
})

test('resumptions take from the same budget as the retries of their requests, and more after a silence', async () => {
  const options = {
    resume: true,
    maxAttempts: 9,
    retryBudget: { capacity: 12, retryCost: 5, timeoutCost: 13 },
    idleTimeoutMs: 1_000,
  }
  const { fetch, clock, sent } = clientOf([cut('012'), reply(503)], options)
  const error = (await clock.drive(rejection((await fetch(target)).text()))) as NetworkError
  expect(error.message).toContain('not resumed: retry budget is empty, answered 503 (3 attempts')
  expect(sent).toHaveLength(3)
  const silent = clientOf([() => new Response(arriving().body, { headers: { etag } }), rest(0)], options)
  const late = (await silent.clock.drive(rejection((await silent.fetch(target)).text()))) as TimeoutError
  expect(late.message).toContain('not resumed: retry budget is empty (1 attempt')
})

test('a resumption that is refused here is told of, and costs nothing', async () => {
  const { fetch, clock, sent } = clientOf([cut('012'), cut('012'), rest(3)], {
    resume: true,
    retryBudget: { capacity: 5, retryCost: 5 },
    rateLimit: { limit: 1, windowMs: 1_000, maxWaitMs: 0 },
  })
  const error = (await clock.drive(rejection((await fetch(target)).text()))) as NetworkError
  expect(error.message).toContain('not resumed: rate limited (1 attempt')
  await clock.advance(1_000)
  expect(await clock.drive((await fetch(target, { resume: { baseMs: 4_000 } })).text())).toBe(content)
  expect(gaps(sent)).toEqual([1_050, 2_000])
})

test('a resumption that is aborted while it waits costs nothing', async () => {
  const { fetch, clock, sent } = clientOf([cut('012'), cut('012'), rest(3)], { resume: true, retryBudget: { capacity: 5 } })
  const reader = ((await fetch(target)).body as ReadableStream<Uint8Array>).getReader()
  await reader.read()
  await settle()
  await reader.cancel()
  expect(await clock.drive((await fetch(target)).text())).toBe(content)
  expect(gaps(sent)).toEqual([0, 50])
  expect(clock.armed).toBe(0)
})

test('a body that is silent for idleTimeoutMs is asked for anew, and the call goes on', async () => {
  const silent = arriving()
  const first = (): Response => new Response(silent.body, { headers: { etag, 'content-length': '10' } })
  const { fetch, clock, sent } = clientOf([first, rest(3)], { resume: true, idleTimeoutMs: 1_000 })
  const whole = (await fetch(target)).text()
  silent.part('012')
  await clock.advance(999)
  expect(sent).toHaveLength(1)
  expect(await clock.drive(whole)).toBe(content)
  expect(gaps(sent)).toEqual([1_050])
  expect(silent.cancelled).toBe(true)
  expect(clock.armed).toBe(0)
})

test('a body that is silent however often it is asked for fails with the time limit', async () => {
  const silent = (): Response => new Response(arriving().body, { headers: { etag, 'content-length': '10' } })
  const empty = (): Response => new Response(arriving().body, { status: 206, headers: { etag, 'content-range': 'bytes 0-9/10' } })
  const { fetch, clock, sent } = clientOf([silent, empty], { resume: { maxAttempts: 1 }, idleTimeoutMs: 1_000 })
  const error = (await clock.drive(rejection((await fetch(target)).text()))) as TimeoutError
  expect(error).toMatchObject({ name: 'TimeoutError', kind: 'idle', attempts: 2 })
  expect(error.message).toContain('the body was silent for more than 1000 ms, not resumed: resumptions spent (2 attempts')
  expect(gaps(sent)).toEqual([1_050])
  expect(clock.armed).toBe(0)
})

test('timeoutMs bounds a body read whole with all its resumptions, and a body taken as a stream not at all', async () => {
  const slow = (from: number): (() => Response) => {
    return () => {
      const body = arriving()
      setImmediate(() => body.part(content.slice(from, from + 1)))
      const range = { etag, 'content-range': `bytes ${from}-9/10` }
      return new Response(body.body, {
        status: from === 0 ? 200 : 206,
        headers: from === 0 ? { etag, 'content-length': '10' } : range,
      })
    }
  }
  const script = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(slow)
  const options: ClientOptions = { resume: true, idleTimeoutMs: 1_000, timeoutMs: 3_500 }
  const { fetch, clock, sent } = clientOf(script, options)
  const error = (await clock.drive(rejection((await fetch(target)).text()))) as TimeoutError
  expect(error).toMatchObject({ name: 'TimeoutError', kind: 'call', elapsedMs: 3_500, attempts: 4 })
  expect(sent).toHaveLength(4)
  expect(clock.armed).toBe(0)
  const streamed = clientOf(script, options)
  const response = await streamed.fetch(target)
  expect(await streamed.clock.drive(new Response(response.body).text())).toBe(content)
  expect(streamed.sent).toHaveLength(10)
  expect(streamed.clock.now()).toBeGreaterThan(1_000 + 9 * 1_050)
  expect(streamed.clock.armed).toBe(0)
})

test('a back-off that does not fit into the call is not waited for', async () => {
  const { fetch, clock, sent } = clientOf([cut('012'), rest(3)], { resume: { baseMs: 4_000 }, timeoutMs: 1_000 })
  const error = (await clock.drive(rejection((await fetch(target)).text()))) as NetworkError
  expect(error.message).toContain('not resumed: wait does not fit into timeoutMs (1 attempt, 0 ms)')
  expect(sent).toHaveLength(1)
})

test.each([
  ['while it waits', 0, 1],
  ['while the resumption is under way', 50, 2],
])("the caller's abort ends a download at once %s, and leaves nothing", async (_when, afterMs, requests) => {
  let signal: AbortSignal | undefined
  const never = (_target: string, init: { signal: AbortSignal }): Promise<Response> => {
    signal = init.signal
    return new Promise(() => {})
  }
  const { fetch, clock, sent } = clientOf([cut('012'), never], { resume: true })
  const abort = new AbortController()
  const response = await fetch(target, { signal: abort.signal })
  const failure = rejection(response.text())
  await clock.advance(afterMs)
  const reason = new Error('no more')
  abort.abort(reason)
  expect(await failure).toBe(reason)
  await clock.advance(60_000)
  expect(sent).toHaveLength(requests)
  expect(signal?.aborted ?? true).toBe(true)
  expect(clock.armed).toBe(0)
})

test('a stream that is cancelled while its rest is asked for leaves nothing, whenever the answer comes', async () => {
  for (let turns = 0; turns < 40; turns += 1) {
    const late = arriving()
    let answer: (response: Response) => void = () => {}
    const waiting = (): Promise<Response> =>
      new Promise((resolve) => {
        answer = resolve
      })
    const { fetch, clock, sent } = clientOf([cut('012'), waiting], { resume: true })
    const response = await fetch(target)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    await clock.advance(50)
    expect(sent).toHaveLength(2)
    const cancel = (): Promise<void> => reader.cancel()
    const cancelled = turns === 0 ? cancel() : undefined
    answer(new Response(late.body, { status: 206, headers: { etag, 'content-range': 'bytes 3-9/10' } }))
    for (let turn = 1; turn < turns; turn += 1) await null
    await (cancelled ?? cancel())
    await settle()
    expect(late.cancelled).toBe(true)
    expect(traceOf(response)?.notRepeated).toBeUndefined()
    expect(clock.armed).toBe(0)
  }
})

test('nothing is asked for while enough waits to be read; the rest is, once somebody reads on', () => {
  const broken: unknown[] = []
  const facts = (): never => {
    throw new Error('no error of its own is due')
  }
  const splice = new Splice({ broken: (error) => void broken.push(error), over() {}, facts })
  const part = new WireBody({ pause() {}, resume() {}, abort() {} })
  splice.join(part, { fromBytes: 0, untilBytes: 300_000, completeBytes: 300_000 })
  part.write(new Uint8Array(200_000))
  const error = lost()
  part.fail(error)
  expect(broken).toEqual([])
  const read: number[] = []
  splice.body.attach({ write: (bytes) => read.push(bytes.byteLength) > 0, end() {}, fail() {} })
  expect(read).toEqual([200_000])
  expect(broken).toEqual([error])
})

test("integrity, json and clone see the whole, and errors: 'fetch' fails as fetch does", async () => {
  const json = '{"a":[1,2,3]}'
  const fields = { etag, 'content-length': '13', 'content-type': 'application/json' }
  const more = (): Response => reply(206, { etag, 'content-range': 'bytes 4-12/13' }, json.slice(4))
  const script = [cut(json.slice(0, 4), fields), more]
  const integrity = `sha256-${createHash('sha256').update(json).digest('base64')}`
  const checked = clientOf(script, { resume: true })
  const verified = await checked.clock.drive(checked.fetch(target, { integrity }))
  expect(await verified.json()).toEqual({ a: [1, 2, 3] })
  const cloned = clientOf(script, { resume: true })
  const response = await cloned.fetch(target)
  const copy = response.clone()
  expect(await cloned.clock.drive(Promise.all([response.json(), copy.text()]))).toEqual([{ a: [1, 2, 3] }, json])
  const plain = clientOf([cut('012'), reply(404)], { resume: true, errors: 'fetch' })
  const error = (await plain.clock.drive(rejection((await plain.fetch(target)).text()))) as Error
  expect(error.constructor).toBe(TypeError)
  expect(error.message).toBe('fetch failed')
  expect((error.cause as Error).message).toBe('lost')
})

test('the rest is asked for where the redirects led, and the answer to a resumption may not redirect', async () => {
  const moved = reply(302, { location: 'http://b.test/there' })
  const { fetch, clock, sent } = clientOf([moved, cut('012'), rest(3)], { resume: true })
  const response = await fetch(target)
  expect(await clock.drive(response.text())).toBe(content)
  expect(sent.map((request) => request.target)).toEqual([target, 'http://b.test/there', 'http://b.test/there'])
  expect(traceOf(response)?.redirects).toHaveLength(1)
})

test('the endpoint that began a download is asked for the rest of it, another one only if that cannot be reached', async () => {
  const endpoints = ['http://a.test', 'http://b.test', 'http://c.test']
  const same = clientOf([cut('012'), cut('3', { etag, 'content-range': 'bytes 3-9/10' }, 206), rest(4)], {
    resume: true,
    endpoints,
  })
  expect(await same.clock.drive((await same.fetch('/file')).text())).toBe(content)
  expect(new Set(same.sent.map((request) => request.target)).size).toBe(1)
  const moved = reply(302, { location: '/there' })
  for (const later of [0, 0.4, 0.9]) {
    let chance = 0
    const redirected = clientOf([moved, cut('012'), rest(3)], { resume: true, endpoints, random: () => chance })
    const response = await redirected.clock.drive(redirected.fetch('/file'))
    chance = later
    expect(await redirected.clock.drive(response.text())).toBe(content)
    expect(redirected.sent[2]?.target).toBe(redirected.sent[1]?.target)
  }
  const other = clientOf([cut('012'), fetchFailed('ECONNREFUSED'), rest(3)], { resume: true, endpoints })
  expect(await other.clock.drive((await other.fetch('/file')).text())).toBe(content)
  const [first, second, third] = other.sent.map((request) => request.target)
  expect(second).toBe(first)
  expect(third).not.toBe(first)
  expect(other.sent[2]?.init.headers).toMatchObject({ range: 'bytes=3-', 'if-range': etag })
})

test('a hedge of the first request or of a resumption changes nothing in what is asked for', async () => {
  const never = (): Promise<Response> => new Promise(() => {})
  const { fetch, clock, sent } = clientOf([never, cut('012'), never, rest(3)], { resume: true, hedge: { afterMs: 10 } })
  const response = await clock.drive(fetch(target))
  expect(await clock.drive(response.text())).toBe(content)
  expect(ranges(sent)).toEqual([undefined, undefined, 'bytes=3-', 'bytes=3-'])
  expect(gaps(sent)).toEqual([10, 50, 10])
  expect(traceOf(response)?.attempts).toMatchObject([
    { error: 'superseded' },
    { status: 200, hedge: true },
    { error: 'superseded', waitReason: 'resume' },
    { status: 206, hedge: true },
  ])
  expect(clock.armed).toBe(0)
})

test('a failed status is thrown as ever', async () => {
  const { fetch, sent } = clientOf([reply(404, { etag })], { resume: true })
  expect(isHttpError(await rejection(fetch(target)), 404)).toBe(true)
  expect(sent).toHaveLength(1)
})

test('policy functions see the answers to resumptions, in the context of the caller; what they throw ends the download', async () => {
  const storage = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const asked = clientOf([cut('012'), rest(3)], {
    resume: true,
    on: { 206: ({ attempts }) => void seen.push([storage.getStore(), attempts]) },
  })
  const response = await storage.run('mine', () => asked.fetch(target))
  expect(await asked.clock.drive(response.text())).toBe(content)
  expect(seen).toEqual([['mine', 2]])
  const own = new Error('own')
  const throwing = clientOf([cut('012'), rest(3)], {
    resume: true,
    on: {
      206: () => {
        throw own
      },
    },
  })
  expect(await throwing.clock.drive(rejection((await throwing.fetch(target)).text()))).toBe(own)
  expect(throwing.clock.armed).toBe(0)
})

test('a clock that throws ends the download with what it throws', async () => {
  const clock = new FakeClock()
  const own = new Error('own')
  let broken = false
  const after: FakeClock['after'] = (ms, run) => {
    if (broken) throw own
    return clock.after(ms, run)
  }
  const transport = async (): Promise<Response> => cut('012')()
  const fetch = createFetch({ transport, clock: { now: clock.now, wallTime: clock.wallTime, after }, resume: true })
  const response = await fetch(target)
  const failure = rejection(response.text())
  broken = true
  expect(await clock.drive(failure)).toBe(own)
})

test('the option of a call goes before that of its client, which a child inherits', async () => {
  const { fetch, clock, sent } = clientOf([cut('012')], { resume: { maxAttempts: 1 } })
  await clock.drive(rejection((await fetch(target, { resume: false })).text()))
  expect(sent).toHaveLength(1)
  await clock.drive(rejection((await fetch.extend({})(target)).text()))
  expect(sent).toHaveLength(3)
  await clock.drive(rejection((await fetch.extend({ resume: false })(target, { resume: true })).text()))
  expect(ranges(sent.slice(3))).toEqual([undefined, 'bytes=3-', 'bytes=3-', 'bytes=3-'])
})

test.each<[unknown, string]>([
  [3, 'resume must be true, false or an object, got 3'],
  [null, 'resume must be true, false or an object'],
  [{ maxAttempts: 0 }, 'resume: maxAttempts must be a whole number of at least 1, got 0'],
  [{ maxResumptions: 1.5 }, 'resume: maxResumptions must be a whole number of at least 1, got 1.5'],
  [{ baseMs: -1 }, 'resume: baseMs must be a number of at least 0, got -1'],
  [{ capMs: '1' }, 'resume: capMs must be a number of at least 0, got "1"'],
  [{ maxWait: 1 }, 'resume: unknown option "maxWait"'],
])('resume: %j is refused by a client and by a call', async (resume, message) => {
  expect(() => createFetch({ resume: resume as never })).toThrow(`createFetch: ${message}`)
  const { fetch, sent } = clientOf([reply(200)])
  expect(((await rejection(fetch(target, { resume: resume as never }))) as Error).message).toContain(`fetch: ${message}`)
  expect(sent).toHaveLength(0)
})
