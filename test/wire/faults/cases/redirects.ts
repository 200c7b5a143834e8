import type { IncomingMessage } from 'node:http'
import { complaint, type Fault, fault, pause } from '../fault.ts'

const group = 'redirects'
const refused = (kind?: string) => ({ fails: { name: 'RedirectError', ...(kind === undefined ? {} : { kind }) } })

/** One redirect to this place, of which nothing may come. */
const refusing = (name: string, location: string | ((port: number) => string), kind?: string): Fault =>
  fault(group, name, async ({ client, limitMs, http, ours }) => {
    let port = 0
    const place = await http(({ url }, response) => {
      if (url !== '/first') response.end('followed')
      else response.writeHead(302, { location: typeof location === 'string' ? location : location(port) }).end()
    })
    port = place.port
    return complaint(await client.send(`${place.origin}/first`, { limitMs }), refused(kind), ours)
  })

/** A redirect with this status to another origin; what arrives there. */
const across = (
  name: string,
  status: number,
  ask: object,
  wrong: (there: IncomingMessage, content: string) => string | undefined,
): Fault =>
  fault(group, name, async ({ client, limitMs, http }) => {
    let complaintThere: string | undefined
    const there = await http(async (request, response) => {
      let content = ''
      for await (const part of request) content += part
      complaintThere ??= wrong(request, content)
      response.end('there')
    })
    const here = await http((request, response) => {
      request.resume().on('end', () => response.writeHead(status, { location: there.origin }).end())
    })
    await client.send(here.origin, { limitMs, ...ask })
    await pause(20)
    return complaintThere
  })

const secretFields = ['authorization', 'cookie', 'x-api-key', 'proxy-authorization', 'x-auth-token', 'x-csrf-token']

/** Redirects, RFC 9110 §15.4. */
export const redirects: readonly Fault[] = [
  fault(group, 'a loop', async ({ client, limitMs, http, ours }) => {
    const { origin, received } = await http(({ url }, response) =>
      response.writeHead(302, { location: url === '/a' ? '/b' : '/a' }).end(),
    )
    const result = await client.send(`${origin}/a`, { limitMs })
    return received.length > 25 ? `${received.length} requests` : complaint(result, refused('too many'), ours)
  }),
  fault(group, 'to itself', async ({ client, limitMs, http, ours }) => {
    const { origin, received } = await http((_request, response) => response.writeHead(302, { location: '/' }).end())
    const result = await client.send(origin, { limitMs })
    return received.length > 25 ? `${received.length} requests` : complaint(result, refused('too many'), ours)
  }),
  fault(group, 'back to where it came from, with a cookie that changes it', async ({ client, limitMs, http, ours }) => {
    const { origin } = await http((_request, response, count) =>
      count < 3 ? response.writeHead(302, { location: '/' }).end() : response.end('there'),
    )
    return complaint(await client.send(origin, { limitMs }), { gets: 'there' }, ours)
  }),
  ...([20, 21] as const).map((hops) =>
    fault(group, `${hops} of them`, async ({ client, limitMs, http, ours }) => {
      const { origin } = await http((_request, response, count) =>
        count <= hops ? response.writeHead(302, { location: `/${count}` }).end() : response.end('there'),
      )
      const result = await client.send(origin, { limitMs })
      if (hops === 20) return ours ? complaint(result, { gets: 'there' }, true) : undefined
      return ours ? complaint(result, refused('too many'), true) : undefined
    }),
  ),
  refusing('to ftp:', 'ftp://127.0.0.1/file', 'scheme'),
  refusing('to file:', 'file:///etc/passwd', 'scheme'),
  refusing('to javascript:', 'javascript:alert(1)', 'scheme'),
  refusing('to data:', 'data:text/plain,followed', 'scheme'),
  refusing('to a URL with credentials', (port) => `http://user:password@127.0.0.1:${port}/`, 'credentials'),
  refusing('to a host that is none', 'http://[::1', 'location'),
  refusing('to a port that fetch forbids', 'http://127.0.0.1:25/', 'port'),
  fault(group, 'to another host without a scheme', async ({ client, limitMs, http, ours }) => {
    const there = await http(({ headers }, response) => response.end(String(headers.authorization)))
    const here = await http((_request, response) =>
      response.writeHead(302, { location: there.origin.slice('http:'.length) }).end(),
    )
    const result = await client.send(here.origin, { limitMs, headers: { authorization: 'Bearer secret' } })
    return complaint(result, { gets: 'undefined' }, ours)
  }),
  fault(group, 'without a Location', async ({ client, limitMs, http, ours }) => {
    const { origin } = await http((_request, response) => response.writeHead(302).end('no place'))
    return complaint(
      await client.send(origin, { limitMs }),
      [{ status: 302, gets: 'no place' }, { fails: { name: 'RedirectError' } }],
      ours,
    )
  }),
  fault(group, 'with two different Locations', async ({ client, limitMs, raw, ours }) => {
    const { origin } = await raw((socket, piece) =>
      socket.end(
        piece.includes(' / ')
          ? 'HTTP/1.1 302 Found\r\nlocation: /a\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n'
          : 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n',
      ),
    )
    return complaint(await client.send(origin, { limitMs }), { fails: {} }, ours)
  }),
  fault(group, 'from https to http', async ({ client, limitMs, tls, http, ours }) => {
    const { pem } = await import('../../../support/tls.ts')
    const there = await http((_request, response) => response.end('in the clear'))
    const { origin } = await tls((socket) =>
      socket.end(`HTTP/1.1 302 Found\r\nlocation: ${there.origin}\r\ncontent-length: 0\r\n\r\n`),
    )
    const result = await client.send(origin, { limitMs, ca: pem('ca') })
    return there.received.length > 0 ? 'followed' : complaint(result, refused('downgrade'), ours)
  }),
  ...secretFields.map((name) =>
    across(`${name} is not sent to another origin`, 302, { headers: { [name]: 'secret' } }, ({ headers }) =>
      Object.values(headers).some((value) => String(value).includes('secret')) ? `${name} was sent` : undefined,
    ),
  ),
  ...([307, 308] as const).map((status) =>
    across(
      `${status}: the content of a POST is not sent to another origin`,
      status,
      { method: 'POST', body: 'the secret content' },
      (_there, content) => (content === '' ? undefined : 'the content was sent'),
    ),
  ),
  ...([301, 302, 303] as const).map((status) =>
    across(
      `${status}: a POST becomes a GET without content and its fields`,
      status,
      { method: 'POST', body: 'content', headers: { 'content-type': 'text/x' } },
      ({ method, headers }, content) =>
        method === 'GET' && content === '' && headers['content-type'] === undefined && headers['content-length'] === undefined
          ? undefined
          : `${method} ${content} ${headers['content-type']}`,
    ),
  ),
  fault(group, '307: a stream that was sent is never sent empty', async ({ client, limitMs, http, ours }) => {
    const contents: string[] = []
    const { origin } = await http(async (request, response) => {
      let content = ''
      for await (const part of request) content += part
      contents.push(content)
      if (request.url === '/') response.writeHead(307, { location: '/next' }).end()
      else response.end('there')
    })
    const stream = async function* () {
      yield Buffer.from('the stream')
    }
    const result = await client.send(origin, { method: 'POST', stream, limitMs })
    return contents.slice(1).some((content) => content !== 'the stream')
      ? 'sent again, and empty'
      : complaint(result, [refused('content'), { gets: 'there' }], ours)
  }),
  fault(group, '303 to a HEAD stays a HEAD', async ({ client, limitMs, http }) => {
    const methods: (string | undefined)[] = []
    const { origin } = await http(({ method }, response, count) => {
      methods.push(method)
      if (count === 1) response.writeHead(303, { location: '/next' }).end()
      else response.end()
    })
    await client.send(origin, { method: 'HEAD', limitMs })
    return methods.join() === 'HEAD,HEAD' ? undefined : methods.join()
  }),
]
