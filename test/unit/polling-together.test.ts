import { describe, expect, test } from 'vitest'
import { createFetch, poll, refresh, type SteadInit, traceOf } from '../../src/index.ts'
import { controlled } from '../support/cache.ts'
import { clientOf } from '../support/client.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { HeldTransport } from '../support/held-transport.ts'
import { reply } from '../support/scripted-transport.ts'

const target = 'https://a.test/report'
const json = { 'content-type': 'application/json' }
const text = async (response: Promise<Response>): Promise<string> => (await response).text()

describe('polling with a cache', () => {
  test.each<[string, Record<string, string>, SteadInit]>([
    ['is fresh by its own words', { 'cache-control': 'max-age=3600' }, {}],
    ['was changed so long ago that it counts as fresh', { 'last-modified': 'Tue, 01 Jan 2019 00:00:00 GMT' }, {}],
    ['is to be taken from the cache whatever its age', { 'cache-control': 'max-age=3600' }, { cache: 'force-cache' }],
  ])('asks the origin each time, although the state of the work %s', async (_what, fields, init) => {
    const pending = reply(200, { ...json, ...fields }, '{"status":"running"}')
    const { fetch, clock, sent } = clientOf([reply(202, { location: '/job' }), pending, pending, reply(200, {}, 'done')], {
      cache: true,
      on: { 202: poll() },
    })
    expect(await clock.drive(text(fetch(target, { method: 'POST', ...init })))).toBe('done')
    expect([sent.length, clock.armed]).toEqual([4, 0])
  })

  test('asks with the tag of the state that it knows, and takes a 304 for no news', async () => {
    const etag = '"running"'
    const pending = reply(200, { ...json, etag }, '{"status":"running"}')
    const replies = [reply(202, { location: '/job' }), pending, reply(304, { etag }), reply(200, {}, 'done')]
    const { fetch, clock, sent } = clientOf(replies, { cache: true, on: { 202: poll() } })
    expect(await clock.drive(text(fetch(target, { method: 'POST' })))).toBe('done')
    expect(sent.map(({ init }) => init.headers['if-none-match'])).toEqual([undefined, undefined, etag, etag])
    expect(clock.armed).toBe(0)
  })

  test('delivers the result as it is now, not as somebody got it while the work was being done', async () => {
    let version = 'old'
    let polls = 0
    const origin = (asked: string, { method }: { method: string }): Response => {
      if (method === 'PUT') return reply(202, { 'operation-location': '/job' })
      if (!asked.endsWith('/job')) return controlled('max-age=60', version)
      polls += 1
      if (polls === 3) version = 'new'
      return reply(200, json, JSON.stringify({ status: polls === 3 ? 'done' : 'running' }))
    }
    const { fetch, clock } = clientOf([origin], { cache: true, on: { 202: poll() } })
    const put = text(fetch(target, { method: 'PUT' }))
    await settle()
    expect(await text(fetch(target))).toBe('old')
    expect(await clock.drive(put)).toBe('new')
    expect(await text(fetch(target))).toBe('new')
    expect(clock.armed).toBe(0)
  })
})

test('the result of polling is not what somebody asked for before the work was done', async () => {
  const clock = new FakeClock()
  const held = new HeldTransport(clock.now)
  const fetch = createFetch({ transport: held.send, clock, random: () => 0.5, coalesce: true, on: { 202: poll() } })
  const put = text(fetch(target, { method: 'PUT' }))
  await settle()
  await held.sent[0]?.answer(reply(202, { 'operation-location': '/job' }))
  const before = text(fetch(target))
  await clock.advance(1_200)
  expect(held.paths).toEqual(['/report', '/report', '/job'])
  await held.sent[2]?.answer(reply(200, json, '{"status":"done"}'))
  expect(held.paths).toEqual(['/report', '/report', '/job', '/report'])
  await held.sent[1]?.answer(reply(200, {}, 'old'))
  await held.sent[3]?.answer(reply(200, {}, 'new'))
  expect([await before, await put]).toEqual(['old', 'new'])
  expect([held.underWay, clock.armed]).toEqual([0, 0])
})

test('calls that share the request for a report each poll for themselves, and are told of all their requests', async () => {
  const { fetch, clock, sent } = clientOf([reply(202, { location: '/job' }), reply(202), reply(202), reply(200, {}, 'done')], {
    coalesce: true,
    on: { 202: poll() },
  })
  const responses = await clock.drive(Promise.all([fetch(target), fetch(target)]))
  expect(await Promise.all(responses.map((response) => response.text()))).toEqual(['done', 'done'])
  expect(sent.length).toBe(5)
  for (const response of responses) {
    const { attempts, totalMs } = traceOf(response) as NonNullable<ReturnType<typeof traceOf>>
    expect(attempts.map(({ status }) => status)).toEqual([202, 202, 200])
    expect(attempts.reduce((sum, { waitMs, durationMs }) => sum + waitMs + durationMs, 0)).toBeCloseTo(totalMs, 6)
  }
  expect(clock.armed).toBe(0)
})

describe('polling with credentials', () => {
  test('has them replaced each time they have grown old', async () => {
    let good = 0
    let given = -1
    const on = {
      202: poll(),
      401: refresh(() => {
        given = good
        return { authorization: String(good) }
      }),
    }
    const { fetch, clock, sent } = clientOf(
      [
        (_target, { method, headers }) => {
          if (method === 'POST') return reply(202, { location: '/job' })
          if (sent.length === 4 || sent.length === 8) good += 1
          if (headers.authorization !== String(good)) return reply(401)
          return sent.length > 12 ? reply(200, {}, 'done') : reply(202)
        },
      ],
      { on },
    )
    expect(await clock.drive(text(fetch(target, { method: 'POST' })))).toBe('done')
    expect([given, clock.armed]).toEqual([2, 0])
  })

  test('ends with the refusal where new ones are refused as well', async () => {
    let asked = 0
    const on = {
      202: poll(),
      401: refresh(() => {
        asked += 1
        return { authorization: 'wrong' }
      }),
    }
    const { fetch, clock, sent } = clientOf([reply(202, { location: '/job' }), reply(401)], { on })
    await expect(clock.drive(fetch(target, { method: 'POST' }))).rejects.toMatchObject({ status: 401 })
    expect([sent.length, asked, clock.armed]).toEqual([3, 1, 0])
  })
})
