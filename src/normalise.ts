import { looksLikeCredential } from './errors/redact.ts'
import { Exchange } from './exchange.ts'
import { toContent } from './http/content.ts'
import { filteredFields, mergeFields, withDefault } from './http/fields.ts'
import { forbidsContent, normaliseMethod } from './http/methods.ts'
import { resolveTarget, targetOf } from './http/target.ts'
import type { Limits } from './limits.ts'
import { resolveCall } from './options/resolve.ts'
import type { ByteStream, Content, Fields } from './types/exchange.ts'
import type { ResolvedOptions, SteadInit } from './types/options.ts'

type Input = string | URL | Request

const nothing: SteadInit = Object.freeze({ __proto__: null }) as SteadInit

/**
 * The exchange of one call: its arguments read once, own properties only, and checked before anything is sent.
 *
 * @throws TypeError for a request that cannot be sent.
 */
export function normalise(input: Input, init: SteadInit | undefined, client: ResolvedOptions, limits: Limits): Exchange {
  const own = init === undefined ? nothing : ({ __proto__: null, ...init } as SteadInit)
  const request = isRequest(input) ? input : undefined
  const options = own === nothing ? client : resolveCall(client, own)
  const url = resolveTarget(request?.url ?? (input as string | URL), client.baseUrl)
  const method = normaliseMethod(String(own.method ?? request?.method ?? 'GET'))
  const given = fieldsOf(own, request, client, url)
  const content = contentOf(own)
  const requestStream = own.body === undefined && own.json === undefined ? streamOf(request) : null
  if ((content !== null || requestStream !== null) && forbidsContent(method))
    throw new TypeError(`a ${method} request cannot have content`)
  const fields = content === null || content.type === null ? given : withDefault(given, 'content-type', content.type)
  const redirectMode = redirectModeOf(own.redirect ?? request?.redirect)
  const signal = signalOf(own.signal === undefined ? request?.signal : own.signal)
  const ownTimeout = own.timeoutMs !== undefined
  const ownMaxDecoded = own.maxDecodedBytes !== undefined
  const { href, origin } = targetOf(url)
  const hop = { method, href, origin, fields, content }
  const exchange = new Exchange({ options, request: hop, requestStream, redirectMode, ownTimeout, ownMaxDecoded }, limits)
  // The signal is listened to only now that nothing can be refused any more.
  if (signal !== undefined) exchange.follow(signal)
  return exchange
}

/** A Request of this platform, or of another copy of it. */
function isRequest(input: unknown): input is Request {
  if (input instanceof Request) return true
  return (
    typeof input === 'object' &&
    input !== null &&
    !(input instanceof URL) &&
    'url' in input &&
    'method' in input &&
    'headers' in input
  )
}

/** The fields of the call over the client's. The client's credentials go to the origin of its baseUrl alone. */
function fieldsOf(own: SteadInit, request: Request | undefined, client: ResolvedOptions, url: URL): Fields {
  const foreign = client.baseUrl !== undefined && client.baseUrl.origin !== url.origin
  const base = foreign ? filteredFields(client.headers, (name) => !looksLikeCredential(name)) : client.headers
  return mergeFields(base, own.headers ?? request?.headers)
}

function contentOf(own: SteadInit): Content | null {
  return own.json === undefined ? toContent(own.body) : jsonContent(own)
}

/** The content of a Request, which is to be read ahead. */
function streamOf(request: Request | undefined): ByteStream | null {
  if (request === undefined || request.body === null) return null
  if (request.bodyUsed) throw new TypeError('the content of the Request was read before')
  return request.body as ByteStream
}

function jsonContent(own: SteadInit): Content {
  if (own.body !== undefined && own.body !== null) throw new TypeError('body and json cannot both be given')
  const text = JSON.stringify(own.json)
  if (text === undefined) throw new TypeError(`json: a ${typeof own.json} has no JSON form`)
  return { ...(toContent(text) as Content), type: 'application/json' }
}

function signalOf(signal: AbortSignal | null | undefined): AbortSignal | undefined {
  if (signal === null || signal === undefined) return undefined
  if (typeof signal !== 'object' || typeof signal.addEventListener !== 'function' || typeof signal.aborted !== 'boolean') {
    throw new TypeError('signal must be an AbortSignal')
  }
  return signal
}

function redirectModeOf(mode: unknown): Exchange['redirectMode'] {
  if (mode === undefined) return 'follow'
  if (mode === 'follow' || mode === 'manual' || mode === 'error') return mode
  throw new TypeError(`redirect must be one of 'follow', 'manual', 'error', got ${JSON.stringify(mode)}`)
}
