import { type Case, head, parity, since24 } from '../support/parity.ts'
import { beginning, nothing, rejection, until } from '../support/parity-replies.ts'

const reasons: readonly (readonly [string, unknown])[] = [
  ['no reason', undefined],
  ['an Error', new Error('own')],
  ['a TypeError', new TypeError('own')],
  ['a string', 'own'],
  ['null', null],
  ['0', 0],
  ['an object', { own: true }],
]

const before: readonly Case[] = reasons.map(([title, given]) => ({
  title: `aborted before the call, with ${title}`,
  run: async (fetch, origin, server) => {
    const signal = AbortSignal.abort(given)
    return [await rejection(fetch(origin, { signal }), signal.reason), server.received]
  },
}))

const during: readonly Case[] = reasons.map(([title, given]) => ({
  title: `aborted while waiting for the response, with ${title}`,
  reply: nothing,
  run: async (fetch, origin, server) => {
    const controller = new AbortController()
    const promise = rejection(fetch(origin, { signal: controller.signal }), given ?? undefined)
    await until(() => server.received.length === 1)
    controller.abort(given)
    const result = await promise
    await server.closed()
    return result
  },
}))

const inBody: readonly Case[] = [
  ...reasons
    .filter(([, given]) => given === undefined || Boolean(given))
    .map(
      ([title, given]): Case => ({
        title: `aborted while the text is read, with ${title}`,
        reply: beginning,
        run: async (fetch, origin, server) => {
          const controller = new AbortController()
          const response = await fetch(origin, { signal: controller.signal })
          const promise = rejection(response.text(), given)
          controller.abort(given)
          const result = await promise
          await server.closed()
          return [result, response.bodyUsed]
        },
      }),
    ),
  {
    title: 'aborted while a stream is read',
    reply: beginning,
    run: async (fetch, origin, server) => {
      const controller = new AbortController()
      const response = await fetch(origin, { signal: controller.signal })
      const reader = response.body?.getReader()
      await reader?.read()
      const promise = rejection(reader?.read() ?? Promise.resolve(), controller.signal.reason)
      controller.abort()
      const result = await promise
      await server.closed()
      return [result, response.bodyUsed, await rejection(reader?.closed ?? Promise.resolve())]
    },
  },
  ...since24([
    {
      title: 'aborted before the body is read',
      reply: beginning,
      run: async (fetch, origin, server) => {
        const controller = new AbortController()
        const reason = new Error('own')
        const response = await fetch(origin, { signal: controller.signal })
        controller.abort(reason)
        await server.closed()
        return [await rejection(response.text(), reason), head(response)]
      },
    },
  ]),
  {
    title: 'aborted after the body was read: nothing happens',
    run: async (fetch, origin) => {
      const controller = new AbortController()
      const response = await fetch(origin, { signal: controller.signal })
      const text = await response.text()
      controller.abort()
      return [text, head(response)]
    },
  },
  {
    title: 'an abort reaches both branches of a clone',
    reply: beginning,
    run: async (fetch, origin) => {
      const controller = new AbortController()
      const response = await fetch(origin, { signal: controller.signal })
      const clone = response.clone()
      const promises = Promise.all([rejection(response.text()), rejection(clone.text())])
      controller.abort()
      return promises
    },
  },
]

parity('aborted before', before)
parity('aborted during', during)
parity('aborted in the body', inBody)
