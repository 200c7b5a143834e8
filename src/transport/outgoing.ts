import type { Dispatcher } from 'undici'
import { fieldOf, fieldsWith, withDefault } from '../http/fields.ts'
import type { Content, Fields, HopRequest } from '../types/exchange.ts'
import { acceptEncoding } from './codings.ts'

/** The fields of a client are the same in most of its calls, and so is what becomes of them. */
let latest: { readonly given: Fields; readonly type: string | null; readonly sent: Fields } = { given: [], type: null, sent: [] }

/** A request as undici dispatches it. Its own time limits are off: steadfetch has one clock for all. */
export function outgoing({ method, href, origin, fields, content }: HopRequest): Dispatcher.DispatchOptions {
  let headers = sentFields(fields, content)
  let body = content?.open() ?? null
  if (body instanceof Blob) {
    headers = withDefault(headers, 'content-length', String(body.size))
    body = body.stream()
  } else if (content?.size !== undefined) headers = withDefault(headers, 'content-length', String(content.size))
  else if (content === null && (method === 'POST' || method === 'PUT')) {
    headers = withDefault(headers, 'content-length', '0')
  }
  return {
    __proto__: null,
    origin,
    // Without userinfo and fragment, what follows the origin is path and query.
    path: href.slice(origin.length),
    method,
    headers: headers as string[],
    body: body as Dispatcher.DispatchOptions['body'] & {},
    headersTimeout: 0,
    bodyTimeout: 0,
  } as Dispatcher.DispatchOptions
}

/** With the codings we can undo asked for; a range is one of the content as it is stored, so it is asked for as that. */
export function sentFields(given: Fields, content: Content | null): Fields {
  const type = content?.type ?? null
  if (given === latest.given && type === latest.type) return latest.sent
  const coding = fieldOf(given, 'range') === undefined ? acceptEncoding : 'identity'
  const sent = withDefault(fieldsWith(given, content), 'accept-encoding', coding)
  latest = { given, type, sent }
  return sent
}
