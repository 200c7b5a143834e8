import { connect } from 'node:http2'
import type { Socket } from 'node:net'
import { fieldOf, withDefault } from '../http/fields.ts'
import { type WireFields, wireFields } from '../http/received.ts'
import type { Content, HopRequest } from '../types/exchange.ts'
import { guardStream } from './h2-session.ts'
import { endToEndFields, type Question, type Questioner, sizeOf } from './question.ts'

/** Sends a request up to its content over HTTP/2, with the field `Expect` (RFC 9113 §8.1, RFC 9110 §10.1.1). */
export function askHttp2(hop: HopRequest, content: Content, socket: Socket, asker: Questioner): Question {
  const session = connect(hop.origin, { createConnection: () => socket, settings: { enablePush: false } })
  const stream = session.request(fieldsOf(hop, content), { endStream: false })
  guardStream(stream, () => {})
  let ended = false
  const failed = (error: Error): void => {
    if (!ended) asker.onError(Object.assign(error, { http2ErrorCode: stream.rstCode }))
  }
  stream.on('continue', () => asker.onContinue())
  stream.on('headers', (fields, _flags, raw) => asker.onInformation(statusIn(fields), ofResponse(raw)))
  stream.on('response', (fields, _flags, raw) => {
    asker.onResponse({ status: statusIn(fields), statusText: '', fields: ofResponse(raw) }, stream)
  })
  stream.on('end', () => {
    ended = true
  })
  stream.on('error', failed)
  session.on('error', failed)
  // A connection that is closed in good order tells the stream of no error.
  stream.on('close', () => failed(Object.assign(new Error('HTTP/2: the stream was closed'), { code: 'ECONNRESET' })))
  // The connection is there already; of an identifier of the stream Node may tell after all else.
  asker.onSent()
  return {
    writable: stream,
    destroy() {
      session.destroy()
      // A session that was told to go away ends its half of the connection alone, and waits for a server that may never close.
      socket.destroy()
    },
  }
}

/** The request as a header section of HTTP/2, RFC 9113 §8.3.1. */
function fieldsOf(hop: HopRequest, content: Content): string[] {
  const { method, href, origin, fields } = hop
  const { protocol, host } = new URL(origin)
  const size = sizeOf(content)
  const own = endToEndFields(hop, content)
  return [
    ...[':method', method, ':scheme', protocol.slice(0, -1), ':authority', fieldOf(fields, 'host') ?? host],
    ...[':path', href.slice(origin.length), ...(size === undefined ? own : withDefault(own, 'content-length', String(size)))],
    ...['expect', '100-continue'],
  ]
}

function statusIn(fields: { readonly ':status'?: number | undefined }): number {
  return fields[':status'] ?? 0
}

/** Without the pseudo-fields. */
function ofResponse(raw: readonly string[]): WireFields {
  return wireFields(raw.filter((_part, index) => !raw[index - (index % 2)]?.startsWith(':')))
}
