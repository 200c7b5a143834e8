import { type ClientRequest, request } from 'node:http'
import type { Socket } from 'node:net'
import { type buildConnector, errors } from 'undici'
import { fieldOf, filteredFields, withDefault } from '../http/fields.ts'
import type { Bytes } from '../types/body.ts'
import type { ByteStream, Content, Fields, HopRequest } from '../types/exchange.ts'
import { sentFields } from './outgoing.ts'

/**
 * A request of Node's own client that is sent up to its content, with the field `Expect` (RFC 9110 §10.1.1), over a
 * connection of its own.
 */
export function askingRequest(hop: HopRequest, content: Content, connect: buildConnector.connector): ClientRequest {
  const { method, href, origin, fields } = hop
  const url = new URL(origin)
  const host = fieldOf(fields, 'host') ?? url.host
  return request({
    method,
    path: href.slice(origin.length),
    headers: ['host', host, ...framed(filteredFields(sentFields(fields, content), isEndToEnd), content), ...ofConnection],
    createConnection(_options, opened) {
      const { hostname, protocol, port } = url
      connect({ host, hostname: hostname.replace(/^\[(.*)\]$/, '$1'), protocol, port }, (error, socket) => {
        // Node writes the head in the encoding of the socket, and fields are no UTF-8 (RFC 9110 §5.5).
        socket?.setDefaultEncoding('latin1')
        opened(error, socket as Socket)
      })
      return undefined
    },
  })
}

const ofConnection = ['connection', 'close', 'expect', '100-continue']

function isEndToEnd(name: string): boolean {
  return name !== 'host' && name !== 'connection'
}

/** With the field that says where the content ends, RFC 9112 §6. */
function framed(fields: Fields, content: Content): Fields {
  const size = sizeOf(content)
  if (size !== undefined) return withDefault(fields, 'content-length', String(size))
  return fieldOf(fields, 'content-length') === undefined ? [...fields, 'transfer-encoding', 'chunked'] : fields
}

/** Whether a request may ask: it has content (RFC 9110 §10.1.1), of the length that its fields say, if they do. */
export function mayAsk(hop: HopRequest, content: Content): boolean {
  const size = sizeOf(content)
  const length = fieldOf(hop.fields, 'content-length')
  return size !== 0 && (length === undefined || (/^\d+$/.test(length) && (size === undefined || size === Number(length))))
}

/** The parts of a stream, which must come to as many bytes as the fields say, if they do. */
export async function* exactly(hop: HopRequest, source: ByteStream): AsyncGenerator<Bytes> {
  const length = fieldOf(hop.fields, 'content-length')
  let left = length === undefined ? undefined : Number(length)
  for await (const part of source as unknown as AsyncIterable<Bytes>) {
    if (left !== undefined) left -= part.byteLength
    if (left !== undefined && left < 0) break
    yield part
  }
  if (left !== undefined && left !== 0) throw new errors.RequestContentLengthMismatchError()
}

/** Bytes of the content; undefined for a stream. */
function sizeOf(content: Content): number | undefined {
  if (!content.replayable) return undefined
  const source = content.open()
  if (typeof source === 'string') return Buffer.byteLength(source)
  if (source instanceof Blob) return source.size
  if (source instanceof Uint8Array) return source.byteLength
  // Opened to be looked at alone.
  source.cancel().catch(() => {})
  return undefined
}
