import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import * as exported from '../../src/index.ts'
import {
  ClientError,
  createFetch,
  HttpError,
  isHttpError,
  isNetworkError,
  isTimeoutError,
  NetworkError,
  NotFoundError,
  RedirectError,
  ServerError,
  SteadfetchError,
  TimeoutError,
  traceOf,
} from '../../src/index.ts'
import { clientOf, rejection } from '../support/client.ts'
import { fetchFailed, reply } from '../support/scripted-transport.ts'

const target = 'https://api.test/things'

describe('HttpError', () => {
  test('is of the class of its status, and of every class above', async () => {
    const error = await rejection(clientOf([reply(404)]).fetch(target))
    for (const type of [NotFoundError, ClientError, HttpError, SteadfetchError, Error]) expect(error).toBeInstanceOf(type)
    expect(error).not.toBeInstanceOf(ServerError)
    expect(error).not.toBeInstanceOf(TypeError)
    expect(error).toMatchObject({
      name: 'NotFoundError',
      code: 'ERR_STEADFETCH_HTTP_404',
      status: 404,
      statusText: 'Not Found',
      attempts: 1,
      retryable: false,
      message: 'GET https://api.test/things failed: 404 Not Found (1 attempt, 0 ms)',
      request: { method: 'GET', url: target },
    })
  })

  test.each([
    [418, 'ClientError'],
    [499, 'ClientError'],
    [599, 'ServerError'],
    [600, 'ServerError'],
    [999, 'ServerError'],
  ])('of the unregistered status %i is a plain %s', async (status, name) => {
    const response = new Proxy(reply(200), {
      get: (target, key) => (key === 'status' ? status : Reflect.get(target, key, target)),
    })
    const { fetch, clock } = clientOf([() => response])
    expect(((await clock.drive(rejection(fetch(target)))) as Error).constructor.name).toBe(name)
  })

  test('carries problem details, a bounded excerpt and the fields', async () => {
    const problem = { type: 'about:blank', title: 'Too bad', status: 422, detail: 'x', extra: [1] }
    const json = { 'content-type': 'application/problem+json; charset=utf-8', 'x-request-id': 'r1' }
    const error = await rejection(clientOf([reply(422, json, JSON.stringify(problem))]).fetch(target))
    if (!isHttpError(error, 422)) throw error
    expect(error.problem).toEqual(problem)
    expect(error.headers.get('x-request-id')).toBe('r1')
    const large = await rejection(clientOf([reply(400, {}, 'x'.repeat(1_000_000))]).fetch(target))
    expect((large as HttpError).body).toHaveLength(65_536)
    expect((large as HttpError).problem).toBeUndefined()
  })

  test.each(['[1]', 'null', '{"a":', '"text"'])('has no problem when the content is %s', async (body) => {
    const error = await rejection(clientOf([reply(400, { 'content-type': 'application/problem+json' }, body)]).fetch(target))
    expect((error as HttpError).problem).toBeUndefined()
    expect((error as HttpError).body).toBe(body)
  })

  test('tells the wait the origin asked for', async () => {
    expect(await rejection(clientOf([reply(404, { 'retry-after': '3' })]).fetch(target))).toMatchObject({ retryAfterMs: 3_000 })
  })
})

describe('guards', () => {
  test('narrow by status, and know errors of another copy of the package', async () => {
    const error = await rejection(clientOf([reply(404)]).fetch(target))
    expect([
      isHttpError(error),
      isHttpError(error, 404),
      isHttpError(error, 410),
      isHttpError(new Error('x')),
      isHttpError(null),
    ]).toEqual([true, true, false, false, false])
    const foreign = Object.assign(new Error('x'), { status: 404, [Symbol.for('steadfetch.error')]: 'http' })
    expect([isHttpError(foreign, 404), foreign instanceof SteadfetchError, foreign instanceof NotFoundError]).toEqual([
      true,
      true,
      false,
    ])
  })

  test('tell failures of the network and time limits apart', async () => {
    const lost = await rejection(clientOf([fetchFailed('ECONNRESET')], { maxAttempts: 1 }).fetch(target))
    expect([
      isNetworkError(lost),
      isTimeoutError(lost),
      lost instanceof NetworkError,
      lost instanceof TypeError,
      lost instanceof SteadfetchError,
    ]).toEqual([true, false, true, true, true])
    const { fetch, clock } = clientOf([() => new Promise<Response>(() => {})], { maxAttempts: 1 })
    const late = await clock.drive(rejection(fetch(target)))
    expect([isNetworkError(late), isTimeoutError(late), late instanceof TimeoutError, late instanceof TypeError]).toEqual([
      false,
      true,
      true,
      false,
    ])
  })
})

describe('the reason behind "fetch failed"', () => {
  test.each([
    ['ECONNREFUSED', 'connect', 'no'],
    ['ENOTFOUND', 'dns', 'no'],
    ['EAI_AGAIN', 'dns', 'no'],
    ['ECONNRESET', 'reset', 'maybe'],
    ['UND_ERR_SOCKET', 'reset', 'maybe'],
    ['CERT_HAS_EXPIRED', 'tls', 'maybe'],
    ['HPE_INVALID_CONSTANT', 'protocol', 'maybe'],
    ['UND_ERR_HEADERS_OVERFLOW', 'protocol', 'maybe'],
    ['EWHATEVER', 'unknown', 'maybe'],
  ])('%s is a NetworkError of kind %s', async (code, kind, sent) => {
    const error = await rejection(clientOf([fetchFailed(code)], { maxAttempts: 1 }).fetch(target))
    expect(error).toMatchObject({ kind, sent, code: `ERR_STEADFETCH_NETWORK_${kind.toUpperCase()}`, cause: { code } })
    expect((error as Error).message).toContain(code)
  })
  test.each([
    ['UND_ERR_CONNECT_TIMEOUT', 'connect'],
    ['UND_ERR_HEADERS_TIMEOUT', 'attempt'],
    ['UND_ERR_BODY_TIMEOUT', 'idle'],
  ])('%s is a TimeoutError of kind %s', async (code, kind) => {
    const error = await rejection(clientOf([fetchFailed(code)], { maxAttempts: 1 }).fetch(target))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ kind })
  })
})

describe('no secret', () => {
  const secrets = [
    's3cr3t-query',
    's3cr3t-auth',
    's3cr3t-cookie',
    's3cr3t-key',
    's3cr3t-content',
    's3cr3t-set-cookie',
    's3cr3t-answer',
    's3cr3t-location',
  ]
  const init = {
    method: 'PUT',
    body: 's3cr3t-content',
    headers: { authorization: 'Bearer s3cr3t-auth', cookie: 'sid=s3cr3t-cookie', 'x-api-key': 's3cr3t-key' },
  }
  const answer = reply(500, { 'set-cookie': 'sid=s3cr3t-set-cookie' }, 's3cr3t-answer')

  test.each([
    ['InternalServerError', answer],
    ['NetworkError', fetchFailed('ECONNRESET')],
    ['RedirectError', reply(302, { location: 'ftp://user:s3cr3t-location@x/?token=s3cr3t-location' })],
    ['TimeoutError', () => new Promise<Response>(() => {})],
  ])('is shown by a %s', async (name, script) => {
    const { fetch, clock } = clientOf([script], { attemptTimeoutMs: 5 })
    const error = (await clock.drive(rejection(fetch('https://api.test/?token=s3cr3t-query', init)))) as Error
    expect(error.name).toBe(name)
    const shown = [
      inspect(error, { showHidden: true, depth: 8, getters: false }),
      JSON.stringify(error),
      String(error),
      error.stack,
      JSON.stringify(traceOf(error)),
      inspect(error.cause, { showHidden: true, depth: 8 }),
    ].join('\n')
    for (const secret of secrets) expect(shown).not.toContain(secret)
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({
      name,
      message: error.message,
      attempts: error instanceof RedirectError ? 1 : 3,
    })
  })
})

test('every exported class of error has a name that says what it is', () => {
  const classes = Object.entries(exported).filter(([name]) => name.endsWith('Error') && !name.startsWith('is'))
  expect(classes.length).toBeGreaterThan(45)
  for (const [name, value] of classes) expect((value as { name: string }).name).toBe(name)
})

test('a closed client refuses calls', async () => {
  const fetch = createFetch({ transport: async () => new Response() })
  await fetch.close()
  expect(await rejection(fetch(target))).toMatchObject({ name: 'RefusedError', kind: 'closed' })
})
