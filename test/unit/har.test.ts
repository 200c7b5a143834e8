import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  type ClientOptions,
  createFetch,
  type HarEntry,
  type HarOptions,
  recordHar,
  refresh,
  type SteadFetch,
} from '../../src/index.ts'
import { clientOf } from '../support/client.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { fieldsOf, recorded, sole } from '../support/har.ts'
import { HeldTransport } from '../support/held-transport.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'
import { uncaught } from '../support/uncaught.ts'

const target = 'https://api.example.com/a'

function setUp(replies: Parameters<typeof clientOf>[0], options?: HarOptions, client?: ClientOptions) {
  const made = clientOf(replies, client)
  return { ...made, ...recorded(made.fetch, options) }
}

/** The content of the only response, as the archive shows it. */
async function shown(type: string, content: string | Uint8Array<ArrayBuffer>, options: HarOptions = { content: true }) {
  const response = new Response(content, { headers: { 'content-type': type } })
  const { fetch, entries } = setUp([response], options)
  await (await fetch(target)).arrayBuffer()
  return sole(entries()).response.content
}

/** The content of the only request, as the archive shows it. */
async function sent(body: BodyInit, headers: Record<string, string> = {}): Promise<HarEntry['request']> {
  const { fetch, entries } = setUp([reply(200)], { content: true })
  await fetch(target, { method: 'POST', body, headers })
  return sole(entries()).request
}

describe('a recorder', () => {
  it('tells the wall time of each start and where the time went, as far as a transport shows it', async () => {
    const { fetch, clock, entries } = setUp([
      async () => {
        await new Promise<void>((resolve) => clock.after(30, resolve))
        return reply(503)
      },
      fetchFailed('ECONNRESET'),
      reply(200, { 'x-a': 'b' }, 'content'),
    ])
    await (await clock.drive(fetch(target))).text()
    const unknown = { httpVersion: 'unknown', headersSize: -1 }
    expect(entries()).toMatchObject([
      { startedDateTime: '2026-01-01T00:00:00.000Z', time: 30, timings: { blocked: 0, send: 0, wait: 30, receive: 0 } },
      { startedDateTime: '2026-01-01T00:00:00.080Z', response: { status: 0 }, _waitMs: 50, _waitReason: 'backoff' },
      { startedDateTime: '2026-01-01T00:00:00.180Z', request: unknown, response: { status: 200, bodySize: 7 }, _waitMs: 100 },
    ])
    expect(entries().map(({ timings: { dns, connect, ssl } }) => [dns, connect, ssl])).toEqual(Array(3).fill([-1, -1, -1]))
  })

  it('has attempts under way with what is known by then', async () => {
    const held = new HeldTransport(() => 0)
    const { fetch, entries } = setUp([], {}, { transport: held.send })
    const call = fetch(target)
    await settle()
    expect(sole(entries())).toMatchObject({ _underWay: true, response: { status: 0 } })
    await held.sent[0]?.answer()
    const response = await call
    await response.text()
    expect(sole(entries())).not.toHaveProperty('_underWay')
  })

  it('keeps the latest entries alone', async () => {
    const { fetch, entries } = setUp([reply(200)], { maxEntries: 2 })
    for (const name of ['a', 'b', 'c', 'd']) await fetch(`https://api.example.com/${name}`)
    expect(entries().map(({ request }) => request.url)).toEqual(['https://api.example.com/c', 'https://api.example.com/d'])
  })

  it('forgets what was recorded when it is told to, attempts under way included', async () => {
    const held = new HeldTransport(() => 0)
    const { fetch, entries, recorder } = setUp([], {}, { transport: held.send })
    const call = fetch(target)
    await settle()
    recorder.clear()
    await held.sent[0]?.answer()
    await call
    expect(entries()).toEqual([])
  })

  it('records nothing that begins after its end, and what was under way to its own', async () => {
    const held = new HeldTransport(() => 0)
    const { fetch, entries, recorder } = setUp([], {}, { transport: held.send })
    const first = fetch(target)
    await settle()
    recorder.stop()
    recorder.stop()
    const second = fetch(target)
    await settle()
    for (const request of held.sent) await request.answer()
    await Promise.all([first, second])
    expect(sole(entries())).toMatchObject({ response: { status: 200 } })
  })

  it('hears the clients extended from its own, and no other; several record the same', async () => {
    const { fetch } = clientOf([reply(200)])
    const child = fetch.extend({})
    const ofParent = [recorded(fetch), recorded(fetch)]
    const ofChild = recorded(child)
    await fetch(target)
    await child(target)
    await clientOf([reply(200)]).fetch(target)
    expect([...ofParent, ofChild].map(({ entries }) => entries().length)).toEqual([2, 2, 1])
  })

  it('gives an archive that is the caller’s to change', async () => {
    const { fetch, recorder } = setUp([reply(200)])
    await fetch(target)
    const archive = recorder.archive() as unknown as { log: { entries: { request: { url: string } }[] } }
    ;(archive.log.entries[0] as { request: { url: string } }).request.url = 'changed'
    expect(sole(recorder.archive().log.entries).request.url).toBe(target)
  })

  it('tells who made the archive', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
    expect(recordHar(clientOf([]).fetch).archive().log.creator).toEqual({ name: 'steadfetch', version })
  })

  it('that cannot tell an attempt, as the clock is none, fails no call', async () => {
    const clock = Object.assign(new FakeClock(), { wallTime: () => Number.NaN })
    const { fetch } = setUp([reply(200, {}, 'content')], {}, { clock })
    const thrown = uncaught()
    expect(await (await fetch(target)).text()).toBe('content')
    expect(await thrown).toBeInstanceOf(RangeError)
  })

  it('has no entry for what has no server', async () => {
    const { fetch, entries } = setUp([])
    await (await fetch('data:,content')).text()
    expect(entries()).toEqual([])
  })

  it.each<[string, unknown, unknown, string]>([
    ['the global fetch', globalThis.fetch, {}, 'recordHar: the client must be a fetch that createFetch made'],
    ['nothing', undefined, {}, 'recordHar: the client must be a fetch that createFetch made'],
    ['an unknown option', createFetch(), { contents: true }, 'recordHar: unknown option "contents"; known are'],
    ['a content that is no flag', createFetch(), { content: 1 }, 'recordHar: content must be true or false, got 1'],
    ['no entries', createFetch(), { maxEntries: 0 }, 'recordHar: maxEntries must be a whole number of at least 1, got 0'],
    ['no bytes', createFetch(), { maxContentBytes: 0.5 }, 'recordHar: maxContentBytes must be a whole number of at least 1'],
  ])('refuses %s', (_what, client, options, message) => {
    expect(() => recordHar(client as SteadFetch, options as HarOptions)).toThrow(message)
  })
})

describe('an archive shows no secret', () => {
  it('and no date that it cannot tell', async () => {
    const cookie = (expires: string): [string, string] => ['set-cookie', `a=b; Expires=${expires}`]
    const dates = ['never', 'Wed, 21 Oct 275000 07:28:00 GMT', 'Wed, 21 Oct 2026 07:28:00 GMT']
    const { fetch, entries } = setUp([new Response(null, { headers: dates.map(cookie) })])
    await fetch(target)
    const { cookies } = sole(entries()).response
    expect(cookies.map(({ expires }) => expires)).toEqual([undefined, undefined, '2026-10-21T07:28:00.000Z'])
  })

  it('of a request and its response, wherever it stands', async () => {
    const answer = new Response('{"access_token":"hidden-9"}', {
      headers: [
        ['set-cookie', 'sid=hidden-1; Path=/a; Domain=example.com; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Secure; SameSite=Lax'],
        ['set-cookie', 'theme=hidden-2; HttpOnly'],
        ['location', '/b?sig=hidden-3'],
        ['link', '</c?key=hidden-4>; rel=next, <https://u:hidden-5@example.com/>; rel=prev'],
        ['x-next', 'see https://example.com/?api_key=hidden-6, please'],
        ['x-api-key', 'hidden-7'],
        ['content-type', 'application/json'],
      ],
    })
    const { fetch, entries } = setUp([answer], { content: true })
    const fields = {
      authorization: 'Bearer hidden-10',
      cookie: 'a=hidden-11; b=hidden-12',
      referer: 'https://x.example/?token=hidden-13',
    }
    const url = `${target}?token=hidden-14&page=2`
    await (await fetch(url, { method: 'POST', headers: fields, json: { user: { password: 'hidden-15' } } })).text()
    const { request, response } = sole(entries())
    expect(JSON.stringify(entries())).not.toContain('hidden')
    expect(request.url).toBe(`${target}?token=***&page=2`)
    expect(request.queryString).toEqual([
      { name: 'token', value: '***' },
      { name: 'page', value: '2' },
    ])
    expect(request.cookies).toEqual([
      { name: 'a', value: '***' },
      { name: 'b', value: '***' },
    ])
    expect(fieldsOf(request)).toMatchObject({ authorization: '***', referer: 'https://x.example/?token=***' })
    expect(response.cookies).toEqual([
      {
        ...{ name: 'sid', value: '***', path: '/a', domain: 'example.com', expires: '2026-10-21T07:28:00.000Z' },
        ...{ httpOnly: false, secure: true, sameSite: 'Lax' },
      },
      { name: 'theme', value: '***', httpOnly: true, secure: false },
    ])
    expect(response.redirectURL).toBe('https://api.example.com/b?sig=***')
    expect(fieldsOf(response)).toMatchObject({
      link: '<https://api.example.com/c?key=***>; rel=next, <https://example.com/>; rel=prev',
      'x-next': 'see https://example.com/?api_key=***, please',
      'x-api-key': '***',
    })
    expect(request.postData?.text).toBe('{"user":{"password":"***"}}')
    expect(response.content.text).toBe('{"access_token":"***"}')
  })

  it('that a source of credentials gave, whatever the field is called', async () => {
    const on = { 401: refresh(() => ({ 'x-id': 'hidden' })) }
    const { fetch, entries } = setUp([reply(401), reply(200)], {}, { on })
    await fetch(target)
    await fetch(target)
    expect(entries().map(({ request }) => fieldsOf(request)['x-id'])).toEqual([undefined, '***', '***'])
    expect(JSON.stringify(entries())).not.toContain('hidden')
  })

  it('and no content unless it is asked for', async () => {
    const { fetch, entries } = setUp([reply(200, { 'content-type': 'text/plain' }, 'content')])
    await (await fetch(target, { method: 'POST', body: 'content' })).text()
    const { request, response } = sole(entries())
    expect(request).not.toHaveProperty('postData')
    expect(request.bodySize).toBe(7)
    expect(response.content).toEqual({ size: 7, mimeType: 'text/plain' })
  })
})

describe('content in an archive', () => {
  it.each([
    ['text', 'text/plain', 'see https://u:hidden@example.com/?token=hidden', 'see https://example.com/?token=***'],
    ['JSON without secrets, to the letter', 'application/json', '{ "id": 12345678901234567890 }', undefined],
    ['JSON with secrets', 'application/problem+json', '{"a":[{"apiKey":{"b":1},"c":null}]}', '{"a":[{"apiKey":"***","c":null}]}'],
    ['JSON with URLs', 'application/json', '["https://a.example/?sig=hidden"]', '["https://a.example/?sig=***"]'],
    [
      'JSON with an absent secret',
      'application/json',
      '{"token":null,"__proto__":{"pin":1}}',
      '{"token":null,"__proto__":{"pin":"***"}}',
    ],
    [
      'a form',
      'application/x-www-form-urlencoded;charset=UTF-8',
      'code=hidden&a=%231&password=hidden',
      'code=***&a=%231&password=***',
    ],
    ['another charset', 'text/plain; charset=iso-8859-1', new Uint8Array([0xe4]), 'ä'],
    ['an unknown charset', 'text/plain; charset=nonsense', 'ä', undefined],
  ])('is shown: %s', async (_what, type, content, expected) => {
    expect(await shown(type, content)).toMatchObject({ mimeType: type, text: expected ?? content })
  })

  it.each([
    ['what is no text', 'image/png', 'pixels', 'left out: it is no text'],
    [
      'JSON that is none',
      'application/json',
      '{"token":"hidden"',
      'left out: JSON that cannot be read cannot be masked (17 bytes)',
    ],
    ['JSON that is too deep', 'application/json', '['.repeat(50_000), /^left out: JSON/],
  ])('is left out: %s', async (_what, type, content, comment) => {
    const entry = await shown(type, content)
    expect(entry).not.toHaveProperty('text')
    expect(entry.comment).toMatch(comment)
    expect(entry.size).toBe(content.length)
  })

  it('is cut off at its limit', async () => {
    const cut = await shown('text/plain', 'a'.repeat(100_000))
    expect(cut).toMatchObject({ size: 100_000, text: 'a'.repeat(65_536), comment: 'the start of 100000 bytes' })
    expect(await shown('text/plain', 'abcdef', { content: true, maxContentBytes: 3 })).toMatchObject({ text: 'abc', size: 6 })
    expect(await shown('application/json', '{"token":"hidden"}', { content: true, maxContentBytes: 16 })).not.toHaveProperty(
      'text',
    )
  })

  it('of a request is shown as that of a response is', async () => {
    expect(await sent('a=1', { 'content-type': 'text/plain' })).toMatchObject({ bodySize: 3, postData: { text: 'a=1' } })
    expect((await sent(new URLSearchParams({ pin: '1', a: '2' }))).postData).toMatchObject({ text: 'pin=***&a=2' })
    const unknown = { mimeType: 'x-unknown', text: '', comment: 'left out: it is no text' }
    expect(await sent(new Uint8Array([1, 2]))).toMatchObject({ bodySize: 2, postData: unknown })
    expect(await sent(new Blob(['abc'], { type: 'text/plain' }))).toMatchObject({
      bodySize: 3,
      postData: { mimeType: 'text/plain' },
    })
  })

  it('whose codings a transport took off has an unknown size on the wire', async () => {
    const { fetch, entries } = setUp([reply(200, { 'content-encoding': 'gzip' }, 'decoded')])
    await (await fetch(target)).text()
    expect(sole(entries()).response).toMatchObject({ bodySize: -1, content: { size: 7 } })
  })
})
