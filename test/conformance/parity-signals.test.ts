import { type Case, parity } from '../support/parity.ts'
import { beginning, nothing, rejection, until } from '../support/parity-replies.ts'

const others: readonly Case[] = [
  {
    title: 'AbortSignal.timeout ends the call with a TimeoutError',
    reply: nothing,
    run: (fetch, origin) => rejection(fetch(origin, { signal: AbortSignal.timeout(20) })),
  },
  {
    title: 'AbortSignal.timeout ends the body with a TimeoutError',
    reply: beginning,
    run: async (fetch, origin) => {
      const signal = AbortSignal.timeout(200)
      return rejection((await fetch(origin, { signal })).text())
    },
  },
  {
    title: 'AbortSignal.any ends the call with the reason of the one that aborted',
    reply: nothing,
    run: async (fetch, origin) => {
      const one = new AbortController()
      const reason = new Error('own')
      const promise = rejection(fetch(origin, { signal: AbortSignal.any([one.signal, new AbortController().signal]) }), reason)
      one.abort(reason)
      return promise
    },
  },
  {
    title: 'an abort ends the upload of a stream',
    reply: nothing,
    run: async (fetch, origin, server) => {
      const controller = new AbortController()
      const reason = new Error('own')
      const body = new ReadableStream({ start: (source) => source.enqueue(new Uint8Array(1)) })
      const promise = rejection(fetch(origin, { method: 'POST', body, duplex: 'half', signal: controller.signal }), reason)
      await server.connected()
      controller.abort(reason)
      const result = await promise
      await server.closed()
      return result
    },
  },
  {
    title: 'a stream is cancelled when the signal was aborted before the call',
    run: async (fetch, origin) => {
      const reason = new Error('own')
      let cancelled: unknown
      const body = new ReadableStream({
        cancel: (given) => {
          cancelled = given
        },
      })
      const signal = AbortSignal.abort(reason)
      const result = await rejection(fetch(origin, { method: 'POST', body, duplex: 'half', signal }), reason)
      return [result, cancelled === reason]
    },
  },
  {
    title: 'the signal of init replaces that of the Request',
    reply: nothing,
    run: async (fetch, origin) => {
      const [ofRequest, ofInit] = [new AbortController(), new AbortController()]
      const promise = rejection(fetch(new Request(origin, { signal: ofRequest.signal }), { signal: ofInit.signal }))
      ofRequest.abort()
      ofInit.abort(new Error('own'))
      return promise
    },
  },
  {
    title: 'one signal aborts several calls',
    reply: nothing,
    run: (fetch, origin) => {
      const controller = new AbortController()
      const calls = [1, 2, 3].map(() => rejection(fetch(origin, { signal: controller.signal })))
      controller.abort()
      return Promise.all(calls)
    },
  },
  {
    title: 'an abort between two redirects',
    reply: (response, { target }) => {
      if (target === '/') response.writeHead(302, { location: '/end' }).end()
    },
    run: async (fetch, origin, server) => {
      const controller = new AbortController()
      const reason = new Error('own')
      const promise = rejection(fetch(origin, { signal: controller.signal }), reason)
      await until(() => server.received.length === 2)
      controller.abort(reason)
      return promise
    },
  },
  {
    title: 'an invalid call with an aborted signal is a TypeError',
    run: (fetch, origin) => rejection(fetch(origin, { method: 'TRACE', signal: AbortSignal.abort() })),
  },
]

parity('signals', others)
