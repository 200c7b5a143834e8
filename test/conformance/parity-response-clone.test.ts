import { type Case, head, nameOf, parity, raw, tried } from '../support/parity.ts'
import { beginning, chunked } from '../support/parity-replies.ts'

const clones: readonly Case[] = [
  {
    title: 'a clone has the same head, and headers of its own',
    reply: raw('404 Not Found', ['x-field: a', 'set-cookie: a=1', 'set-cookie: b=2'], 'content'),
    run: async (fetch, origin) => {
      const response = await fetch(`${origin}/path`)
      const clone = response.clone()
      return [
        head(clone),
        clone.headers === response.headers,
        clone instanceof Response,
        clone.type === response.type,
        clone.headers.getSetCookie(),
      ]
    },
  },
  {
    title: 'a clone has immutable headers, too',
    run: async (fetch, origin) => {
      const clone = (await fetch(origin)).clone()
      return [await tried(() => clone.headers.set('x-field', 'a')), clone.headers.get('x-field')]
    },
  },
  {
    title: 'both are read whole, in either order',
    reply: chunked,
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const clone = response.clone()
      const text = await clone.text()
      return [text, clone.bodyUsed, response.bodyUsed, await response.text()]
    },
  },
  {
    title: 'it is cloned twice, and a clone is cloned',
    reply: chunked,
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const one = response.clone()
      const all = [response, one, response.clone(), one.clone()]
      return Promise.all(all.map((each) => each.text()))
    },
  },
  {
    title: 'a clone after a redirect knows of it',
    reply: (response, { target }) => {
      if (target === '/') response.writeHead(302, { location: '/end' }).end()
      else response.end('content')
    },
    run: async (fetch, origin) => head((await fetch(origin)).clone()),
  },
  {
    title: 'a null body is cloned as null',
    reply: raw('204 No Content', ['content-length: 0']),
    run: async (fetch, origin) => head((await fetch(origin)).clone()),
  },
  {
    title: 'a used body is not cloned',
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      await response.text()
      return tried(() => response.clone())
    },
  },
  {
    title: 'cancelling one branch leaves the other',
    reply: chunked,
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const clone = response.clone()
      const cancelled = clone.body?.cancel()
      const text = await response.text()
      await cancelled
      return [text, clone.bodyUsed]
    },
  },
  {
    title: 'cancelling both branches closes the connection',
    reply: beginning,
    run: async (fetch, origin, server) => {
      const response = await fetch(origin)
      await Promise.all([response.clone().body?.cancel(), response.body?.cancel()].map((promise) => promise?.catch(nameOf)))
      await server.closed()
      return response.bodyUsed
    },
  },
]

parity('a clone', clones)
