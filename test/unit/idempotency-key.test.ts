import { describe, expect, test } from 'vitest'
import { type ClientOptions, createFetch, fetchStandard, refresh, type TransportInit, traceOf } from '../../src/index.ts'
import { clientOf, gaps, rejection } from '../support/client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { reply } from '../support/scripted-transport.ts'

const a = 'https://a.test/'
const quotedUuid = /^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$/
const keysOf = (sent: readonly { init: TransportInit }[]): (string | undefined)[] =>
  sent.map(({ init }) => init.headers['idempotency-key'])

describe('idempotencyKey', () => {
  test('is off by default: a POST that may have been applied is not repeated', async () => {
    const { fetch, clock, sent } = clientOf([reply(503)])
    await clock.drive(rejection(fetch(a, { method: 'POST' })))
    expect(keysOf(sent)).toEqual([undefined])
  })

  test.each(['POST', 'PATCH', 'LOCK'])('gives a %s a UUID in quotation marks, the same on each attempt', async (method) => {
    const { fetch, clock, sent } = clientOf([reply(503), reply(503), reply(200)], { idempotencyKey: true })
    const response = await clock.drive(fetch(a, { method, body: 'x' }))
    const keys = keysOf(sent)
    expect([response.status, sent.length, new Set(keys).size]).toEqual([200, 3, 1])
    expect(keys[0]).toMatch(quotedUuid)
    expect(gaps(sent)).toEqual([50, 100])
  })

  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'QUERY'])('leaves a %s alone, which is idempotent', async (method) => {
    const { fetch, sent } = clientOf([reply(200)], { idempotencyKey: () => 'never' })
    await fetch(a, { method })
    expect(keysOf(sent)).toEqual([undefined])
  })

  test('is another one for each call, although chance is the same', async () => {
    const { fetch, sent } = clientOf([reply(200)], { idempotencyKey: true })
    for (let index = 0; index < 5; index += 1) await fetch(a, { method: 'POST' })
    expect(new Set(keysOf(sent)).size).toBe(5)
  })

  test("leaves the caller's own key, and is not even made then", async () => {
    const { fetch, sent } = clientOf([reply(200)], {
      idempotencyKey: () => {
        throw new Error('asked')
      },
    })
    await fetch(a, { method: 'POST', headers: { 'Idempotency-Key': 'own' } })
    expect(keysOf(sent)).toEqual(['own'])
  })

  test('may be made by a function, whose result is sent as it is', async () => {
    let made = 0
    const { fetch, clock, sent } = clientOf([reply(503), reply(200)], { idempotencyKey: () => `order-${++made}` })
    await clock.drive(fetch(a, { method: 'POST' }))
    expect([keysOf(sent), made]).toEqual([['order-1', 'order-1'], 1])
  })

  test('may be an option of one call, or switched off by it', async () => {
    const { fetch, sent } = clientOf([reply(200)], { idempotencyKey: () => 'of the client' })
    await fetch(a, { method: 'POST', idempotencyKey: () => 'of the call' })
    await fetch(a, { method: 'POST', idempotencyKey: false })
    await fetch(a, { method: 'POST' })
    expect(keysOf(sent)).toEqual(['of the call', undefined, 'of the client'])
  })

  test('stays with a replay after a refresh, and with a redirect that keeps the method', async () => {
    const replies = [reply(401), reply(307, { location: '/next' }), reply(200)]
    const { fetch, clock, sent } = clientOf(replies, {
      idempotencyKey: true,
      on: { 401: refresh(() => ({ authorization: 'x' })) },
    })
    await clock.drive(fetch(a, { method: 'POST', body: 'x' }))
    expect([sent.length, new Set(keysOf(sent)).size]).toEqual([3, 1])
    expect(keysOf(sent)[0]).toMatch(quotedUuid)
  })

  test('goes with a hedge, which a POST can have then', async () => {
    const clock = new FakeClock()
    const sent: unknown[] = []
    const transport = (_target: string, { headers, signal }: TransportInit): Promise<Response> => {
      sent.push(headers['idempotency-key'])
      if (sent.length > 1) return Promise.resolve(reply(200))
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    const fetch = createFetch({ clock, transport, idempotencyKey: () => 'k', hedge: { afterMs: 10 } })
    const response = await clock.drive(fetch(a, { method: 'POST' }))
    expect([sent, traceOf(response)?.attempts.map(({ hedge }) => hedge)]).toEqual([
      ['k', 'k'],
      [undefined, true],
    ])
  })

  test.each([301, 302, 303])('is dropped by a %i that turns POST into GET', async (status) => {
    const { fetch, sent } = clientOf([reply(status, { location: '/next' }), reply(200)], { idempotencyKey: true })
    await fetch(a, { method: 'POST', body: 'x' })
    expect(sent.map(({ init }) => init.method)).toEqual(['POST', 'GET'])
    expect(keysOf(sent)).toEqual([expect.stringMatching(quotedUuid), undefined])
  })

  test("is not made by fetchStandard, which keeps the caller's own as fetch does", async () => {
    const { fetch, sent } = clientOf([reply(303, { location: '/next' }), reply(200)], fetchStandard)
    await fetch(a, { method: 'POST', headers: { 'idempotency-key': 'own' } })
    expect(keysOf(sent)).toEqual(['own', 'own'])
  })

  test.each([
    ['nothing', () => undefined],
    ['an empty string', () => ''],
    ['white space', () => ' '],
    ['a number', () => 7],
    ['no field value', () => 'secret\n' + 'x'],
  ])('that gives %s is a TypeError, and nothing is sent', async (_what, make) => {
    const { fetch, sent } = clientOf([reply(200)], { idempotencyKey: make as () => string })
    const error = await rejection(fetch(a, { method: 'POST' }))
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).toMatch(/idempotency-?key/i)
    expect((error as Error).message).not.toContain('secret')
    expect(sent).toHaveLength(0)
  })

  test('must be true, false or a function', async () => {
    const options = { idempotencyKey: 'secret' } as unknown as ClientOptions
    expect(() => createFetch(options)).toThrow('createFetch: idempotencyKey must be true, false or a function, got string')
    const { fetch } = clientOf([reply(200)])
    expect(await rejection(fetch(a, options as never))).toBeInstanceOf(TypeError)
  })
})
