import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** Bytes that are written to the socket as they are, or a function that answers. */
export type Reply = string | Buffer | ((response: ServerResponse, received: Received, server: ParityServer) => void)

/** One request as the server got it. */
export interface Received {
  readonly method: string
  readonly target: string
  /** Name in lower case and value as sent, sorted, without what is ignored. */
  readonly fields: readonly (readonly [string, string])[]
  /** One character for each byte. */
  readonly body: string
}

/** Two origins that answer alike. */
export interface ParityServer {
  readonly origin: string
  readonly other: string
  readonly received: Received[]
  /** Resolves when there is a connection. */
  connected(): Promise<void>
  /** Resolves when every connection so far is closed. */
  closed(): Promise<void>
}

/** What the two send of their own accord, where it tells the server nothing that matters. */
const ignored: Readonly<Record<string, RegExp>> = {
  // Every media type and every language is what is acceptable without the fields, too.
  accept: /^\*\/\*$/,
  'accept-language': /^\*$/,
  // Each asks for what it can decode itself.
  'accept-encoding': /^(?:gzip|deflate|br|zstd|, )+$/,
  // For servers that defend browsers against other sites.
  'sec-fetch-mode': /^(?:cors|no-cors|same-origin)$/,
  // The name of the client.
  'user-agent': /^(?:node|steadfetch)$/,
  // What HTTP/1.1 does anyway.
  connection: /^keep-alive$/,
}

/** A response of these bytes on a connection that is closed after it; its length is given unless the fields say otherwise. */
export function raw(statusLine: string, fields: readonly string[] = [], body: string | Buffer = ''): Buffer {
  const framed = fields.some((field) => /^(?:content-length|transfer-encoding):/i.test(field))
  const length = framed ? [] : [`content-length: ${Buffer.byteLength(body, 'latin1')}`]
  const head = `HTTP/1.1 ${statusLine}\r\n${[...fields, ...length, 'connection: close'].join('\r\n')}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), typeof body === 'string' ? Buffer.from(body, 'latin1') : body])
}

/** A server that keeps every request whole, then replies. */
export async function parityServer(reply: Reply): Promise<ParityServer & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const received: Received[] = []
  const servers = [0, 1].map(() => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const [origin = '', other = ''] = servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const connected = (): Promise<void> => until(() => sockets.size > 0)
  const closed = (): Promise<void> => until(() => sockets.size === 0)
  const state: ParityServer = { origin, other, received, connected, closed }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = []
    response.sendDate = false
    try {
      for await (const part of request) parts.push(part as Buffer)
    } catch {
      return
    }
    const kept = receivedOf(request, Buffer.concat(parts))
    received.push(kept)
    if (typeof reply === 'function') reply(response, kept, state)
    else request.socket.end(reply, 'latin1')
  }
  for (const server of servers) {
    server.on('request', answer)
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    })
  }
  const dispose = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
  return Object.assign(state, { [Symbol.asyncDispose]: dispose })
}

/** The boundary of multipart content is chance, and so is its length: both are taken out, and the line break at its end. */
function receivedOf({ method = '', url = '', rawHeaders }: IncomingMessage, content: Buffer): Received {
  const pairs = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] as string] as const] : [],
  )
  const type = pairs.find(([name]) => name === 'content-type')?.[1] ?? ''
  const boundary = /^multipart\/form-data; boundary=(.*)$/.exec(type)?.[1]
  const plain = (text: string): string => (boundary === undefined ? text : text.replaceAll(boundary, 'BOUNDARY').trimEnd())
  const told = (name: string, value: string): string =>
    boundary !== undefined && name === 'content-length' && value === String(content.length) ? 'as long as it is' : plain(value)
  const fields = pairs
    .filter(([name, value]) => !(Object.hasOwn(ignored, name) && ignored[name]?.test(value)))
    .map(([name, value]) => [name, told(name, value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
  return { method, target: url, fields, body: plain(content.toString('latin1')) }
}
