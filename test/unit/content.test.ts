import { AsyncLocalStorage } from 'node:async_hooks'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  BodyError,
  createFetch,
  type DownloadProgress,
  fetchStandard,
  isHttpError,
  type StandardSchema,
} from '../../src/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { reply, scripted } from '../support/scripted-transport.ts'

const target = 'https://api.example.com/'

function client(options: object, ...replies: Parameters<typeof scripted>[1][]) {
  const clock = new FakeClock()
  const { transport, sent } = scripted(clock.now, ...replies)
  return { api: createFetch({ transport, clock, ...options }), clock, sent }
}

const streamed =
  (...sizes: number[]) =>
  (): Response =>
    new Response(
      new ReadableStream({
        pull(controller) {
          const size = sizes.shift()
          if (size === undefined) controller.close()
          else controller.enqueue(new Uint8Array(size))
        },
      }),
    )

async function failure(promise: Promise<unknown>): Promise<BodyError> {
  return (await promise.then(
    () => undefined,
    (error: unknown) => error,
  )) as BodyError
}

describe('maxResponseBytes', () => {
  test.each(['bytes', 'text', 'arrayBuffer', 'blob'] as const)(
    'content beyond it fails, content of that size does not: %s',
    async (way) => {
      const { api } = client({ maxResponseBytes: 10 }, streamed(5, 5), streamed(5, 6))
      await (await api(target))[way]()
      const error = await failure((await api(target))[way]())
      expect(error).toBeInstanceOf(BodyError)
      expect([error.kind, error.code]).toEqual(['too large', 'ERR_STEADFETCH_BODY_TOO_LARGE'])
    },
  )

  test('a stream fails at the part that goes beyond, and its source is cancelled', async () => {
    let cancelled: unknown
    const source = (): Response =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(6)),
          cancel: (reason) => {
            cancelled = reason
          },
        }),
      )
    const { api, clock } = client({}, source)
    const reader = (await api(target, { maxResponseBytes: 10 })).body?.getReader()
    const error = await failure(reader?.closed as Promise<unknown>)
    expect(error.kind).toBe('too large')
    expect(cancelled).toBe(error)
    expect(clock.armed).toBe(0)
  })

  test('a Content-Length beyond it fails the call before anything is read; that of coded content says nothing', async () => {
    const { api, clock } = client(
      { maxResponseBytes: 3 },
      reply(200, { 'content-length': '4' }, 'four'),
      reply(200, { 'content-length': '4', 'content-encoding': 'x' }, 'abc'),
    )
    expect((await failure(api(target))).kind).toBe('too large')
    expect(await (await api(target)).text()).toBe('abc')
    expect(clock.armed).toBe(0)
  })

  test('the excerpt of an error is none of it', async () => {
    const { api } = client({ maxResponseBytes: 3 }, reply(404, {}, 'nothing here'))
    const error: unknown = await failure(api(target))
    expect(isHttpError(error, 404) && error.body).toBe('nothing here')
  })
})

describe('onDownloadProgress', () => {
  test('tells how far the content has come, and of how much', async () => {
    const seen: DownloadProgress[] = []
    const { api } = client(
      { onDownloadProgress: (progress: DownloadProgress) => seen.push(progress) },
      streamed(3, 4),
      reply(200, { 'content-length': '2' }, 'ab'),
    )
    await (await api(target)).bytes()
    await (await api(target)).text()
    expect(seen).toEqual([
      { receivedBytes: 3, totalBytes: undefined },
      { receivedBytes: 7, totalBytes: undefined },
      { receivedBytes: 2, totalBytes: 2 },
    ])
  })

  test('runs in the context of the call; what it throws fails the content', async () => {
    const context = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const oops = new Error('oops')
    const { api, clock } = client({}, streamed(1), streamed(1))
    const told = await context.run('mine', () => api(target, { onDownloadProgress: () => seen.push(context.getStore()) }))
    await told.bytes()
    expect(seen).toEqual(['mine'])
    const onDownloadProgress = (): never => {
      throw oops
    }
    await expect((await api(target, { onDownloadProgress })).bytes()).rejects.toBe(oops)
    expect(clock.armed).toBe(0)
  })
})

describe('JSON', () => {
  test('content that is none is a BodyError that tells where, and shows nothing of it by accident', async () => {
    const text = `{\n  "user": "ada",\n  "token": hunter2\n}`
    const { api } = client({}, reply(200, {}, text))
    const error = await failure((await api(target)).json())
    expect(error).toBeInstanceOf(BodyError)
    expect(error.message).toContain('the content is no JSON, from position 30 on (line 3, column 12)')
    expect([error.kind, error.position, error.excerpt]).toEqual(['json', 30, text.slice(0, 60)])
    expect(inspect(error, { depth: 9 }) + JSON.stringify(error) + String(error.stack)).not.toMatch(/hunter|ada/)
  })

  test('empty content says so, but a response that has none is undefined', async () => {
    const { api } = client({}, reply(200), reply(204), reply(205), reply(200, { 'content-type': 'application/json' }))
    expect((await failure((await api(target)).json())).message).toContain('there is no content to be read as JSON')
    expect(await (await api(target)).json()).toBeUndefined()
    expect(await (await api(target)).json()).toBeUndefined()
    expect(await (await api(target, { method: 'HEAD' })).json()).toBeUndefined()
  })

  test('with fetchStandard the error is that of the platform', async () => {
    const { api } = client(fetchStandard, reply(200, {}, '{'), reply(204))
    await expect((await api(target)).json()).rejects.toBeInstanceOf(SyntaxError)
    await expect((await api(target)).json()).rejects.toBeInstanceOf(SyntaxError)
  })
})

/** A schema for objects with a whole number `id`, which it makes a text; asynchronous if asked to be. */
function idSchema(isAsync = false): StandardSchema<{ id: number }, { id: string }> {
  const check = (
    value: unknown,
  ): { value: { id: string } } | { issues: { message: string; path: (string | { key: string })[] }[] } => {
    const { id } = Object(value) as { id?: unknown }
    if (typeof id === 'number') return { value: { id: `#${id}` } }
    return {
      issues: [
        { message: `no number: ${String(id)}`, path: ['id'] },
        { message: 'at all', path: [] },
      ],
    }
  }
  return {
    '~standard': { version: 1, vendor: 'test', validate: (value) => (isAsync ? Promise.resolve(check(value)) : check(value)) },
  }
}

describe('schema', () => {
  test.each([false, true])('json() gives what the schema makes of the content, asynchronous: %s', async (isAsync) => {
    const { api } = client({}, reply(200, {}, '{"id":1}'))
    const response = await api(target, { schema: idSchema(isAsync) })
    expect(await response.clone().json()).toEqual({ id: '#1' })
    expect(await response.text()).toBe('{"id":1}')
  })

  test('content that does not fit is a BodyError with the issues, which shows names and no values', async () => {
    const { api } = client({ schema: idSchema() }, reply(200, {}, '{"id":"hunter2"}'))
    const error = await failure((await api(target)).json())
    expect(error.message).toContain('the content does not fit its schema: 2 issues, at id, its root')
    expect([error.kind, error.issues?.[0]]).toEqual(['schema', { message: 'no number: hunter2', path: ['id'] }])
    expect(inspect(error, { depth: 9 }) + JSON.stringify(error) + String(error.stack)).not.toContain('hunter2')
  })

  test('schemas by status and class: the most specific counts, and others are not validated', async () => {
    const schema = { 201: idSchema(), '4xx': idSchema() }
    const { api } = client(
      { errors: 'return', schema },
      reply(201, {}, '{"id":1}'),
      reply(200, {}, '[]'),
      reply(404, {}, '{"id":2}'),
    )
    expect(await (await api(target)).json()).toEqual({ id: '#1' })
    expect(await (await api(target)).json()).toEqual([])
    expect(await (await api(target)).json()).toEqual({ id: '#2' })
  })

  test.each([false, true])('a failed status carries what its schema makes of the content, asynchronous: %s', async (isAsync) => {
    const problems = idSchema(isAsync)
    const { api } = client({ schema: { 422: problems } }, reply(422, { 'content-type': 'application/problem+json' }, '{"id":1}'))
    const error: unknown = await failure(api(target))
    if (!isHttpError(error, 422, problems)) throw error
    const { id } = error.data
    expect([id, error.problem]).toEqual(['#1', { id: '#1' }])
    expect(isHttpError(error, 422, idSchema())).toBe(false)
    expect(isHttpError(error, 422)).toBe(true)
    expect(inspect(error) + JSON.stringify(error)).not.toContain('#1')
  })

  test.each([
    ['does not fit', 'application/json', '{"id":"x"}'],
    ['is no JSON', 'application/json', 'oops'],
    ['is of another type', 'text/html', '{"id":1}'],
  ])('a failed status whose content %s is the error without data', async (_name, type, content) => {
    const problems = idSchema()
    const { api } = client({ schema: { 422: problems } }, reply(422, { 'content-type': type }, content))
    const error: unknown = await failure(api(target))
    expect(isHttpError(error, 422, problems)).toBe(false)
    expect(isHttpError(error, 422) && [error.data, error.body]).toEqual([undefined, content])
  })

  test.each<[unknown, string]>([
    [1, 'schema must be a Standard Schema, or some by status, got 1'],
    [{ 42: idSchema() }, 'every key of schema must be a status code from 100 to 999 or a class such as \'4xx\', got "42"'],
    [{ 422: {} }, 'schema["422"] must be a Standard Schema, got object'],
  ])('an option that is none is refused', (schema, message) => {
    expect(() => createFetch({ schema: schema as never })).toThrow(message)
  })
})
