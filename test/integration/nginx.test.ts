import { text as textOf } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  BadGatewayError,
  BadRequestError,
  type ClientOptions,
  ContentTooLargeError,
  createFetch,
  fetchStandard,
  GatewayTimeoutError,
  isHttpError,
  MethodNotAllowedError,
  NetworkError,
  NotFoundError,
  RangeNotSatisfiableError,
  RedirectError,
  RefusedError,
  RequestHeaderFieldsTooLargeError,
  ServiceUnavailableError,
  type SteadFetch,
  TooManyRequestsError,
  traceOf,
  UriTooLongError,
} from '../../src/index.ts'
import { rejection } from '../support/client.ts'
import { settle } from '../support/fake-clock.ts'
import { freePorts, type Logged, type Nginx, startNginx } from '../support/nginx.ts'
import { httpServer, type LocalServer, socketServer } from '../support/server.ts'

const redirects = [301, 302, 303, 307, 308]
const prose = 'All happy families are alike; each unhappy family is unhappy in its own way.\n'.repeat(300)
const credentials = { authorization: 'Bearer 1', 'x-api-key': '2', cookie: 'sid=3', 'accept-language': 'de' }
const upstreamTakesMs = 150

let nginx: Nginx
let upstream: LocalServer
let silent: LocalServer
let origin: string
let otherOrigin: string
/** When the upstream began and ended each of its answers. */
const served: { uri: string; beganMs: number; endedMs: number }[] = []

interface Ports {
  readonly main: number
  readonly other: number
  readonly dead: number
}

/** The fields and the method as nginx saw them. */
const fields = `return 200 '$request_method|$http_authorization|$http_x_api_key|$http_cookie|$http_accept_language'`

function locations({ other, dead }: Ports): string {
  const redirecting = redirects.map(
    (status) => `
      location = /absolute/${status} { return ${status} /echo; }
      location = /relative/${status} { absolute_redirect off; return ${status} ../echo?kept=query; }
      location = /same/${status} { return ${status} /fields; }
      location = /away/${status} { return ${status} http://127.0.0.1:${other}/fields; }`,
  )
  return `
    location = /limited/burst { limit_req zone=burst burst=9 nodelay; error_page 429 @limited; proxy_pass ${upstream.origin}; }
    location = /limited/one { limit_req zone=one; error_page 429 @limited; proxy_pass ${upstream.origin}; }
    location = /limited/post { limit_req zone=post; error_page 429 @limited; proxy_pass ${upstream.origin}; }
    location @limited { add_header Retry-After 1 always; return 429; }
    location = /echo { proxy_pass ${upstream.origin}; }
    location = /slowly { proxy_pass ${upstream.origin}; }
    location = /dead { proxy_pass http://127.0.0.1:${dead}; }
    location = /silent { proxy_read_timeout 1s; proxy_pass ${silent.origin}; }
    location = /dropped { return 444; }
    location = /maintenance { add_header Retry-After 120 always; return 503 'back in two minutes'; }
    location = /connection { return 200 '$connection $connection_requests'; }
    location = /impatient { keepalive_timeout 100ms; return 200 '$connection'; }
    location = /small { client_max_body_size 1k; proxy_pass ${upstream.origin}; }
    location = /fields { ${fields}; }
    ${redirecting.join('')}`
}

function site(ports: Ports): string {
  return `
    limit_req_status 429;
    limit_req_zone $server_name zone=burst:1m rate=20r/s;
    limit_req_zone $server_name zone=one:1m rate=70r/m;
    limit_req_zone $server_name zone=post:1m rate=1r/s;
    gzip on;
    gzip_types text/plain;
    client_header_buffer_size 1k;
    large_client_header_buffers 4 4k;
    server { listen 127.0.0.1:${ports.main}; server_name main; ${locations(ports)} }
    server {
      listen 127.0.0.1:${ports.other};
      server_name other;
      error_page 494 =431 /oversized;
      location = /oversized { internal; return 431; }
      location / { ${fields}; }
    }`
}

beforeAll(async () => {
  upstream = await httpServer(async (request, response) => {
    const beganMs = performance.now()
    const { method, url: uri = '', headers } = request
    const content = await textOf(request)
    if (!uri.startsWith('/echo')) await sleep(upstreamTakesMs)
    served.push({ uri, beganMs, endedMs: performance.now() })
    response.end(JSON.stringify({ method, uri, content, type: headers['content-type'] ?? null }))
  })
  silent = await socketServer(() => {})
  const [main, other, dead] = (await freePorts(3)) as [number, number, number]
  origin = `http://127.0.0.1:${main}`
  otherOrigin = `http://127.0.0.1:${other}`
  nginx = await startNginx({ port: main, http: site({ main, other, dead }), files: { 'prose.txt': prose } })
})

afterAll(async () => {
  await nginx?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
  await silent?.[Symbol.asyncDispose]()
})

/** A client of this test alone. */
function client(options: ClientOptions = {}): SteadFetch {
  const fetch = createFetch({ baseUrl: origin, ...options })
  onTestFinished(() => fetch.close())
  return fetch
}

/** What came of each attempt: its status, or the code of its failure. */
function results(result: unknown): (number | string | undefined)[] | undefined {
  return traceOf(result)?.attempts.map(({ status, error }) => status ?? error)
}

/** What nginx logged for a path, once it has logged that many requests. */
async function loggedFor(uri: string, count: number): Promise<Logged[]> {
  const find = async (): Promise<Logged[]> => (await nginx.logged()).filter((line) => line.uri === uri)
  await expect.poll(async () => (await find()).length).toBe(count)
  return find()
}

describe('limit_req that answers 429 with Retry-After: 1', () => {
  test('loses none of a burst of 20 calls: each refused one waits a second or more and then passes', async () => {
    const fetch = client()
    const responses = await Promise.all(Array.from({ length: 20 }, () => fetch('limited/burst')))
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
    const calls = responses.map((response) => traceOf(response)?.attempts ?? [])
    const limited = calls.filter((attempts) => attempts[0]?.status === 429)
    expect(limited.length).toBeGreaterThanOrEqual(5)
    expect(limited.length).toBeLessThanOrEqual(10)
    for (const attempts of limited) {
      expect(attempts).toMatchObject([
        { status: 429, waitMs: 0 },
        { status: 200, waitReason: 'pause' },
      ])
      expect(attempts[1]?.waitMs).toBeGreaterThanOrEqual(1_000)
      expect(attempts[1]?.waitMs).toBeLessThan(2_500)
    }
    const passed = calls.filter((attempts) => attempts[0]?.status === 200)
    expect(passed.every((attempts) => attempts.length === 1)).toBe(true)
    const lines = await loggedFor('/limited/burst', 20 + limited.length)
    expect(lines.filter(({ status }) => status === 429)).toHaveLength(limited.length)
  })

  test('sees one 429 only: later calls to the origin are held, a probe goes first, the others after its answer', async () => {
    await client()('limited/one')
    const fetch = client()
    const startMs = performance.now()
    const limited = fetch('limited/one')
    await expect.poll(async () => (await nginx.logged()).filter(({ uri }) => uri === '/limited/one').length).toBe(2)
    const held = Array.from({ length: 12 }, () => fetch('slowly'))
    const responses = await Promise.all([limited, ...held])

    const attempts = traceOf(responses[0])?.attempts ?? []
    expect(attempts).toMatchObject([{ status: 429 }, { status: 200, waitReason: 'pause' }])
    const [first, second] = attempts
    expect((second?.startMs ?? 0) - (first?.startMs ?? 0) - (first?.durationMs ?? 0)).toBeGreaterThanOrEqual(1_000)
    for (const response of responses.slice(1)) {
      expect(traceOf(response)?.attempts).toMatchObject([{ status: 200, waitReason: 'pause' }])
      expect(traceOf(response)?.attempts[0]?.waitMs).toBeGreaterThan(500)
    }

    const lines = await loggedFor('/limited/one', 3)
    expect(lines.map(({ status }) => status)).toEqual([200, 429, 200])
    const after = served.filter(({ beganMs }) => beganMs > startMs).sort((a, b) => a.beganMs - b.beganMs)
    expect(after).toHaveLength(13)
    expect((after[0]?.beganMs ?? 0) - startMs).toBeGreaterThanOrEqual(1_000)
    expect(after[1]?.beganMs).toBeGreaterThanOrEqual(after[0]?.endedMs ?? Number.POSITIVE_INFINITY)
  })

  test('is not answered by repeating a POST: TooManyRequestsError at once, with the wait it asked for', async () => {
    const fetch = client()
    await fetch('limited/post', { method: 'POST', body: 'one' })
    const error = await rejection(fetch('limited/post', { method: 'POST', body: 'two' }))
    expect(error).toBeInstanceOf(TooManyRequestsError)
    expect(error).toMatchObject({ status: 429, retryAfterMs: 1_000, attempts: 1 })
    expect(traceOf(error)).toMatchObject({ notRepeated: 'method is not idempotent', attempts: [{ status: 429 }] })
  })
})

describe('an upstream that is down', () => {
  test('gives a GET three attempts with a back-off between them, then BadGatewayError', async () => {
    const error = await rejection(client()('dead'))
    expect(error).toBeInstanceOf(BadGatewayError)
    expect(error).toMatchObject({ status: 502, attempts: 3, retryAfterMs: undefined })
    expect(results(error)).toEqual([502, 502, 502])
    const attempts = traceOf(error)?.attempts ?? []
    expect(attempts.map(({ waitReason }) => waitReason)).toEqual([undefined, 'backoff', 'backoff'])
    expect(attempts[1]?.waitMs).toBeLessThanOrEqual(100)
    expect(attempts[2]?.waitMs).toBeLessThanOrEqual(200)
  })

  test('gives a POST one attempt', async () => {
    const error = await rejection(client()('dead', { method: 'POST', body: 'order' }))
    expect(error).toBeInstanceOf(BadGatewayError)
    expect(results(error)).toEqual([502])
    expect(traceOf(error)?.notRepeated).toBe('method is not idempotent')
  })

  test('gives a POST with an Idempotency-Key three attempts', async () => {
    const headers = { 'idempotency-key': '5f0c' }
    const error = await rejection(client()('dead', { method: 'POST', body: 'order', headers }))
    expect(error).toBeInstanceOf(BadGatewayError)
    expect(results(error)).toEqual([502, 502, 502])
  })
})

test('an upstream that never answers ends in GatewayTimeoutError: three attempts of a GET, one of a POST', async () => {
  const fetch = client()
  const [get, post] = await Promise.all([
    rejection(fetch('silent')),
    rejection(fetch('silent', { method: 'POST', body: 'order' })),
  ])
  expect(get).toBeInstanceOf(GatewayTimeoutError)
  expect(results(get)).toEqual([504, 504, 504])
  expect((get as GatewayTimeoutError).elapsedMs).toBeGreaterThanOrEqual(2_900)
  expect(post).toBeInstanceOf(GatewayTimeoutError)
  expect(results(post)).toEqual([504])
})

describe('a connection closed without a response', () => {
  test('gives a GET three attempts, then NetworkError', async () => {
    const error = await rejection(client()('dropped?get'))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ kind: 'reset', sent: 'maybe', attempts: 3, code: 'ERR_STEADFETCH_NETWORK_RESET' })
    expect(results(error)).toEqual(Array.from({ length: 3 }, () => 'ERR_STEADFETCH_NETWORK_RESET'))
    expect(await loggedFor('/dropped?get', 3)).toMatchObject([{ status: 444 }, { status: 444 }, { status: 444 }])
  })

  test('gives a POST one attempt, because nginx may have passed it on', async () => {
    const error = await rejection(client()('dropped?post', { method: 'POST', body: 'order' }))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ kind: 'reset', sent: 'maybe', attempts: 1 })
    expect(await loggedFor('/dropped?post', 1)).toEqual([{ status: 444, method: 'POST', uri: '/dropped?post' }])
  })

  test('gives a POST with an Idempotency-Key three attempts', async () => {
    const headers = { 'idempotency-key': '5f0d' }
    const error = await rejection(client()('dropped', { method: 'POST', body: 'order', headers }))
    expect(error).toMatchObject({ kind: 'reset', sent: 'maybe', attempts: 3 })
  })
})

describe('a redirect on the same origin', () => {
  test.each(redirects)('%i with an absolute Location is followed', async (status) => {
    const fetch = client()
    const manual = await fetch(`absolute/${status}`, { redirect: 'manual' })
    expect(manual).toMatchObject({ status, redirected: false })
    expect(manual.headers.get('location')).toBe(`${origin}/echo`)
    const response = await fetch(`absolute/${status}`)
    expect(response).toMatchObject({ status: 200, redirected: true, url: `${origin}/echo` })
    expect(await response.json()).toMatchObject({ method: 'GET', uri: '/echo' })
    expect(results(response)).toEqual([status, 200])
    expect(traceOf(response)?.redirects).toEqual([{ status, from: `${origin}/absolute/${status}`, to: `${origin}/echo` }])
  })

  test.each(redirects)('%i with a relative Location is followed from where it stands', async (status) => {
    const fetch = client()
    const manual = await fetch(`relative/${status}`, { redirect: 'manual' })
    expect(manual.headers.get('location')).toBe('../echo?kept=query')
    const response = await fetch(`relative/${status}`)
    expect(response.url).toBe(`${origin}/echo?kept=query`)
    expect(await response.json()).toMatchObject({ uri: '/echo?kept=query' })
  })

  test.each([301, 302, 303])('%i turns a POST into a GET without content', async (status) => {
    const response = await client()(`absolute/${status}`, { method: 'POST', json: { order: 1 } })
    expect(await response.json()).toEqual({ method: 'GET', uri: '/echo', content: '', type: null })
    expect(traceOf(response)?.attempts.map(({ method }) => method)).toEqual(['POST', 'GET'])
  })

  test.each([307, 308])('%i keeps a POST and its content', async (status) => {
    const response = await client()(`absolute/${status}`, { method: 'POST', json: { order: 1 } })
    expect(await response.json()).toEqual({ method: 'POST', uri: '/echo', content: '{"order":1}', type: 'application/json' })
  })

  test('keeps credentials', async () => {
    const response = await client()('same/302', { headers: credentials })
    expect(await response.text()).toBe('GET|Bearer 1|2|sid=3|de')
  })
})

describe('a redirect to another port, which is another origin', () => {
  test.each(redirects)('%i drops the credentials and keeps the other fields', async (status) => {
    const response = await client()(`away/${status}`, { headers: credentials })
    expect(response).toMatchObject({ status: 200, redirected: true, url: `${otherOrigin}/fields` })
    expect(await response.text()).toBe('GET||||de')
  })

  test.each([307, 308])('%i does not carry the content of a POST there: RedirectError', async (status) => {
    const fetch = client()
    const error = await rejection(fetch(`away/${status}`, { method: 'POST', body: 'order' }))
    expect(error).toBeInstanceOf(RedirectError)
    expect(error).toMatchObject({ kind: 'content', status, attempts: 1 })
    expect(results(error)).toEqual([status])
    await fetch(`${otherOrigin}/after/${status}`)
    await loggedFor(`/after/${status}`, 1)
    expect((await nginx.logged()).filter(({ method, uri }) => method === 'POST' && uri === '/fields')).toEqual([])
  })

  test('302 of a POST goes there as a GET, its content left behind', async () => {
    const response = await client()('away/302', { method: 'POST', body: 'order', headers: credentials })
    expect(await response.text()).toBe('GET||||de')
  })
})

describe('a static file', () => {
  test('that has not changed gives a conditional GET its 304, without a body', async () => {
    const fetch = client()
    const first = await fetch('prose.txt')
    const etag = first.headers.get('etag') ?? ''
    expect(etag).toMatch(/^(?:W\/)?"[^"]+"$/)
    expect(await first.text()).toBe(prose)
    const second = await fetch('prose.txt', { headers: { 'if-none-match': etag } })
    expect(second).toMatchObject({ status: 304, body: null })
    expect(await second.text()).toBe('')
    expect(results(second)).toEqual([304])
    const changed = await fetch('prose.txt', { headers: { 'if-none-match': '"another"' } })
    expect(changed.status).toBe(200)
    expect(await changed.text()).toBe(prose)
  })

  test('gives a range with 206', async () => {
    const response = await client()('prose.txt', { headers: { range: 'bytes=4-8' } })
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBe(`bytes 4-8/${prose.length}`)
    expect(await response.text()).toBe('happy')
  })

  test('answers a range beyond its end with RangeNotSatisfiableError, which tells the length', async () => {
    const error = await rejection(client()('prose.txt', { headers: { range: 'bytes=999999-' } }))
    expect(error).toBeInstanceOf(RangeNotSatisfiableError)
    expect(results(error)).toEqual([416])
    expect((error as RangeNotSatisfiableError).headers.get('content-range')).toBe(`bytes */${prose.length}`)
  })

  test('is decoded when nginx compresses it', async () => {
    const response = await client()('prose.txt')
    expect(response.headers.get('content-encoding')).toBe('gzip')
    expect(await response.text()).toBe(prose)
  })

  test('has no body for HEAD, and the fields of its GET', async () => {
    const response = await client()('prose.txt', { method: 'HEAD' })
    expect(response).toMatchObject({ status: 200, body: null })
    expect(response.headers.get('etag')).not.toBeNull()
  })
})

describe('a request at fault', () => {
  test('for a file that is not there ends in NotFoundError with the page of nginx as its excerpt', async () => {
    const error = await rejection(client()('nowhere'))
    expect(error).toBeInstanceOf(NotFoundError)
    expect(isHttpError(error, 404) && error.body).toContain('<h1>404 Not Found</h1>')
    expect(results(error)).toEqual([404])
  })

  test.each([2_000, 8_000_000])('with %i bytes where 1 KiB is allowed ends in ContentTooLargeError, once', async (size) => {
    const fetch = client()
    for (const [method, notRepeated] of [
      ['POST', 'method is not idempotent'],
      ['PUT', 'no Retry-After'],
    ] as const) {
      const error = await rejection(fetch('small', { method, body: new Uint8Array(size) }))
      expect(error).toBeInstanceOf(ContentTooLargeError)
      expect(traceOf(error)).toMatchObject({ notRepeated, attempts: [{ status: 413 }] })
    }
  })

  test('with a method a file does not have ends in MethodNotAllowedError', async () => {
    const error = await rejection(client()('prose.txt', { method: 'POST', body: 'order' }))
    expect(error).toBeInstanceOf(MethodNotAllowedError)
    expect(results(error)).toEqual([405])
  })

  test('with a target beyond what nginx reads ends in UriTooLongError', async () => {
    const error = await rejection(client()(`nowhere?q=${'a'.repeat(5_000)}`))
    expect(error).toBeInstanceOf(UriTooLongError)
    expect(results(error)).toEqual([414])
  })

  test('with a field beyond what nginx reads ends in BadRequestError, the status nginx gives it', async () => {
    const error = await rejection(client()('fields', { headers: { 'x-long': 'a'.repeat(5_000) } }))
    expect(error).toBeInstanceOf(BadRequestError)
    expect((error as BadRequestError).body).toContain('Request Header Or Cookie Too Large')
    expect(results(error)).toEqual([400])
  })

  test('with such a field ends in RequestHeaderFieldsTooLargeError where nginx is told to answer 431', async () => {
    const error = await rejection(client()(otherOrigin, { headers: { 'x-long': 'a'.repeat(5_000) } }))
    expect(error).toBeInstanceOf(RequestHeaderFieldsTooLargeError)
    expect(results(error)).toEqual([431])
  })

  test('comes back as a response with every policy off', async () => {
    const response = await client(fetchStandard)('nowhere')
    expect(response.status).toBe(404)
    expect(await response.text()).toContain('404 Not Found')
  })
})

describe('a connection', () => {
  test('carries 20 requests one after the other', async () => {
    const fetch = client()
    const seen: string[] = []
    for (let n = 1; n <= 20; n += 1) {
      seen.push(await (await fetch('connection')).text())
      await settle()
    }
    const [connection] = (seen[0] ?? '').split(' ')
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => `${connection} ${index + 1}`))
  })

  test('is joined by one more at most when each request follows in the moment the last body ends', async () => {
    const fetch = client()
    const connections = new Set<string | undefined>()
    for (let n = 1; n <= 20; n += 1) connections.add((await (await fetch('connection')).text()).split(' ')[0])
    expect(connections.size).toBeLessThanOrEqual(2)
  })

  test('stays in use after failed, repeated, partial and unchanged responses', async () => {
    const fetch = client()
    const [connection] = (await (await fetch('connection')).text()).split(' ')
    const calls = [
      () => rejection(fetch('nowhere')),
      () => rejection(fetch('prose.txt', { method: 'POST', body: 'order' })),
      () => rejection(fetch('prose.txt', { headers: { range: 'bytes=999999-' } })),
      () => rejection(fetch('dead')),
      async () => (await fetch('prose.txt', { headers: { range: 'bytes=4-8' } })).text(),
      async () => (await fetch('prose.txt', { headers: { 'if-none-match': '*' } })).text(),
      async () => (await fetch('prose.txt')).text(),
    ]
    for (const call of calls) {
      await settle()
      await call()
    }
    await settle()
    expect(await (await fetch('connection')).text()).toBe(`${connection} 11`)
  })

  test('that nginx closed while it was idle is replaced without a failed attempt', async () => {
    const fetch = client()
    const first = await (await fetch('impatient')).text()
    await sleep(400)
    const response = await fetch('impatient')
    expect(await response.text()).not.toBe(first)
    expect(results(response)).toEqual([200])
  })
})

test('a 503 with Retry-After: 120 is thrown at once, and holds the origin: the next call is refused unsent', async () => {
  const fetch = client()
  const error = await rejection(fetch('maintenance'))
  expect(error).toBeInstanceOf(ServiceUnavailableError)
  expect(error).toMatchObject({ status: 503, retryAfterMs: 120_000, attempts: 1, body: 'back in two minutes' })
  expect((error as ServiceUnavailableError).elapsedMs).toBeLessThan(1_000)
  expect(traceOf(error)).toMatchObject({ notRepeated: 'wait is above maxWaitMs', attempts: [{ status: 503 }] })
  const refused = await rejection(fetch('fields'))
  expect(refused).toBeInstanceOf(RefusedError)
  expect(refused).toMatchObject({ kind: 'paused', attempts: 0 })
})
