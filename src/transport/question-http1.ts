import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import { fieldOf, withDefault } from '../http/fields.ts'
import { wireFields } from '../http/received.ts'
import type { Content, Fields, HopRequest } from '../types/exchange.ts'
import { endToEndFields, type Question, type Questioner, sizeOf } from './question.ts'

const ofConnection = ['connection', 'close', 'expect', '100-continue']

/** Sends a request up to its content over HTTP/1.1, with the field `Expect` (RFC 9110 §10.1.1). */
export function askHttp1(hop: HopRequest, content: Content, socket: Socket, asker: Questioner): Question {
  const { method, href, origin, fields } = hop
  const host = fieldOf(fields, 'host') ?? new URL(origin).host
  // Node writes the head in the encoding of the socket, and fields are no UTF-8 (RFC 9110 §5.5).
  socket.setDefaultEncoding('latin1')
  const asking = request({
    method,
    path: href.slice(origin.length),
    headers: ['host', host, ...framed(endToEndFields(hop, content), content), ...ofConnection],
    createConnection: () => socket,
  })
  let answer: IncomingMessage | undefined
  const failed = (error: unknown): void => {
    // What happens to the connection after the last byte of the response does not matter.
    if (answer?.complete !== true) asker.onError(error)
  }
  asking.on('socket', () => asker.onSent())
  asking.on('continue', () => asker.onContinue())
  asking.on('information', ({ statusCode, rawHeaders }) => asker.onInformation(statusCode, wireFields(rawHeaders)))
  asking.on('upgrade', ({ statusCode = 0 }) => asker.onSwitch(statusCode))
  asking.on('error', failed)
  asking.on('response', (response) => {
    answer = response
    response.on('error', failed)
    const { statusCode: status = 0, statusMessage: statusText = '', rawHeaders } = response
    asker.onResponse({ status, statusText, fields: wireFields(rawHeaders) }, response)
  })
  return {
    writable: asking,
    destroy() {
      asking.destroy()
      socket.destroy()
    },
  }
}

/** With the field that says where the content ends, RFC 9112 §6. */
function framed(fields: Fields, content: Content): Fields {
  const size = sizeOf(content)
  if (size !== undefined) return withDefault(fields, 'content-length', String(size))
  return fieldOf(fields, 'content-length') === undefined ? [...fields, 'transfer-encoding', 'chunked'] : fields
}
