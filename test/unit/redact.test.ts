import { inspect } from 'node:util'
import { errors } from 'undici'
import { describe, expect, test, vi } from 'vitest'
import { redactPairs, redactReference, redactUrl } from '../../src/errors/redact.ts'
import { redactContent } from '../../src/errors/redact-content.ts'
import { redactError } from '../../src/errors/redact-error.ts'
import { redactFields, secretsOf } from '../../src/errors/redact-fields.ts'
import { escapeControls, redactText, shownValue } from '../../src/errors/redact-text.ts'
import { accept, createFetch, follow, poll, type RedactOptions, type SteadfetchError, traceOf } from '../../src/index.ts'
import type { OwnNames } from '../../src/types/redact.ts'
import { clientOf, rejection } from '../support/client.ts'
import { reply } from '../support/scripted-transport.ts'

const own: OwnNames = { fields: new Set(['x-tenant']), parameters: new Set(['ref']) }

describe('a target', () => {
  test.each([
    ['https://u:p@x.test/a?ref=1&b=2#c', 'https://x.test/a?ref=***&b=2'],
    ['https://x.test/a?b=%20&token=%20+&c=+', 'https://x.test/a?b=%20&token=***&c=+'],
    ['https://x.test/?token=1&token=2', 'https://x.test/?token=***&token=***'],
    ['https://x.test/?user%5Bpassword%5D=1', 'https://x.test/?user%5Bpassword%5D=***'],
    ['https://x.test/?token=&empty', 'https://x.test/?token=&empty'],
    ['https://x.test/?next=https%3A%2F%2Fa%2F%3Fcode%3D1&b=a%3Db', 'https://x.test/?next=***&b=a%3Db'],
    ['https://x.test/?next=//u:p@a/&to=https://u:p@a/', 'https://x.test/?next=//u:p@a/&to=***'],
    ['https://x.test/?eyJhbGciOiJub25lIn0.e30.x', 'https://x.test/?***'],
    ['https://x.test/a;jsessionid=1/b;v=2', 'https://x.test/a;jsessionid=***/b;v=2'],
    [
      'https://x.test/?AWSAccessKeyId=1&Signature=2&sig=3&X-Goog-Signature=4',
      'https://x.test/?AWSAccessKeyId=***&Signature=***&sig=***&X-Goog-Signature=***',
    ],
    ['https://x.test/?%E0%A4%A=1', 'https://x.test/?%E0%A4%A=1'],
    ['redis://u:p@x.test/0?password=1', 'redis://x.test/0?password=***'],
    ['data:text/plain,token', 'data:'],
    ['mailto:ada@x.test', 'mailto:'],
    ['javascript:alert("token")', 'javascript:'],
    ['https://u:p@[', '(invalid URL)'],
  ])('%s is shown as %s', (target, shown) => expect(redactUrl(target, own)).toBe(shown))

  test('without anything to hide is the very same text', () => {
    for (const target of ['https://x.test/a/b', 'https://x.test/?a=1&b=%20+', 'https://x.test/?a'])
      expect(redactUrl(target)).toBe(target)
  })

  test.each([
    ['/a?token=1#b', '/a?token=***'],
    ['//u:p@x.test/a?ref=1', '//x.test/a?ref=***'],
    ['?code=1', '/?code=***'],
    ['https://u:p@x.test/', 'https://x.test/'],
    ['http://[', '(invalid URL)'],
  ])('that is relative, %s, is shown as %s', (reference, shown) => expect(redactReference(reference, own)).toBe(shown))

  test('of a form has its pairs masked in the same manner', () => {
    expect(redactPairs('user=ada&password=1&ref=2', own)).toBe('user=ada&password=***&ref=***')
  })
})

describe('fields', () => {
  test('are masked by their names, and by what is in them', () => {
    const fields: [string, string][] = [
      ['Set-Cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['location', '/a?token=1'],
      ['link', '</b?key=1>; rel="next"'],
      ['refresh', '5; url=/c?token=1'],
      ['x-tenant', 'acme'],
      ['via', '1.1 u:p@proxy.test'],
      ['accept', 'text/html'],
      ['accept', 'text/plain'],
      ['idempotency-key', '"a"'],
      ['__proto__', 'b'],
      ['server', 'a\u009b2J\u202eb'],
    ]
    expect(Object.entries(redactFields(fields, own))).toEqual([
      ['Set-Cookie', '***'],
      ['set-cookie', '***'],
      ['location', '/a?token=***'],
      ['link', '</b?key=***>; rel="next"'],
      ['refresh', '5; url=/c?***'],
      ['x-tenant', '***'],
      ['via', '1.1 ***@proxy.test'],
      ['accept', 'text/html, text/plain'],
      ['idempotency-key', '"a"'],
      ['__proto__', 'b'],
      ['server', 'a\\x9b2J\\u{202e}b'],
    ])
  })

  test('give the secrets that a text may repeat: whole, by their parts, and as they were before base64', () => {
    const basic = Buffer.from('ada:password').toString('base64')
    const fields = [
      'authorization',
      `Basic ${basic}`,
      'cookie',
      'a=theme-1; b=x',
      'x-tenant',
      'acme-inc',
      'x-api-key',
      'k',
      'accept',
      'anything',
    ]
    expect(secretsOf(fields, own)).toEqual([
      `Basic ${basic}`,
      basic,
      'ada:password',
      'a=theme-1',
      'password',
      'acme-inc',
      'theme-1',
    ])
    expect(redactText(`lost password of ada (${basic})`, own, secretsOf(fields, own))).toBe('lost *** of ada (***)')
  })
})

describe('the text of somebody else', () => {
  test.each([
    ['GET https://u:p@x.test/?token=1#a, then (https://y.test/).', 'GET https://x.test/?token=***, then (https://y.test/).'],
    ['proxy u:p@x.test:3128 said no', 'proxy ***@x.test:3128 said no'],
    ['Authorization: Basic dTpw, and more', 'Authorization: ***'],
    ['sent Bearer abc.def-ghi=', 'sent Bearer ***'],
    ['Bearer token is not valid', 'Bearer token is not valid'],
    ['Basic authentication failed', 'Basic authentication failed'],
    ['cookie: a=1; b=2\r\nx: y', 'cookie: ***\\r\\nx: y'],
    ['got eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln here', 'got *** here'],
    ['x-api-key=1 password: "a b" token=\'c\' apiKey: d, rest', 'x-api-key=*** password: "***" token=\'***\' apiKey: ***, rest'],
    ['{"a":1,"client_secret":"x\\"y","b":2}', '{"a":1,"client_secret":"***","b":2}'],
    ['x-tenant: acme; ref=1', 'x-tenant: ***; ref=***'],
    ['-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----', '***'],
    ['code: ECONNREFUSED, state: closed', 'code: ECONNREFUSED, state: closed'],
    ['Unexpected token < in JSON at position 0', 'Unexpected token < in JSON at position 0'],
    ['connect ECONNREFUSED 127.0.0.1:80', 'connect ECONNREFUSED 127.0.0.1:80'],
    ['file:///a/b.ts:1:2', 'file:///a/b.ts:1:2'],
  ])('%j is shown as %j', (text, shown) => expect(redactText(text, own)).toBe(shown))

  test('is one line in which every control character is spelt out', () => {
    expect(escapeControls('a\r\nb\tc\u001b[2Kd\u0085e\u202ef\u2028g\u200bh\ud800i\u{e0001}é😀')).toBe(
      'a\\r\\nb\\tc\\x1b[2Kd\\x85e\\u{202e}f\\u{2028}g\\u{200b}h\\u{d800}i\\u{e0001}é😀',
    )
  })

  test('is cut where it is long', () => expect(redactText('a'.repeat(10_000))).toHaveLength(4_097))
})

test.each([
  ['trow', '"trow"'],
  ['6xx', '"6xx"'],
  ['127.0.0.1', '"127.0.0.1"'],
  ['', '""'],
  [30, '30'],
  [null, 'object'],
  [() => 'token', 'function'],
  [Symbol('token'), 'symbol'],
  ['hunter2', 'a string of 7 characters'],
  ['http://u:p@proxy.test', 'a string of 21 characters'],
  ['correct-horse-battery-staple', 'a string of 28 characters'],
  ['Bearer abc', 'a string of 10 characters'],
  ['token=abc', 'a string of 9 characters'],
  ['a\r\nb', 'a string of 4 characters'],
])('the wrong value %j is shown as %s', (value, shown) => expect(shownValue(value)).toBe(shown))

describe('content', () => {
  test.each([
    [
      'JSON',
      'application/json',
      '{"user":"a","password":"b","list":[{"token":{"x":1},"ref":2}],"ok":1}',
      '{"user":"a","password":"***","list":[{"token":"***","ref":"***"}],"ok":1}',
    ],
    ['JSON with a URL', null, '{"next":"https://u:p@x.test/?key=1"}', '{"next":"https://x.test/?key=***"}'],
    ['JSON that was cut', 'application/json', '{"user":"a","password":"b', '{"user":"a","password":"***"'],
    [
      'JSON that was cut within a secret',
      'application/json',
      '{"user":"a","credentials":{"a":"b',
      '{"user":"a","credentials":***',
    ],
    ['a form', 'application/x-www-form-urlencoded; charset=utf-8', 'user=a&password=b&code=c', 'user=a&password=***&code=***'],
    ['XML', 'text/xml', '<a><password>b</password><c d="e">f</c></a>', '<a><password>***</password><c d="e">f</c></a>'],
    [
      'HTML',
      'text/html',
      '<input type="hidden" name="csrf" id=x value="b">',
      '<input type="hidden" name="csrf" id=x value="***">',
    ],
    ['text', 'text/plain', 'no\u001b[2K token: abc', 'no\\x1b[2K token: ***'],
    ['a JSON text', 'application/json', '"Bearer abc"', '"Bearer ***"'],
  ])('that is %s is masked by the names in it', (_what, type, text, shown) => expect(redactContent(text, type, own)).toBe(shown))

  test('is shown up to 2 KiB', () => {
    for (const text of ['a'.repeat(9_000), JSON.stringify({ a: 'b'.repeat(9_000) }), JSON.stringify([...'c'.repeat(9_000)])])
      expect(redactContent(text, null)).toHaveLength(2_049)
  })

  test('that is nested without measure is text', () => {
    expect(redactContent('['.repeat(50_000) + ']'.repeat(50_000), null)).toMatch(/^\[+…$/)
  })
})

describe('an error of somebody else', () => {
  test('that tells no secret is the very same', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED ::1:80'), {
      code: 'ECONNREFUSED',
      errno: -111,
      syscall: 'connect',
      address: '::1',
      port: 80,
    })
    const info = { localAddress: '127.0.0.1', localPort: 1, remoteAddress: undefined, bytesRead: 0 }
    const Socket = errors.SocketError as unknown as new (message: string, socket: object) => Error
    for (const error of [
      refused,
      Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' }),
      new TypeError('fetch failed', { cause: refused }),
      new Socket('other side closed', info),
      Object.assign(new Error('mine'), { kind: 'mine', count: 3, none: undefined }),
      new DOMException('aborted', 'AbortError'),
    ])
      expect(redactError(error)).toBe(error)
  })

  test('with a secret is a copy of its kind that tells where it came from', () => {
    const cause = new RangeError('token=abc')
    const error = Object.assign(new AggregateError([cause], 'x-api-key: abc\n    at nowhere', { cause }), {
      code: 'EODD',
      port: 80,
      headers: {},
    })
    const copy = redactError(error) as AggregateError
    expect(copy).not.toBe(error)
    expect(copy).toBeInstanceOf(AggregateError)
    expect(copy).toMatchObject({ name: 'AggregateError', message: 'x-api-key: ***\\n    at nowhere', code: 'EODD', port: 80 })
    expect(copy).not.toHaveProperty('headers')
    expect(copy.cause).toBeInstanceOf(RangeError)
    expect(copy.errors).toEqual([copy.cause])
    expect(copy.stack).toMatch(/^AggregateError: x-api-key: \*\*\*\\n {4}at nowhere\n {4}at .*redact\.test/)
    expect(error.message).toContain('abc')
  })

  test('whose stack tells more than its message is a copy, too', () => {
    const error = new Error('Bearer abcdef')
    expect(error.stack).toContain('abcdef')
    error.message = 'changed'
    const copy = redactError(error) as Error
    expect(inspect(copy) + copy.stack).not.toContain('abcdef')
    expect(copy.stack).toMatch(/^Error: changed\n {4}at /)
  })

  test('that goes round in a circle, or is no error, ends', () => {
    const error = new Error('a') as Error & { cause: unknown }
    error.cause = error
    expect(redactError(error)).toBeInstanceOf(Error)
    expect([redactError('token=a'), redactError(undefined), redactError(null), redactError(7)]).toEqual([
      'token=***',
      undefined,
      null,
      7,
    ])
    expect(redactError({ token: 'abc' })).toMatchObject({ message: 'something was thrown that is no error, but of type object' })
  })

  test('is told of with the names of the caller', async () => {
    const lost = (): never => {
      throw Object.assign(new Error('x-tenant: acme'), { code: 'ECONNRESET' })
    }
    const error = await rejection(
      clientOf([lost], { maxAttempts: 1, redact: { fields: ['X-Tenant'] } }).fetch('https://api.test/'),
    )
    expect(error).toMatchObject({ cause: { message: 'x-tenant: ***' } })
  })
})

describe('the option redact', () => {
  const target = 'https://api.test/?ref=1&tenant=2&other=3'
  const urlOf = async (options: { redact?: RedactOptions }, call: { redact?: RedactOptions } = {}): Promise<string> => {
    const error = await rejection(clientOf([reply(404)], options).fetch(target, call))
    expect(traceOf(error)?.attempts[0]?.url).toBe((error as SteadfetchError).request.url)
    return (error as SteadfetchError).request.url
  }

  test('adds to the usual names, from client to child to call, and takes none away', async () => {
    expect(await urlOf({ redact: { parameters: ['REF'] } })).toBe('https://api.test/?ref=***&tenant=2&other=3')
    expect(await urlOf({ redact: { parameters: ['ref'] } }, { redact: { parameters: ['Other'] } })).toBe(
      'https://api.test/?ref=***&tenant=2&other=***',
    )
    const { fetch } = clientOf([reply(404)], { redact: { parameters: ['ref'] } })
    const child = fetch.extend({ redact: { parameters: ['tenant'], fields: [] } })
    expect(await rejection(child(target))).toMatchObject({ request: { url: 'https://api.test/?ref=***&tenant=***&other=3' } })
    expect(await urlOf({ redact: {} }, { redact: { parameters: [] } })).toBe(target)
  })

  test.each<[unknown, string]>([
    ['x-tenant', 'createFetch: redact must be an object with fields or parameters, got "x-tenant"'],
    [['x-tenant'], 'got object'],
    [null, 'got object'],
    [{ field: [] }, 'createFetch: redact: unknown option "field"; known are fields, parameters'],
    [{ fields: 'x-tenant' }, 'createFetch: redact.fields must be a list of names, got "x-tenant"'],
    [{ fields: ['x tenant'] }, 'createFetch: every one of redact.fields must be a name, got "x tenant"'],
    [{ fields: [/tenant/] }, 'every one of redact.fields must be a name, got object'],
    [{ parameters: [''] }, 'every one of redact.parameters must be a name, got ""'],
  ])('%j is refused before anything is sent', async (redact, message) => {
    expect(() => createFetch({ redact } as never)).toThrow(message)
    const { fetch, sent } = clientOf([reply(200)])
    await expect(fetch('https://api.test/', { redact } as never)).rejects.toThrow(message.replace('createFetch', 'fetch'))
    expect(sent).toEqual([])
  })

  test('keeps such a field from another origin: of a redirect, of a monitor, and of an absolute target', async () => {
    const redact = { fields: ['X-Tenant'] }
    const headers = { 'x-tenant': 'acme', 'x-plain': 'yes' }
    const namesOf = (sent: readonly { init: { headers: object } }[]): string[][] =>
      sent.map(({ init }) => Object.keys(init.headers).filter((name) => name.startsWith('x-')))
    const redirects = clientOf([reply(302, { location: 'https://other.test/' }), reply(200)], { redact })
    await redirects.fetch('https://api.test/', { headers })
    expect(namesOf(redirects.sent)).toEqual([['x-tenant', 'x-plain'], ['x-plain']])
    const accepted = clientOf([reply(202, { location: 'https://other.test/' }), reply(200)], { redact, on: { 202: poll() } })
    await accepted.clock.drive(accepted.fetch('https://api.test/', { headers }))
    expect(namesOf(accepted.sent)).toEqual([['x-tenant', 'x-plain'], ['x-plain']])
    const based = clientOf([reply(200)], { redact, headers, baseUrl: 'https://api.test/' })
    await based.fetch('https://other.test/')
    await based.fetch('a')
    expect(namesOf(based.sent)).toEqual([['x-plain'], ['x-tenant', 'x-plain']])
    const standard = clientOf([reply(302, { location: 'https://other.test/' }), reply(200)], {
      redact,
      on: { 302: follow({ strip: 'standard' }) },
    })
    await standard.fetch('https://api.test/', { headers })
    expect(namesOf(standard.sent)).toEqual([
      ['x-tenant', 'x-plain'],
      ['x-tenant', 'x-plain'],
    ])
  })

  test('keeps cached responses to different values of such a field apart', async () => {
    const { fetch, sent } = clientOf([reply(200, { 'cache-control': 'max-age=60' }, 'a')], {
      cache: true,
      redact: { fields: ['x-tenant'] },
    })
    for (const tenant of ['a', 'b', 'a']) await (await fetch('https://api.test/', { headers: { 'x-tenant': tenant } })).text()
    expect(sent.map(({ init }) => init.headers['x-tenant'])).toEqual(['a', 'b'])
  })
})

describe('the option details', () => {
  const answer = reply(422, { 'x-request-id': 'r1', 'set-cookie': 'a=b' }, '{"token":"abc","detail":"no"}')
  const failed = async (options: object = {}, call: object = {}): Promise<object> =>
    rejection(clientOf([answer], options).fetch('https://api.test/', call)) as Promise<object>
  const shows = (error: object): boolean[] => [
    JSON.stringify(error).includes('"details"'),
    inspect(error).includes('details: {'),
    Object.keys(error).includes('details'),
  ]

  test("'production' is the default: neither fields nor content are shown", async () => {
    expect(shows(await failed())).toEqual([false, false, false])
    expect(inspect(await failed())).not.toMatch(/r1|detail/)
  })

  test("'development' shows masked fields, the start of the content and the attempts, in JSON and to inspect", async () => {
    const error = await failed({ details: 'development', redact: { fields: ['X-Request-Id'] } })
    expect(shows(error)).toEqual([true, true, false])
    expect(JSON.parse(JSON.stringify(error)).details).toEqual({
      requestFields: { accept: '*/*', 'user-agent': 'steadfetch' },
      responseFields: { 'content-type': 'text/plain;charset=UTF-8', 'set-cookie': '***', 'x-request-id': '***' },
      content: '{"token":"***","detail":"no"}',
      attempts: [{ method: 'GET', url: 'https://api.test/', status: 422, startMs: 0, durationMs: 0, waitMs: 0 }],
      redirects: [],
    })
    expect((error as Error).message).toBe('GET https://api.test/ failed: 422 Unprocessable Content (1 attempt, 0 ms)')
    expect(inspect(error, { depth: 3 })).toMatch(
      /^UnprocessableContentError: GET [\s\S]*\n {4}at [\s\S]*content: '\{"token":"\*\*\*","detail":"no"\}'/,
    )
  })

  test('is that of the call, else of the client, else of NODE_ENV when the client was made', async () => {
    expect(shows(await failed({}, { details: 'development' }))[0]).toBe(true)
    expect(shows(await failed({ details: 'development' }, { details: 'production' }))[0]).toBe(false)
    vi.stubEnv('NODE_ENV', 'development')
    const made = clientOf([answer])
    expect(shows(await failed({ details: 'production' }))[0]).toBe(false)
    vi.stubEnv('NODE_ENV', 'Development')
    expect(shows(await failed())[0]).toBe(false)
    vi.unstubAllEnvs()
    const child = made.fetch.extend({ maxAttempts: 1, on: { 404: accept() } })
    expect(shows((await rejection(child('https://api.test/'))) as object)[0]).toBe(true)
    expect(shows(await failed())[0]).toBe(false)
  })

  test('is refused where it is neither', () => {
    expect(() => createFetch({ details: 'all' as never })).toThrow(
      "details must be one of 'production', 'development', got \"all\"",
    )
  })
})

describe('an error looks like any other', () => {
  test('to inspect: its name, its message, its stack, its members and its cause', async () => {
    const lost = (): never => {
      throw Object.assign(new Error('lost'), { code: 'ECONNRESET' })
    }
    const error = await rejection(clientOf([lost], { maxAttempts: 1 }).fetch('https://api.test/'))
    const shown = inspect(error)
    expect(shown).toMatch(
      /^NetworkError: GET https:\/\/api\.test\/ failed: .*\n {4}at .*[\s\S]*\{\n {2}code: 'ERR_STEADFETCH_NETWORK_RESET',/,
    )
    expect(shown).toMatch(/\[cause\]: Error: lost\n[\s\S]*code: 'ECONNRESET'/)
    expect(inspect({ a: { b: error } }, { depth: 1 })).toBe('{\n  a: { b: [NetworkError] }\n}'.replace(/\n */g, ' '))
    expect(inspect(Object.assign(error as object, { mine: 1 }))).toContain('mine: 1')
  })
})
