import type { Dispatcher } from 'undici'
import { noFields } from '../http/fields.ts'
import type { HopRequest } from '../types/exchange.ts'
import { acceptEncoding } from './decode.ts'

/** A request as undici dispatches it. Its own time limits are off: steadfetch has one clock for all. */
export function outgoing(request: HopRequest): Dispatcher.DispatchOptions {
  const { url, method, content } = request
  const headers = Object.assign(noFields(), request.headers)
  headers['accept-encoding'] ??= headers.range === undefined ? acceptEncoding : 'identity'
  let body = content?.open() ?? null
  if (body instanceof Blob) {
    headers['content-length'] ??= String(body.size)
    body = body.stream()
  } else if (content === null && (method === 'POST' || method === 'PUT')) {
    headers['content-length'] ??= '0'
  }
  return {
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers,
    body: body as Dispatcher.DispatchOptions['body'] & {},
    headersTimeout: 0,
    bodyTimeout: 0,
  }
}
