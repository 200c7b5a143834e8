import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BodyError, createFetch, type HttpError } from '../../../src/index.ts'
import { rejection } from '../../support/client.ts'
import { runCount } from '../../support/run-count.ts'

const text = fc.oneof(
  fc.json(),
  fc.tuple(fc.json(), fc.nat({ max: 60 }), fc.constantFrom('', ',', '"', '}', '\\', '\u0000', '\u2028')).map(([json, at, by]) => {
    return json.slice(0, at) + by + json.slice(at + 1)
  }),
  fc.constantFrom(
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '[{"__proto__":1}]',
    '\ufeff{}',
    '',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
)
const bytes = fc.oneof(
  text.map((one) => Buffer.from(one)),
  fc.uint8Array({ maxLength: 30 }).map((one) => Buffer.from(one)),
)
const type = fc.oneof(
  fc.constantFrom(
    'application/problem+json',
    'application/problem+json; charset=utf-8',
    'Application/Problem+JSON;',
    'application/json',
  ),
  fc.string({ unit: fc.constantFrom(...'application/problem+json; "='), maxLength: 40 }),
)

/** What the platform reads: UTF-8, without a byte order mark. */
const decoded = (content: Uint8Array): string => new TextDecoder().decode(content)

function parsed(content: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(content) }
  } catch {
    return undefined
  }
}

test('json() gives what JSON.parse gives, or a BodyError that tells where and nothing of the content', async () => {
  await fc.assert(
    fc.asyncProperty(bytes, async (content) => {
      const fetch = createFetch({ transport: async () => new Response(content as BodyInit) })
      const response = await fetch('https://api.test/')
      const expected = parsed(decoded(content))
      if (expected !== undefined) {
        expect(await response.json()).toEqual(expected.value)
        return
      }
      const error = (await rejection(response.json())) as BodyError
      expect(error).toBeInstanceOf(BodyError)
      expect(error.position).toBeGreaterThanOrEqual(0)
      expect(error.position).toBeLessThanOrEqual(decoded(content).length)
      expect((error.excerpt ?? '').length).toBeLessThanOrEqual(60)
      expect(error.message).toMatch(
        /^GET https:\/\/api\.test\/ failed: (?:the content is no JSON, from position \d+ on|there is no content)/,
      )
    }),
    { numRuns: runCount(200) },
  )
})

test('problem is an object that the content is, and nothing else; the error is there whatever the content', async () => {
  await fc.assert(
    fc.asyncProperty(bytes, type, async (content, contentType) => {
      const headers = { 'content-type': contentType }
      const fetch = createFetch({ transport: async () => new Response(content as BodyInit, { status: 422, headers }) })
      const error = (await rejection(fetch('https://api.test/'))) as HttpError
      expect([error.status, error.body]).toEqual([422, decoded(content)])
      const value = parsed(decoded(content))?.value
      const isProblem = /^application\/problem\+json *(?:;|$)/i.test(contentType.trim())
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
      expect(error.problem).toEqual(isProblem && isObject ? value : undefined)
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    }),
    { numRuns: runCount(200) },
  )
})
