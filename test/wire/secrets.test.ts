import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { ProxyAgent } from 'undici'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Branch } from '../../src/errors/brand.ts'
import { eventNames } from '../../src/events.ts'
import * as exported from '../../src/index.ts'
import {
  type BodyFailure,
  type ClientOptions,
  createFetch,
  fail,
  fallback,
  follow,
  isHttpError,
  type NetworkFailure,
  poll,
  type RedirectFailure,
  type RefusalKind,
  refresh,
  type SteadFetch,
  type SteadInit,
  type TimeLimit,
  withDeadline,
} from '../../src/index.ts'
import { registeredStatuses, statusClass } from '../../src/status/table.ts'
import { rejection } from '../support/client.ts'
import { exitsOf, leaks } from '../support/exits.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { HeldTransport } from '../support/held-transport.ts'
import { bytesOf, Trickle } from '../support/identical.ts'
import {
  allPlanted,
  answerContent,
  answerFields,
  contents,
  dirty,
  dirtyFetchFailure,
  guarded,
  guardedFields,
  guardedOptions,
  plant,
} from '../support/planted.ts'
import { reply, scripted } from '../support/scripted-transport.ts'
import { socketServer } from '../support/server.ts'
import { httpsServer, pem } from '../support/tls.ts'

const origin = 'https://api.test'
/** All events of all clients, which are a way out, too. */
const events: unknown[] = []
const hear = (event: unknown): void => void events.push(event)
beforeAll(() => {
  for (const name of exported.eventNames) subscribe(`steadfetch:${name}`, hear)
})
afterEach(() => {
  const told = events.splice(0)
  expect(leaks(exitsOf(told), allPlanted())).toEqual([])
})
afterAll(() => {
  for (const name of exported.eventNames) unsubscribe(`steadfetch:${name}`, hear)
})

const seen = new Set<string>()
type Trigger = () => Promise<unknown>
type Scripted = Parameters<typeof scripted>[1]
type Stream = ReadableStream<Uint8Array<ArrayBuffer>>

/** Looks for every secret on every way out of an error. */
function expectNothingTold(error: unknown, { isOurs = true } = {}): void {
  expect(error).toBeInstanceOf(Error)
  if (isOurs) expect(error).toBeInstanceOf(exported.SteadfetchError)
  seen.add((error as Error).constructor.name)
  expect(leaks(exitsOf(error), allPlanted())).toEqual([])
  expect((error as Error).message).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  // The walk reads what it should: the code or the message is found.
  expect(exitsOf(error).get('walk')).toContain((error as Error).message)
}

/** What a client with secrets, whose transport follows a script, fails with for a request with secrets. */
async function failure(
  replies: Scripted[],
  options: ClientOptions = {},
  init: SteadInit = {},
  url = guarded(origin),
): Promise<unknown> {
  const clock = new FakeClock()
  const { transport } = scripted(clock.now, ...replies)
  const api = createFetch({ ...guardedOptions, transport, clock, random: () => 0.5, ...options })
  return clock.drive(rejection(api(url, { headers: guardedFields(), ...init })))
}

/** What reading the content of its response fails with. */
async function failureToRead(response: Response, options: ClientOptions = {}): Promise<unknown> {
  const clock = new FakeClock()
  const api = createFetch({ ...guardedOptions, transport: async () => response, clock, ...options })
  const delivered = await api(guarded(origin), { headers: guardedFields() })
  return clock.drive(rejection(delivered.json()))
}

/** A client whose requests are answered by hand. */
function byHand(options: ClientOptions): {
  api: SteadFetch
  call: () => Promise<Response>
  clock: FakeClock
  held: HeldTransport
} {
  const clock = new FakeClock()
  const held = new HeldTransport(clock.now)
  const api = createFetch({ ...guardedOptions, cookies: false, transport: held.send, clock, random: () => 0.5, ...options })
  return { api, clock, held, call: () => api(guarded(origin), { headers: guardedFields() }) }
}

/** What raw bytes in the place of a response come to, headers and content read. */
async function wireFailure(response: string | Buffer): Promise<unknown> {
  await using server = await socketServer((socket) => socket.end(response))
  const api = createFetch({ ...guardedOptions })
  onTestFinished(() => api.close())
  const reading = async () => (await api(guarded(server.origin), { headers: guardedFields() })).text()
  return await rejection(reading())
}

const never: Scripted = () => new Promise<Response>(() => {})
const head = 'HTTP/1.1 200 OK\r\n'

const network = {
  connect: () => failure([dirtyFetchFailure('ECONNREFUSED')]),
  dns: () => failure([dirtyFetchFailure('ENOTFOUND')]),
  tls: () => failure([dirtyFetchFailure('ERR_TLS_CERT_ALTNAME_INVALID')]),
  reset: () => failure([dirty('ECONNRESET')]),
  protocol: () => wireFailure(`HTTP/1.1 200 OK\r\nset-cookie: ${plant('parsed')}\r\n\x00: ${plant('parsed-name')}\r\n\r\n`),
  truncated: () => wireFailure(`${head}content-length: 100\r\nset-cookie: a=${plant('cut')}\r\n\r\n${plant('cut-content')}`),
  unknown: () => failure([dirtyFetchFailure(`odd ${plant('code')}`)]),
} satisfies Record<NetworkFailure, Trigger>

const redirected = (location: string, more: Record<string, string> = {}, options: ClientOptions = {}, init: SteadInit = {}) =>
  failure([reply(307, { ...answerFields(), location, ...more }, answerContent())], options, init)
const there = `?token=${plant('location')}&tenant_ref=${plant('own-location')}#${plant('location-fragment')}`

const redirect = {
  'too many': () => redirected(`/a${there}`, {}, { on: { 307: follow({ maxHops: 1 }) } }),
  location: () => redirected(`http://[${there}`),
  scheme: () => redirected(`${plant('scheme')}:ada@x${there}`),
  downgrade: () => redirected(`http://api.test/${there}`),
  credentials: () => redirected(`https://ada:${plant('location-password')}@api.test/${there}`),
  port: () => redirected(`https://api.test:6000/${there}`),
  content: () => redirected(`https://other.test/${there}`, {}, {}, { method: 'PUT', body: plant('redirected-content') }),
  forbidden: () => redirected(`/a${there}`, {}, {}, { redirect: 'error' }),
  wait: () => redirected(`/a${there}`, { 'retry-after': '100000' }),
} satisfies Record<RedirectFailure, Trigger>

const time = {
  call: () => failure([never], { timeoutMs: 5 }),
  deadline: async () => {
    const { call, clock } = byHand({})
    return clock.drive(withDeadline(5, () => rejection(call()), { clock }))
  },
  attempt: () => failure([never], { attemptTimeoutMs: 5 }),
  connect: () => failure([dirtyFetchFailure('UND_ERR_CONNECT_TIMEOUT')]),
  idle: () => failureToRead(new Response(new ReadableStream(), { headers: answerFields() }), { idleTimeoutMs: 5 }),
  poll: () => failure([reply(202, { ...answerFields(), location: `/job${there}` })], { on: { 202: poll({ timeoutMs: 50 }) } }),
  unread: async () => {
    const { call, clock, held } = byHand({ coalesce: { maxBytes: 200_000 } })
    const calls = [call(), call()]
    await settle()
    const content = new Trickle(Array.from({ length: 10 }, () => bytesOf(65_536)))
    await held.sent[0]?.answer(new Response(content.stream, { headers: { etag: `"${plant('tag')}"` } }))
    const [slow, fast] = await Promise.all(calls)
    const reader = ((slow as Response).body as Stream).getReader()
    await reader.read()
    fast?.text().catch(() => {})
    await clock.advance(20_000)
    return rejection(reader.read().then(() => reader.read()))
  },
} satisfies Record<TimeLimit, Trigger>

/** The refusal of the last of some calls, the others being left alone. */
async function lastRefused(options: ClientOptions, count: number, advanceMs = 0): Promise<unknown> {
  const { call, clock } = byHand(options)
  const calls = Array.from({ length: count }, () => rejection(call()))
  await settle()
  await clock.advance(advanceMs)
  return calls.at(-1)
}

/** The refusal of a call after others that were answered so. */
async function refusedAfter(
  status: number,
  count: number,
  options: ClientOptions,
  fields: Record<string, string> = {},
): Promise<unknown> {
  const { transport } = scripted(() => 0, reply(status, { ...answerFields(), ...fields }, answerContent()))
  const api = createFetch({ ...guardedOptions, transport, clock: new FakeClock(), random: () => 0, timeoutMs: 1_000, ...options })
  const call = () => rejection(api(guarded(origin), { headers: guardedFields() }))
  for (let index = 0; index < count; index += 1) await call()
  return call()
}

const refusal = {
  paused: () => refusedAfter(429, 1, {}, { 'retry-after': '30' }),
  'queue full': () => lastRefused({ concurrency: { limit: 1, maxQueued: 1 } }, 3),
  'queued too long': () => lastRefused({ concurrency: { limit: 1, maxQueueMs: 10 } }, 2, 20),
  throttled: () => refusedAfter(503, 30, { throttle: true, on: { 503: fail() } }),
  'breaker open': () => refusedAfter(503, 1, { breaker: { consecutiveFailures: 1 }, on: { 503: fail() } }),
  isolated: async () => {
    const { api, call } = byHand({ breaker: true })
    api.breaker(origin).isolate()
    return rejection(call())
  },
  'rate limited': () => lastRefused({ rateLimit: { limit: 1, windowMs: 60_000, maxWaitMs: 0 } }, 2),
  'target forbidden': () =>
    failure(
      [reply(200)],
      { transport: undefined, cookies: false, targets: exported.publicOnly } as never,
      {},
      guarded('http://10.0.0.1'),
    ),
  closed: async () => {
    const { api, call } = byHand({})
    await api.close()
    return rejection(call())
  },
} satisfies Record<RefusalKind, Trigger>

const failing = (error: unknown): Stream => new ReadableStream({ pull: (controller) => controller.error(error) })
const ofJson = { 'content-type': 'application/json' }

const body = {
  decode: () => wireFailure(`${head}content-encoding: gzip\r\nconnection: close\r\n\r\n${plant('no-gzip')}`),
  'too large': () => failureToRead(new Response(plant('large')), { maxResponseBytes: 3 }),
  integrity: () =>
    failure([reply(200, answerFields(), plant('changed-content'))], {}, { integrity: `sha256-${'A'.repeat(43)}=` }),
  source: () => failure([reply(200)], {}, { method: 'PUT', body: failing(dirty('ESOURCE')), duplex: 'half' }),
  json: () => failureToRead(new Response(`{"password":"${plant('no-json')}`)),
  schema: () => {
    const issues = [{ message: `got ${plant('issue')}`, path: ['password'] }]
    const schema = { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues }) } } as const
    return failureToRead(new Response(`{"password":"${plant('no-schema')}"}`, { headers: ofJson }), { schema })
  },
  changed: async () => {
    const { call, clock, held } = byHand({ coalesce: { maxBytes: 5 } })
    const calls = [call(), call()]
    await settle()
    await held.sent[0]?.answer(new Response(new Trickle(['a part of it', plant('shared')]).stream, { headers: { etag: '"a"' } }))
    const [one, other] = await Promise.all(calls)
    one?.text().catch(() => {})
    await clock.advance(50)
    const late = rejection((other as Response).text())
    await settle()
    await held.sent[1]?.answer(new Response(plant('other'), { headers: { etag: '"b"' } }))
    return late
  },
} satisfies Record<BodyFailure, Trigger>

const http = {
  ...Object.fromEntries(
    [...registeredStatuses(), 499, 599, 799]
      .filter((status) => /^[45]xx$/.test(statusClass(status)))
      .map((status) => [
        `${status}`,
        () => {
          const response = new Response(answerContent(), { status: Math.min(status, 599), headers: answerFields() })
          const statusText = `Odd\u001b[2K Bearer ${plant('reason')}`
          Object.defineProperties(response, { status: { value: status }, statusText: { value: statusText } })
          return failure([() => response], {}, contents.text?.())
        },
      ]),
  ),
  'a status that a policy fails': () => failure([reply(200, answerFields(), answerContent())], { on: { 200: fail() } }),
  'work that failed': () => {
    const failed = reply(200, ofJson, JSON.stringify({ status: 'Failed', error: { secret: plant('operation') } }))
    return failure([reply(202, { location: `/job${there}` }), failed], { on: { 202: poll() } })
  },
} as Record<string, Trigger>

/** Every branch of the error tree, and everything that an error of it can be. */
const tree = { http, network, redirect, timeout: time, refused: refusal, body } satisfies Record<Branch, Record<string, Trigger>>

describe.each(Object.entries(tree))('of errors of the branch %s', (branch, kinds) => {
  test.each(Object.entries(kinds as Record<string, Trigger>))('%s tells no secret', async (kind, trigger) => {
    const error = (await trigger()) as Record<string, unknown>
    expectNothingTold(error)
    if (branch !== 'http') expect(error.kind).toBe(kind)
  })

  test.each(Object.entries(kinds as Record<string, Trigger>))('%s tells none with details, either', async (_kind, trigger) => {
    vi.stubEnv('NODE_ENV', 'development')
    const error = (await trigger()) as Error
    // What an origin says to a person is what a developer wants to read.
    const secrets = allPlanted().filter((secret) => secret !== plant('problem'))
    expect(leaks(exitsOf(error), secrets)).toEqual([])
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({
      details: { requestFields: { referer: 'https://app.test/?token=***' } },
    })
  })
})

afterEach(() => vi.unstubAllEnvs())

afterAll(() => {
  const classes = Object.entries(exported as unknown as Record<string, { name: string }>)
    .filter(([name]) => /^[A-Z]\w*Error$/.test(name))
    .map(([name]) => name)
  // Roots of which nothing is made.
  expect(classes.filter((name) => !seen.has(name) && name !== 'SteadfetchError' && name !== 'HttpError')).toEqual([])
})

describe('a request with', () => {
  test.each(Object.entries(contents))('%s for content fails without telling it', async (_what, init) => {
    expectNothingTold(await failure([reply(500, answerFields(), answerContent())], {}, init()))
    expectNothingTold(await failure([dirtyFetchFailure('ECONNRESET')], {}, init()))
  })

  test('errors as those of fetch tells nothing in their causes', async () => {
    for (const trigger of [dirtyFetchFailure('ECONNRESET'), dirty('EWHATEVER')]) {
      const error = await failure([trigger], { errors: 'fetch' })
      expect(Object.getPrototypeOf(error)).toBe(TypeError.prototype)
      expectNothingTold(error, { isOurs: false })
    }
  })

  test('new credentials that are refused again tells neither the old nor the new ones', async () => {
    const token = (): Record<string, string> => ({
      authorization: `Bearer ${plant('refreshed')}`,
      'x-plain': plant('refreshed-plain'),
    })
    expectNothingTold(await failure([reply(401, answerFields(), answerContent())], { on: { 401: refresh(token) } }))
    const lost = [reply(401, answerFields()), dirtyFetchFailure('ECONNRESET')]
    expectNothingTold(await failure(lost, { on: { 401: refresh(token) } }))
    const echo: Scripted = (_target, { headers }) => {
      throw Object.assign(new Error(`could not send ${headers.authorization} ${headers['x-api-key']} ${headers.cookie}`), {
        code: 'EECHO',
      })
    }
    expectNothingTold(await failure([reply(401), echo], { on: { 401: refresh(token) } }))
  })
})

describe('an error that a function of the caller throws', () => {
  const own = (): Error => Object.assign(new Error(`Bearer ${plant('thrown')}`), { token: plant('thrown-member') })
  test.each<[string, (error: Error) => ClientOptions]>([
    ['refresh', (error) => ({ on: { 500: refresh(() => Promise.reject(error)) } })],
    ['fallback', (error) => ({ on: { 500: fallback(() => Promise.reject(error)) } })],
    ['a policy function', (error) => ({ on: { 500: () => Promise.reject(error) } })],
    ['cookies', (error) => ({ cookies: { getCookieString: () => Promise.reject(error), setCookie() {} } })],
  ])('%s is the caller’s own, unchanged, and its trace tells nothing', async (_what, options) => {
    const error = own()
    expect(await failure([reply(500, answerFields())], options(error))).toBe(error)
    expect(leaks(new Map([['trace', exitsOf(error).get('trace') as string]]), allPlanted())).toEqual([])
  })

  test('the reason of an abort under way is the caller’s own, and the trace tells its code only if that is one', async () => {
    const reason = Object.assign(own(), { code: `Bearer ${plant('code-of-a-reason')}` })
    const controller = new AbortController()
    const aborting: Scripted = () => {
      controller.abort(reason)
      return new Promise<Response>(() => {})
    }
    const error = await failure([aborting], {}, { signal: controller.signal })
    expect(error).toBe(reason)
    expect(exported.traceOf(error)?.attempts[0]?.error).toBe('Error')
  })

  test('the reason of an abort is the caller’s own, too', async () => {
    const reason = own()
    expect(await failure([never], {}, { signal: AbortSignal.abort(reason) })).toBe(reason)
  })

  test('one that follows progress is the cause of ours, cleaned', async () => {
    const onUploadProgress = (): never => {
      throw own()
    }
    const error = await failure(
      [async (_target, { body }) => new Response(body as Stream)],
      { onUploadProgress },
      {
        method: 'PUT',
        body: new Blob([plant('uploaded')]).stream() as Stream,
        duplex: 'half',
      },
    )
    expectNothingTold(error)
    expect(error).toMatchObject({ kind: 'source', cause: { message: 'Bearer ***' } })
  })
})

describe('what cannot be sent is refused without showing', () => {
  const secret = plant('wrong-place')
  const url = `https://ada:${plant('target-password')}@api.test/?token=${plant('target-token')}`
  const calls: Record<string, [unknown, unknown?]> = {
    'the userinfo of a target': [url],
    'a target that is no URL': [`https://ada:${secret}@[`],
    'a target that is a token': [secret],
    'a target whose userinfo looks like a scheme': [`${secret}:x@api.test`],
    'a field value with a line break': [origin, { headers: { authorization: `Bearer ${secret}\r\nx: y` } }],
    'a field value beyond latin1': [origin, { headers: { 'x-api-key': `${secret}\u{1f512}` } }],
    'a field line as a name': [origin, { headers: { [`authorization: Bearer ${secret}`]: '' } }],
    'a field in the wrong order': [origin, { headers: [[`Bearer ${secret}`, 'authorization']] }],
    'fields as text': [origin, { headers: secret }],
    'a symbol as a value': [origin, { headers: { authorization: Symbol(secret) } }],
    'a method': [origin, { method: `GET / HTTP/1.1\r\nauthorization: ${secret}` }],
    'a forbidden member of init': [origin, { credentials: secret }],
    'another one': [origin, { mode: secret, priority: secret }],
    'a redirect mode': [origin, { redirect: secret }],
    'a signal': [origin, { signal: secret }],
    'content of a GET': [origin, { body: secret }],
    'two contents': [origin, { method: 'POST', body: secret, json: secret }],
    'an idempotency key in the place of its option': [origin, { method: 'POST', idempotencyKey: secret }],
  }
  test.each(Object.entries(calls))('%s', async (_what, [target, init]) => {
    const error = await rejection(
      createFetch({ ...guardedOptions, transport: async () => new Response() })(target as string, init as SteadInit),
    )
    expect(error).toBeInstanceOf(TypeError)
    expect(leaks(exitsOf(error), allPlanted())).toEqual([])
    expect((error as Error).message).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })

  const proxy = `http://ada:${plant('proxy-option')}@proxy.test:3128`
  const ofClient = Object.keys({
    baseUrl: 0,
    headers: 0,
    connectTimeoutMs: 0,
    connect: 0,
    transport: 0,
    dispatcher: 0,
    coalesce: 0,
    retryBudget: 0,
    throttle: 0,
    breaker: 0,
    concurrency: 0,
    rateLimit: 0,
    hedge: 0,
    endpoints: 0,
    cache: 0,
    deadlineField: 0,
    cookies: 0,
    health: 0,
    targets: 0,
    clock: 0,
    random: 0,
    on: 0,
    maxAttempts: 0,
    timeoutMs: 0,
    attemptTimeoutMs: 0,
    idleTimeoutMs: 0,
    maxDecodedBytes: 0,
    errors: 0,
    details: 0,
    redact: 0,
    idempotencyKey: 0,
    resume: 0,
    maxResponseBytes: 0,
    onDownloadProgress: 0,
    onUploadProgress: 0,
    schema: 0,
    onInformation: 0,
    expectContinue: 0,
  } satisfies Record<keyof ClientOptions, 0>)
  const wrong = [
    secret,
    proxy,
    `Bearer ${secret}`,
    [secret],
    { [secret]: secret },
    { key: secret, passphrase: 7 },
    () => secret,
    Symbol(secret),
  ]
  test.each(ofClient)('what is given for the option %s', (name) => {
    let refused = 0
    for (const value of wrong) {
      try {
        createFetch({ [name]: value } as ClientOptions)
      } catch (error) {
        refused += 1
        expect(leaks(exitsOf(error), allPlanted())).toEqual([])
      }
    }
    expect(refused).toBeGreaterThan(0)
  })

  test.each<[string, () => unknown]>([
    ['refresh', () => refresh(secret as never)],
    ['fallback', () => fallback(secret as never)],
    ['a policy of a code', () => createFetch({ on: { 401: `Bearer ${secret}` as never } })],
    [
      'a key that OpenSSL cannot read',
      () => createFetch({ connect: { key: `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----` } }),
    ],
    ['a passphrase that does not fit', () => createFetch({ connect: { pfx: Buffer.from(secret), passphrase: secret } })],
    ['an endpoint with a query', () => createFetch({ endpoints: [`https://api.test/?tenant_ref=${secret}`] })],
    ['an endpoint with credentials', () => createFetch({ endpoints: [proxy] })],
    ['a name that is no field name', () => createFetch({ redact: { fields: [`authorization: ${secret}`] } })],
    ['an origin of a breaker', () => createFetch({ breaker: true }).breaker(`ftp://ada:${secret}@x/`)],
    ['explain', () => exported.explain(secret as never)],
    ['withDeadline', () => withDeadline(secret as never, () => 0)],
  ])('%s', (_what, make) => {
    let error: unknown
    try {
      make()
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(TypeError)
    expect(leaks(exitsOf(error), allPlanted())).toEqual([])
  })
})

describe('connections', () => {
  test('through a proxy whose URI has a password tell nothing of it', async () => {
    await using proxy = await socketServer((socket) =>
      socket.end(`HTTP/1.1 407 No\r\nproxy-authenticate: Basic realm="${plant('proxy-realm')}"\r\nconnection: close\r\n\r\n`),
    )
    const dispatcher = new ProxyAgent(proxy.origin.replace('//', `//ada:${plant('proxy-uri')}@`))
    onTestFinished(() => dispatcher.close())
    const api = createFetch({ ...guardedOptions, dispatcher })
    const { 'proxy-authorization': ofProxy = '', ...headers } = guardedFields()
    for (const target of ['http://api.test', origin]) expectNothingTold(await rejection(api(guarded(target), { headers })))
    // That belongs into the URI, says undici.
    const refused = await rejection(api(guarded(origin), { headers: { 'proxy-authorization': ofProxy } }))
    expect(refused).toBeInstanceOf(TypeError)
    expect((refused as Error).message).toMatch(/^the request cannot be sent: Proxy-Authorization/)
    expectNothingTold(refused, { isOurs: false })
  })

  test('with a client certificate that a server refuses tell nothing of its key', async () => {
    await using server = await httpsServer((_request, response) => response.end(), {
      requestCert: true,
      rejectUnauthorized: true,
    })
    const key = pem('client-key')
    const connect = { ca: pem('ca'), cert: pem('client'), key, passphrase: plant('passphrase') }
    const api = createFetch({ ...guardedOptions, connect })
    onTestFinished(() => api.close())
    const error = await rejection(api(guarded(server.origin), { headers: guardedFields() }))
    expectNothingTold(error)
    expect(
      leaks(
        exitsOf(error),
        key.split('\n').filter((line) => line.length > 20),
      ),
    ).toEqual([])
  })
})

test('a Response that is logged shows no credentials, and a clone of it neither; its fields are where they were', async () => {
  const transport = async (): Promise<Response> => new Response(answerContent(), { headers: answerFields() })
  const api = createFetch({ ...guardedOptions, transport })
  const response = await api(guarded(origin), { headers: guardedFields() })
  for (const one of [response, response.clone()]) {
    const shown = inspect({ one }, { showHidden: true, getters: true, depth: 8 })
    expect(leaks(new Map([['inspect', shown]]), allPlanted())).toEqual([])
    expect(shown).toContain("'set-cookie': '***'")
  }
  expect(response.headers.get('set-cookie')).toContain(plant('set-cookie'))
  expect(response.url).toContain(plant('query'))
  expect(leaks(new Map([['trace', JSON.stringify(exported.traceOf(response))]]), allPlanted())).toEqual([])
})

test('the content of a Request that cannot be read is told with a cause without secrets', async () => {
  const request = new Request(guarded(origin), { method: 'PUT', body: failing(dirty('ESOURCE')), duplex: 'half' } as RequestInit)
  const api = createFetch({ ...guardedOptions, transport: async () => new Response() })
  const error = await rejection(api(request, { headers: guardedFields() }))
  expect(error).toMatchObject({ kind: 'source', cause: { code: 'ESOURCE' } })
  expectNothingTold(error)
})

test('what stands in content cannot forge a line of a log', async () => {
  const issues = [{ message: '', path: ['a\r\nGET https://api.test/ failed\u001b[2K\u202e'] }]
  const schema = { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues }) } } as const
  expectNothingTold(await failureToRead(new Response('{}'), { schema }))
})

test('a body that a transport of the caller loses is told as a lost connection, without its secrets', async () => {
  const error = await failureToRead(new Response(failing(dirtyFetchFailure('UND_ERR_SOCKET'))))
  expect(error).toMatchObject({ name: 'NetworkError', kind: 'truncated', cause: { code: 'UND_ERR_SOCKET' } })
  expectNothingTold(error)
})

test('events tell no secret, neither to listeners nor on channels', async () => {
  const told: [string, unknown][] = []
  const heard = (message: unknown, name: string | symbol): void => void told.push([String(name), message])
  for (const name of eventNames) subscribe(`steadfetch:${name}`, heard)
  onTestFinished(() => {
    for (const name of eventNames) unsubscribe(`steadfetch:${name}`, heard)
  })
  const clock = new FakeClock()
  const replies = [
    reply(503, answerFields(), answerContent()),
    dirtyFetchFailure('ECONNRESET'),
    reply(302, { location: `/b${there}` }),
    reply(404, answerFields()),
  ]
  const { transport } = scripted(clock.now, ...replies)
  const api = createFetch({ ...guardedOptions, maxAttempts: 3, transport, clock, cache: true, breaker: true })
  for (const name of eventNames) api.on(name, (event) => told.push([name, event]))
  const error = await clock.drive(rejection(api(guarded(origin), { headers: guardedFields() })))
  expect(error).toMatchObject({ status: 404 })
  const names = told.map(([name]) => name.replace('steadfetch:', ''))
  for (const name of ['call.started', 'attempt.failed', 'retry.scheduled', 'redirect.followed', 'call.ended'])
    expect(names).toContain(name)
  const exits = new Map(
    told.map(([name, event], index) => [
      `${name} ${index}`,
      inspect(event, { showHidden: true, getters: true, depth: 8 }) + JSON.stringify(event),
    ]),
  )
  expect(leaks(exits, allPlanted())).toEqual([])
})

test('an archive of what was sent and a command for curl tell no secret, content aside', async () => {
  const clock = new FakeClock()
  const replies = [
    reply(503, answerFields()),
    dirtyFetchFailure('ECONNRESET'),
    reply(302, { location: `/b${there}` }),
    reply(404, answerFields(), answerContent()),
  ]
  const { transport } = scripted(clock.now, ...replies)
  const api = createFetch({ ...guardedOptions, maxAttempts: 3, transport, clock })
  const archives = [exported.recordHar(api), exported.recordHar(api, { content: true })]
  const error = await clock.drive(rejection(api(guarded(origin), { headers: guardedFields(), ...contents['a form']?.() })))
  expect(error).toMatchObject({ status: 404 })
  const [plain, whole] = archives.map((recorder) => JSON.stringify(recorder.archive()))
  expect(
    leaks(
      new Map([
        ['archive', plain as string],
        ['curl', `${exported.toCurl(error)}`],
      ]),
      allPlanted(),
    ),
  ).toEqual([])
  // Content that was asked for is there, and masked by the names in it.
  const secrets = allPlanted().filter((secret) => secret !== plant('problem'))
  expect(leaks(new Map([['archive with content', whole as string]]), secrets)).toEqual([])
  expect(whole).toContain(plant('problem'))
})

test('a trace shows no secret of any hop', async () => {
  const there = `/b?token=${plant('hop')}&tenant_ref=${plant('own-hop')}#${plant('hop-fragment')}`
  const error = await failure([
    reply(302, { location: there }),
    reply(302, { location: `https://other.test${there}` }),
    reply(404),
  ])
  expect(exported.traceOf(error)?.redirects).toHaveLength(2)
  expectNothingTold(error)
})

test('the accessors of an error are the explicit way to what the response holds', async () => {
  const error = await failure([reply(422, answerFields(), answerContent())])
  if (!isHttpError(error)) throw error
  expect(error.problem?.detail).toBe(plant('problem'))
  expect(error.body).toContain(plant('answer-token'))
  expect(error.headers.get('set-cookie')).toContain(plant('set-cookie'))
})
