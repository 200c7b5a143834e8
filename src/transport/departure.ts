import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import { fieldOf, filteredFields } from '../http/fields.ts'
import type { Departure, Observation } from '../observation.ts'
import type { Attempt, Content, Fields } from '../types/exchange.ts'
import type { ConnectionUse } from './connection-use.ts'
import { endToEndFields } from './question.ts'
import { type Connection, speaksHttp2 } from './tracked-client.ts'

/** Tells of a request that undici writes now. Which fields it adds is known of our own connections alone. */
export function depart(observation: Observation, connection: Connection | undefined, use: ConnectionUse | undefined): void {
  const options = observation.outgoing as Dispatcher.DispatchOptions
  const socket = connection?.socket
  const fields = options.headers as Fields
  if (connection === undefined || socket === undefined) {
    observation.departed({ fields })
    return
  }
  const isHttp2 = speaksHttp2(socket)
  observation.departed({
    ...over(socket),
    ...(isHttp2 ? { fields: http2Fields(options, fields) } : http1Head(options, fields)),
    opening: use?.reused === false ? connection.opening : undefined,
  })
}

/** Tells of a request that asks before its content is sent, on a connection of its own: its fields but for the framing. */
export function departAsking({ observation, request }: Attempt, content: Content, socket: Socket): void {
  if (observation === undefined) return
  const fields = [...endToEndFields(request, content), 'expect', '100-continue']
  observation.departed({ ...over(socket), fields, opening: observation.connection?.opening })
}

/** Chrome DevTools know the later version by the very name of RFC 7540. */
function over(socket: Socket): Omit<Departure, 'fields'> {
  const httpVersion = speaksHttp2(socket) ? 'HTTP/2.0' : 'HTTP/1.1'
  return { httpVersion, address: socket.remoteAddress, port: socket.localPort }
}

/** The fields of one request as undici writes them, in its order, RFC 9112 §3. */
function http1Head(options: Dispatcher.DispatchOptions, given: Fields): { fields: Fields; headBytes: number } {
  const { method, path, upgrade } = options
  const own = filteredFields(given, (name) => name !== 'host' && name !== 'connection' && name !== 'content-length')
  const host = fieldOf(given, 'host') ?? new URL(String(options.origin)).host
  const usual = method === 'HEAD' ? 'close' : 'keep-alive'
  const persistence = upgrade ? ['upgrade', 'upgrade', String(upgrade)] : [fieldOf(given, 'connection') ?? usual]
  const fields = ['host', host, 'connection', ...persistence, ...own, ...framing(options, given)]
  const lines = fields.reduce((sum, part) => sum + part.length + 2, 0)
  return { fields, headBytes: `${method} ${path} HTTP/1.1\r\n`.length + lines + 2 }
}

/** RFC 9113 §8.3.1. */
function http2Fields(options: Dispatcher.DispatchOptions, given: Fields): Fields {
  const { protocol, host } = new URL(String(options.origin))
  const own = filteredFields(given, (name) => name !== 'host' && name !== 'connection' && name !== 'content-length')
  const framed = framing(options, given)
  return [
    ...[':authority', fieldOf(given, 'host') ?? host, ':method', options.method, ':path', options.path],
    ...[':scheme', protocol.slice(0, -1), ...own, ...(framed[0] === 'content-length' ? framed : [])],
  ]
}

/** The field that says where the content ends, RFC 9112 §6. */
function framing({ method, body }: Dispatcher.DispatchOptions, given: Fields): Fields {
  const length = lengthOf(body) ?? fieldOf(given, 'content-length')
  if (length === undefined) return ['transfer-encoding', 'chunked']
  return Number(length) > 0 || expectingContent.has(method) ? ['content-length', String(length)] : []
}

/** Of those undici says, too, that they have none. */
const expectingContent = new Set(['POST', 'PUT', 'PATCH', 'QUERY', 'PROPFIND', 'PROPPATCH'])

function lengthOf(body: unknown): number | undefined {
  if (body === null || body === undefined) return 0
  if (typeof body === 'string') return Buffer.byteLength(body)
  return body instanceof Uint8Array ? body.byteLength : undefined
}
