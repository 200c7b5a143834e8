import { scopeOn } from './deadline.ts'
import { looksLikeCredential } from './errors/redact.ts'
import { shownValue } from './errors/redact-text.ts'
import { Exchange } from './exchange.ts'
import { withCacheMode } from './http/cache-mode.ts'
import { replayable, toContent } from './http/content.ts'
import { counted } from './http/counted.ts'
import { filteredFields, mergeFields } from './http/fields.ts'
import { withIdempotencyKey } from './http/idempotency-key.ts'
import { forbidsContent, normaliseMethod } from './http/methods.ts'
import { resolveTarget } from './http/target.ts'
import { textOf } from './http/text.ts'
import { type CallInit, isRequest, readInit } from './init.ts'
import type { Limits } from './limits.ts'
import { resolveCall } from './options/resolve.ts'
import type { CacheMode } from './types/cache.ts'
import type { Asked, ByteStream, Content, Fields } from './types/exchange.ts'
import type { ResolvedOptions, SteadInit } from './types/options.ts'
import type { Terms } from './types/terms.ts'

type Input = string | URL | Request

/**
 * The exchange of one call: its arguments read once, own properties only, and checked before anything is sent.
 *
 * @throws TypeError for a request that cannot be sent.
 */
export function normalise(
  input: Input,
  init: SteadInit | undefined,
  client: ResolvedOptions,
  limits: Limits,
  upgrade?: string,
): Exchange {
  const own = readInit(init)
  const request = isRequest(input) ? input : undefined
  const options = own.options === undefined ? client : resolveCall(client, own.options)
  const { href, origin } = resolveTarget(request?.url ?? (input as string | URL), client.baseUrl)
  const method = normaliseMethod(own.method === undefined ? (request?.method ?? 'GET') : textOf('method', own.method))
  const content = observed(contentOf(own), options)
  const requestStream = content === null && (own.body ?? own.json) === undefined ? streamOf(request) : null
  if ((content !== null || requestStream !== null) && forbidsContent(method))
    throw new TypeError(`a ${method} request cannot have content`)
  const fields = withIdempotencyKey(fieldsOf(own, request, client, origin), method, options.idempotencyKey)
  const asked: Asked = {
    options,
    request: { method, href, origin, fields, content },
    requestStream,
    terms: termsOf(own, request, options.cache === undefined ? undefined : (own.cache ?? request?.cache), upgrade),
    scope: scopeOn(options.clock),
  }
  const signal = signalOf(own.signal === undefined ? request?.signal : own.signal)
  const exchange = new Exchange(asked, limits)
  // The signal is listened to only now that nothing can be refused any more.
  if (signal !== undefined) exchange.follow(signal)
  if (exchange.scope !== undefined && exchange.scope.dueMs <= exchange.startMs) exchange.look(exchange.startMs)
  if (exchange.cancelled) exchange.content?.discard(exchange.reason)
  return exchange
}

const usualTerms: Terms = { redirect: 'follow', cache: 'default', integrity: '', ownTimeout: false, ownMaxDecoded: false }

function termsOf(own: CallInit, request: Request | undefined, cache = 'default', upgrade?: string): Terms {
  const redirect = redirectOf(own.redirect === undefined ? request?.redirect : own.redirect)
  const integrity = own.integrity === undefined ? (request?.integrity ?? '') : textOf('integrity', own.integrity)
  const isUsual = redirect === 'follow' && integrity === '' && cache === 'default' && upgrade === undefined
  if (isUsual && own.options === undefined) return usualTerms
  const { timeoutMs, maxDecodedBytes } = own.options ?? {}
  const ownLimits = { ownTimeout: timeoutMs !== undefined, ownMaxDecoded: maxDecodedBytes !== undefined }
  const terms = { redirect, integrity, ...ownLimits, cache: cache as CacheMode }
  return upgrade === undefined ? terms : { ...terms, upgrade }
}

/** The fields of the call over the client's. The client's credentials go to the origin of its baseUrl alone. */
function fieldsOf(own: CallInit, request: Request | undefined, client: ResolvedOptions, origin: string): Fields {
  const foreign = client.baseUrl !== undefined && client.baseUrl.origin !== origin
  const base = foreign ? filteredFields(client.headers, (name) => !looksLikeCredential(name, client.redact)) : client.headers
  const given = mergeFields(base, own.headers === undefined ? request?.headers : own.headers)
  const mode = own.cache ?? request?.cache
  // A shared cache answers conditions itself, as a proxy would.
  const evaluates = client.cache?.shared === true && (mode === undefined || mode === 'default')
  return (given === base && mode === undefined) || evaluates ? given : withCacheMode(given, mode)
}

/** A source that can be read once is sent only by a call that says so, Fetch standard §5.3. */
function contentOf(own: CallInit): Content | null {
  if (own.json !== undefined) return jsonContent(own)
  const content = toContent(own.body)
  if (content?.replayable !== false || own.duplex === 'half') return content
  throw new TypeError("a stream in body needs the option duplex: 'half'")
}

/** Content of which the caller wants to know how far it has come. */
function observed(content: Content | null, { onUploadProgress }: ResolvedOptions): Content | null {
  return content === null || onUploadProgress === undefined ? content : counted(content, onUploadProgress)
}

/** The content of a Request, which is to be read ahead. */
function streamOf(request: Request | undefined): ByteStream | null {
  if (request === undefined || request.body === null) return null
  if (request.bodyUsed || request.body.locked) throw new TypeError('the content of the Request was read before')
  return request.body as ByteStream
}

function jsonContent(own: CallInit): Content {
  if (own.body !== undefined && own.body !== null) throw new TypeError('body and json cannot both be given')
  const text = jsonText(own.json)
  if (text === undefined) throw new TypeError(`json: a ${typeof own.json} has no JSON form`)
  return replayable(text, 'application/json')
}

/** What a toJSON of the caller throws is thrown as it is. */
function jsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    throw error instanceof TypeError ? new TypeError(`json: ${error.message}`) : error
  }
}

function signalOf(signal: AbortSignal | null | undefined): AbortSignal | undefined {
  if (signal === null || signal === undefined) return undefined
  if (typeof signal !== 'object' || typeof signal.addEventListener !== 'function' || typeof signal.aborted !== 'boolean') {
    throw new TypeError('signal must be an AbortSignal')
  }
  return signal
}

function redirectOf(mode: unknown): Terms['redirect'] {
  if (mode === undefined) return 'follow'
  if (mode === 'follow' || mode === 'manual' || mode === 'error') return mode
  throw new TypeError(`redirect must be one of 'follow', 'manual', 'error', got ${shownValue(mode)}`)
}
