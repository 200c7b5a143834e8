import { type Case, head, nameOf, outcome, parity, type Reply, raw, settled } from '../support/parity.ts'

const fetched = (title: string, reply: Reply): Case => ({ title, reply, run: (fetch, origin) => outcome(fetch(origin)) })

const before: readonly Case[] = [
  {
    title: 'a refused connection',
    run: (fetch) => outcome(fetch('http://127.0.0.1:2/')),
  },
  {
    title: 'a refused connection: the cause has the code of the system',
    run: async (fetch) => {
      const error = await fetch('http://127.0.0.1:2/').catch((caught) => caught)
      return [error instanceof TypeError, error.cause?.code]
    },
  },
  fetched('the connection is reset before the response', (response) => response.socket?.resetAndDestroy()),
  fetched('the connection is closed before the response', (response) => response.socket?.destroy()),
  fetched('the connection is closed in the status line', 'HTTP/1.1 2'),
  fetched('the connection is closed in the fields', 'HTTP/1.1 200 OK\r\nx-field: a'),
  fetched('an answer that is no HTTP', 'garbage\r\n\r\n'),
  fetched('an answer of another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'),
  fetched('a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'),
  fetched('a status that is no number', 'HTTP/1.1 abc OK\r\n\r\n'),
  fetched('a field without a colon', 'HTTP/1.1 200 OK\r\nx-field\r\n\r\n'),
  fetched('a field with white space in its name', 'HTTP/1.1 200 OK\r\nx field: a\r\n\r\n'),
  fetched('a Content-Length that is no number', 'HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n'),
  fetched('a negative Content-Length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'),
  fetched('two Content-Lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'),
  fetched('Content-Length beside chunked', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
  fetched('fields of more than 16 KiB', raw('200 OK', [`x-field: ${'a'.repeat(20_000)}`])),
  fetched('an unrequested 101', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
  fetched('HTTP/0.9', '<html>content</html>'),
  fetched('HTTP/1.0 without a length is read to its end', 'HTTP/1.0 200 OK\r\n\r\ncontent'),
  fetched('HTTP/1.1 without a length is read to its end', 'HTTP/1.1 200 OK\r\n\r\ncontent'),
  fetched('bytes after the content are ignored', raw('200 OK', ['content-length: 3'], 'content')),
  fetched('a 102 before the response is skipped', `HTTP/1.1 102 Processing\r\n\r\n${raw('200 OK', [], 'content')}`),
]

const length = raw('200 OK', ['content-length: 100'], 'content')
const chunked = raw('200 OK', ['transfer-encoding: chunked'], '7\r\ncontent\r\n')
const cutShort = (
  [
    ['a content shorter than its length', length],
    ['chunked content without its end', chunked],
    ['chunked content cut within a chunk', raw('200 OK', ['transfer-encoding: chunked'], '20\r\ncontent')],
    ['a chunk size that is none', raw('200 OK', ['transfer-encoding: chunked'], '7\r\ncontent\r\nx\r\n')],
  ] as const
).flatMap(([title, reply]): Case[] => [
  ...(['text', 'json', 'bytes', 'blob'] as const).map(
    (name): Case => ({
      title: `${title}, read by ${name}()`,
      reply,
      run: async (fetch, origin) => {
        const response = await fetch(origin)
        return [await settled(response[name]()), response.bodyUsed, await settled(response.text())]
      },
    }),
  ),
  {
    title: `${title}, read as a stream`,
    reply,
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      let text = ''
      try {
        for await (const part of response.body ?? []) text += Buffer.from(part).toString()
      } catch (error) {
        return [text, nameOf(error), response.bodyUsed]
      }
      return [text, 'read to the end']
    },
  },
  {
    title: `${title}, read by a clone`,
    reply,
    run: async (fetch, origin) => {
      const response = await fetch(origin)
      const clone = response.clone()
      return Promise.all([settled(response.text()), settled(clone.text())])
    },
  },
])

const later: readonly Case[] = [
  {
    title: 'the connection is reset in the middle of the content',
    reply: (response) => {
      response.write('first')
      setTimeout(() => response.socket?.resetAndDestroy(), 20)
    },
    run: (fetch, origin) => outcome(fetch(origin)),
  },
  {
    title: 'a body that fails unread troubles nobody',
    reply: (response) => {
      response.write('first')
      setTimeout(() => response.socket?.destroy(), 5)
    },
    run: async (fetch, origin, server) => {
      const response = await fetch(origin)
      await server.closed()
      return head(response)
    },
  },
  {
    title: 'the request fails while its content is sent',
    reply: 'HTTP/1.1 200 OK\r\n',
    run: (fetch, origin) => outcome(fetch(origin, { method: 'POST', body: 'content' })),
  },
  {
    title: 'an early answer to a stream is delivered',
    reply: raw('413 Content Too Large', [], 'content'),
    run: (fetch, origin) => outcome(fetch(origin, { method: 'POST', body: new Blob(['content']).stream(), duplex: 'half' })),
  },
  {
    title: 'nothing is repeated',
    reply: (response) => response.socket?.destroy(),
    run: async (fetch, origin, server) => [await outcome(fetch(origin)), server.received.length],
  },
]

parity('no response', before)
parity('a response cut short', cutShort)
parity('failures under way', later)
