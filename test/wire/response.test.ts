import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { accept, type ClientOptions, fallback, type PolicyInput, traceOf } from '../../src/index.ts'
import { httpServer } from '../support/server.ts'
import { client } from '../support/wire.ts'

const small = 'a short one'
/** More than is held of a body that nobody reads. */
const large = 'All work and no play. '.repeat(100_000)

const responseOf = (input: PolicyInput): Response => {
  if (input.kind !== 'response') throw new Error('a failure')
  return input.response
}

const readings: [string, (response: Response) => Promise<string>][] = [
  ['text()', (response) => response.text()],
  ['bytes()', async (response) => Buffer.from(await response.bytes()).toString()],
  ['its stream', (response) => new Response(response.body).text()],
  ['a clone', (response) => response.clone().text()],
]

describe.each([
  ['a short body', small],
  ['a long body', large],
])('%s', (_size, content) => {
  it.each(readings)('that came before it was read is there whole, by %s', async (_name, read) => {
    await using server = await httpServer((_request, response) => response.end(content))
    const response = await client()(server.origin)
    await delay(20)
    expect((await read(response)) === content).toBe(true)
  })

  it.each(readings)('that comes after it was asked for is there whole, by %s', async (_name, read) => {
    const waiting: ServerResponse[] = []
    await using server = await httpServer((_request, response) => {
      response.flushHeaders()
      waiting.push(response)
    })
    const text = read(await client()(server.origin))
    await delay(5)
    for (const response of waiting) response.end(content)
    expect((await text) === content).toBe(true)
  })

  it.each<[string, ClientOptions]>([
    [
      'a policy function has read a clone',
      { on: { 200: async (input) => ((await responseOf(input).clone().text()) ? accept() : 'fail') } },
    ],
    ['a fallback gave it back', { on: { 200: fallback(responseOf) } }],
    ['a fallback gave a clone of it', { on: { 200: fallback((input) => responseOf(input).clone()) } }],
    ['a fallback made another one of its stream', { on: { 200: fallback((input) => new Response(responseOf(input).body)) } }],
  ])('is delivered whole after %s, and its connections are used again', async (_what, options) => {
    await using server = await httpServer((_request, response) => response.end(content))
    const api = client(options)
    for (let count = 1; count <= 6; count += 1) {
      const response = await api(server.origin)
      expect(traceOf(response)?.attempts).toMatchObject([{ status: 200 }])
      expect((await response.text()) === content).toBe(true)
    }
    expect(server.requests).toHaveLength(6)
    expect(server.connections.length).toBeLessThanOrEqual(2)
  })
})
