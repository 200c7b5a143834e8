import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type ClientOptions, traceOf } from '../../src/index.ts'
import { arriving } from '../support/arriving.ts'
import { clientOf, rejection } from '../support/client.ts'
import { reply } from '../support/scripted-transport.ts'

const url = 'https://api.test/'
const json = { 'content-type': 'application/json' }

/** One call with these options to a transport that answers so. */
function call(answer: Response, options: ClientOptions = {}): Promise<Response> {
  return clientOf([() => answer], options).fetch(url)
}

describe('a response', () => {
  it('is a Response to whatever asks, and so is its clone', async () => {
    const response = await call(reply(200, json, '{}'))
    for (const one of [response, response.clone()]) {
      expect(one).toBeInstanceOf(Response)
      expect(one.constructor).toBe(Response)
      expect(Object.prototype.toString.call(one)).toBe('[object Response]')
      expect(Object.keys(one)).toEqual([])
      expect(Reflect.ownKeys(one)).toEqual([])
    }
  })

  it('is no Response of the platform to its own members, which refuse it with a TypeError', async () => {
    const response = await call(reply(200))
    expect(() => Object.getOwnPropertyDescriptor(Response.prototype, 'status')?.get?.call(response)).toThrow(TypeError)
  })

  it.each([
    ['by itself', (response: Response) => inspect(response)],
    ['within an object', (response: Response) => inspect({ response })],
    ['without depth', (response: Response) => inspect([response], { depth: 0 })],
    ['in colours', (response: Response) => inspect(response, { colors: true })],
  ])('that is inspected %s keeps its body', async (_how, show) => {
    const response = await call(reply(200, json, '{"a":1}'))
    expect(show(response)).toContain('Response')
    expect(show(response)).not.toContain('"a"')
    expect(response.bodyUsed).toBe(false)
    expect(await response.json()).toEqual({ a: 1 })
    expect(inspect(response)).toContain('bodyUsed: true')
  })

  it('has a trace, and its clone has the same', async () => {
    const { fetch, clock } = clientOf([reply(503), reply(200, {}, 'done')])
    const response = await clock.drive(fetch(url))
    const copy = response.clone()
    expect(traceOf(response)?.attempts).toMatchObject([{ status: 503 }, { status: 200 }])
    expect(traceOf(copy)).toEqual(traceOf(response))
    expect(await copy.text()).toBe('done')
    expect(traceOf(copy)).toEqual(traceOf(response))
    expect(traceOf(new Response('done'))).toBeUndefined()
  })
})

describe('a body', () => {
  it.each([
    ['before it was delivered', true],
    ['after it was delivered', false],
  ])('that came %s is read whole, as a stream and from a clone', async (_when, early) => {
    const readings: ((response: Response) => Promise<string>)[] = [
      (response) => response.text(),
      async (response) => Buffer.from(await response.bytes()).toString(),
      async (response) => new Response(response.body).text(),
      (response) => response.clone().text(),
      async (response) => (await Promise.all([response.clone().text(), response.text()])).join('').slice(9),
    ]
    for (const read of readings) {
      const source = arriving()
      const send = (): void => {
        source.part('first ')
        source.part('end')
        source.end()
      }
      if (early) send()
      const text = read(await call(new Response(source.body)))
      if (!early) send()
      expect(await text).toBe('first end')
    }
  })

  it('that fails after a part fails both branches of a clone', async () => {
    const source = arriving()
    const response = await call(new Response(source.body))
    const copy = response.clone()
    const texts = [rejection(response.text()), rejection(copy.text())]
    source.part('start')
    source.fail(new TypeError('gone'))
    for (const error of await Promise.all(texts)) expect(error).toBeInstanceOf(TypeError)
  })

  it('that ended before anybody asked is there even if the clock stands far beyond every limit', async () => {
    const { fetch, clock } = clientOf([reply(200, {}, 'kept')])
    const response = await fetch(url)
    await clock.advance(3_600_000)
    expect(await response.text()).toBe('kept')
    expect(clock.armed).toBe(0)
  })
})
