import { describe, expect, it } from 'vitest'
import {
  accept,
  type ClientOptions,
  fail,
  fallback,
  HttpError,
  type Policy,
  type PolicyInput,
  retry,
  traceOf,
} from '../../src/index.ts'
import { arriving } from '../support/arriving.ts'
import { clientOf, rejection } from '../support/client.ts'
import { reply } from '../support/scripted-transport.ts'

const url = 'https://api.test/'

/** One call with these options to a transport that answers so. */
function call(answer: Response, options: ClientOptions = {}): Promise<Response> {
  return clientOf([() => answer], options).fetch(url)
}

const responseOf = (input: PolicyInput): Response => {
  if (input.kind !== 'response') throw new Error('a failure')
  return input.response
}

describe('a policy function that reads a clone', () => {
  const reads = (decide: (text: string) => Policy | undefined): ClientOptions => {
    const policy = async (input: PolicyInput): Promise<Policy | undefined> => decide(await responseOf(input).clone().text())
    return { on: { 200: policy, 404: policy } }
  }

  it('leaves the response that is delivered readable', async () => {
    const seen: string[] = []
    const response = await call(
      reply(200, {}, '{"a":1}'),
      reads((text) => void seen.push(text)),
    )
    expect([seen, response.bodyUsed]).toEqual([['{"a":1}'], false])
    expect(await response.json()).toEqual({ a: 1 })
  })

  it('leaves a body that is still on its way readable', async () => {
    const source = arriving()
    const promise = call(
      new Response(source.body),
      reads(() => accept()),
    )
    source.part('a')
    source.end()
    expect(await (await promise).text()).toBe('a')
  })

  it('leaves the error its excerpt', async () => {
    const error = await rejection(
      call(
        reply(404, {}, 'not here'),
        reads(() => undefined),
      ),
    )
    expect(error).toBeInstanceOf(HttpError)
    expect((error as HttpError).body).toBe('not here')
  })

  it('may repeat what the content asks for', async () => {
    const { fetch, clock, sent } = clientOf([reply(200, {}, 'busy'), reply(200, {}, 'done')], {
      on: { 200: async (input) => ((await responseOf(input).clone().text()) === 'busy' ? retry() : accept()) },
    })
    expect(await (await clock.drive(fetch(url))).text()).toBe('done')
    expect(sent).toHaveLength(2)
  })

  it('and one that reads the response itself leaves nothing', async () => {
    const used = await call(reply(200, {}, 'a'), {
      on: { 200: async (input) => ((await responseOf(input).text()) ? accept() : fail()) },
    })
    expect(used.bodyUsed).toBe(true)
    const error = await rejection(
      call(reply(404, {}, 'a'), { on: { 404: async (input) => ((await responseOf(input).text()) ? fail() : accept()) } }),
    )
    expect((error as HttpError).body).toBe('')
  })
})

describe('the substitute of a fallback', () => {
  const substituted = (substitute: (response: Response) => Response | Promise<Response>): ClientOptions => ({
    on: { 404: fallback((input) => substitute(responseOf(input))) },
  })

  it.each<[string, (response: Response) => Response | Promise<Response>]>([
    ['is the response itself', (response) => response],
    ['is a clone of it', (response) => response.clone()],
    [
      'is a clone of it of which another one was read',
      async (response) => {
        await response.clone().text()
        return response.clone()
      },
    ],
    ['is made from its stream', (response) => new Response(response.body)],
    ['is made from the stream of a clone', (response) => new Response(response.clone().body)],
    [
      'is made from its stream, piped through another',
      (response) =>
        new Response(
          (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(
            new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>(),
          ),
        ),
    ],
    ['is made from its text', async (response) => new Response(await response.text())],
    ['is new', () => new Response('gone')],
  ])('%s', async (_what, substitute) => {
    for (const early of [true, false]) {
      const source = arriving()
      const send = (): void => {
        source.part('go')
        source.part('ne')
        source.end()
      }
      if (early) send()
      const promise = call(new Response(source.body, { status: 404 }), substituted(substitute))
      if (!early) setImmediate(send)
      const response = await promise
      expect(traceOf(response)?.attempts).toMatchObject([{ status: 404 }])
      expect(await response.text()).toBe('gone')
    }
  })

  it('that has nothing of the response lets it go', async () => {
    const source = arriving()
    await call(
      new Response(source.body, { status: 404 }),
      substituted(() => new Response('gone')),
    )
    expect(source.cancelled).toBe(true)
  })

  it('that is made from its stream lets it go when it is cancelled', async () => {
    const source = arriving()
    const options = substituted((response) => new Response(response.body))
    const response = await call(new Response(source.body, { status: 404 }), options)
    expect(source.cancelled).toBe(false)
    await response.body?.cancel()
    await expect.poll(() => source.cancelled).toBe(true)
  })
})
