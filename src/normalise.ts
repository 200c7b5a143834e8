import { Cancellation } from './cancellation.ts'
import { looksLikeCredential, redactUrl } from './errors/redact.ts'
import { toContent } from './http/content.ts'
import { type Fields, mergeFields, noFields } from './http/fields.ts'
import { forbidsContent, normaliseMethod } from './http/methods.ts'
import { resolveTarget } from './http/target.ts'
import { resolveCall } from './options/resolve.ts'
import type { Content, Exchange } from './types/exchange.ts'
import type { ResolvedOptions, SteadInit } from './types/options.ts'

type Input = string | URL | Request

/**
 * The exchange of one call: its arguments read once, own properties only, and checked before anything is sent.
 *
 * @throws TypeError for a request that cannot be sent.
 */
export function normalise(input: Input, init: SteadInit, client: ResolvedOptions): Exchange {
  const own: SteadInit = { __proto__: null, ...init } as SteadInit
  const request = isRequest(input) ? input : undefined
  const options = resolveCall(client, own)
  const url = resolveTarget(request?.url ?? (input as string | URL), client.baseUrl)
  const method = normaliseMethod(String(own.method ?? request?.method ?? 'GET'))
  const headers = fieldsOf(own, request, client, url)
  const content = contentOf(own)
  const requestStream = own.body === undefined && own.json === undefined ? streamOf(request) : null
  if ((content !== null || requestStream !== null) && forbidsContent(method))
    throw new TypeError(`a ${method} request cannot have content`)
  if (content?.type != null) headers['content-type'] ??= content.type
  const redirectMode = redirectModeOf(own.redirect ?? request?.redirect)
  // The signal is listened to only once nothing can be refused any more.
  const cancellation = cancellationOf(own.signal === undefined ? request?.signal : own.signal)
  const ownTimeout = own.timeoutMs !== undefined
  return newExchange({
    options,
    cancellation,
    redirectMode,
    ownTimeout,
    requestStream,
    request: { method, url, headers, content },
  })
}

type Given = Pick<Exchange, 'options' | 'cancellation' | 'redirectMode' | 'ownTimeout' | 'requestStream' | 'request'>

function newExchange(given: Given): Exchange {
  const { clock, timeoutMs } = given.options
  const startMs = clock.now()
  const exchange: Exchange = {
    ...given,
    content: given.request.content,
    startMs,
    deadlineMs: timeoutMs === false ? Number.POSITIVE_INFINITY : startMs + timeoutMs,
    attempts: [],
    redirects: [],
    retries: 0,
    waited: null,
    notRepeated: null,
    facts: () => ({
      request: { method: exchange.request.method, url: redactUrl(exchange.request.url) },
      attempts: exchange.attempts.length,
      elapsedMs: Math.round(clock.now() - startMs),
    }),
  }
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
  const headers = noFields()
  const foreign = client.baseUrl !== undefined && client.baseUrl.origin !== url.origin
  for (const name of Object.keys(client.headers)) {
    if (!foreign || !looksLikeCredential(name)) headers[name] = client.headers[name] as string
  }
  return mergeFields(headers, own.headers ?? request?.headers)
}

function contentOf(own: SteadInit): Content | null {
  return own.json === undefined ? toContent(own.body) : jsonContent(own)
}

/** The content of a Request, which is to be read ahead. */
function streamOf(request: Request | undefined): Exchange['requestStream'] {
  if (request === undefined || request.body === null) return null
  if (request.bodyUsed) throw new TypeError('the content of the Request was read before')
  return request.body as ReadableStream<Uint8Array<ArrayBuffer>>
}

function jsonContent(own: SteadInit): Content {
  if (own.body !== undefined && own.body !== null) throw new TypeError('body and json cannot both be given')
  const text = JSON.stringify(own.json)
  if (text === undefined) throw new TypeError(`json: a ${typeof own.json} has no JSON form`)
  return { ...(toContent(text) as Content), type: 'application/json' }
}

function cancellationOf(signal: AbortSignal | null | undefined): Cancellation {
  const cancellation = new Cancellation()
  if (signal === null || signal === undefined) return cancellation
  if (typeof signal !== 'object' || typeof signal.addEventListener !== 'function' || typeof signal.aborted !== 'boolean') {
    throw new TypeError('signal must be an AbortSignal')
  }
  cancellation.followSignal(signal)
  return cancellation
}

function redirectModeOf(mode: unknown): Exchange['redirectMode'] {
  if (mode === undefined) return 'follow'
  if (mode === 'follow' || mode === 'manual' || mode === 'error') return mode
  throw new TypeError(`redirect must be one of 'follow', 'manual', 'error', got ${JSON.stringify(mode)}`)
}
