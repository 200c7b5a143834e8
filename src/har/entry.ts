import { redactUrl } from '../errors/redact.ts'
import { isCoded } from '../http/representation.ts'
import type { Observation } from '../observation.ts'
import type { Fields, Received } from '../types/exchange.ts'
import type { HarContent, HarEntry, HarRequest, HarResponse } from '../types/har.ts'
import { queryOf, requestCookies, responseCookie, shownContent, shownFields, shownReference } from './masking.ts'
import { rounded, timingsOf, totalOf } from './timings.ts'

const unknownType = 'x-unknown'
const unknownVersion = 'unknown'

/** The entry of an attempt, at its end or while it is under way. */
export function entryOf(observation: Observation, withContent: boolean): HarEntry {
  const { beginning, departure, wallTime, error, resent } = observation
  const { call, attempt, waited, isHedge } = beginning
  const timings = timingsOf(observation)
  return {
    startedDateTime: new Date(wallTime).toISOString(),
    time: totalOf(timings),
    request: requestOf(observation, withContent),
    response: responseOf(observation, withContent),
    cache: {},
    timings,
    ...(departure?.address === undefined ? {} : { serverIPAddress: departure.address }),
    ...(departure?.port === undefined ? {} : { connection: String(departure.port), _connectionId: String(departure.port) }),
    _resourceType: 'fetch',
    _call: call,
    _attempt: attempt,
    ...(waited === null ? {} : { _waitMs: rounded(waited.ms), _waitReason: waited.reason }),
    ...(isHedge ? { _hedge: true } : {}),
    ...(resent ? { _resent: true } : {}),
    ...(error === undefined ? {} : { _error: error }),
    ...(observation.endedMs === undefined ? { _underWay: true } : {}),
  }
}

function requestOf({ beginning, departure, sentContent }: Observation, withContent: boolean): HarRequest {
  const { method, href, content, fields: given, granted = [] } = beginning.request
  const { own } = beginning
  const url = redactUrl(href, own)
  const fields = pairsOf(departure?.fields ?? given)
  const mimeType = fieldIn(fields, 'content-type') ?? content?.type ?? unknownType
  const shown = withContent && content !== null ? shownContent(sentContent, mimeType, own) : undefined
  return {
    method,
    url,
    httpVersion: departure?.httpVersion ?? unknownVersion,
    cookies: requestCookies(fieldIn(fields, 'cookie')),
    headers: shownFields(fields, href, { own, granted: granted.flatMap(({ record }) => Object.keys(record)) }),
    queryString: queryOf(url),
    ...(shown === undefined ? {} : { postData: { mimeType, text: '', ...shown } }),
    headersSize: departure?.headBytes ?? -1,
    bodySize: departure?.contentBytes ?? sentContent.size,
  }
}

function responseOf(observation: Observation, withContent: boolean): HarResponse {
  const { beginning, departure, received, error } = observation
  const { request, own } = beginning
  const { href } = request
  const failed = error === undefined ? {} : { _error: error }
  const httpVersion = departure?.httpVersion ?? unknownVersion
  if (received === undefined) return { ...none, httpVersion, ...failed }
  const fields = [...received.headers]
  const bodySize = codedBytes(observation, received)
  return {
    status: received.status,
    statusText: received.statusText,
    httpVersion,
    cookies: received.headers.getSetCookie().map(responseCookie),
    headers: shownFields(fields, href, { own }),
    content: contentOf(observation, received, withContent),
    redirectURL: shownReference(received.field('location'), href, own),
    headersSize: -1,
    bodySize,
    ...(bodySize < 0 ? {} : { _transferSize: bodySize }),
    ...failed,
  }
}

const none = {
  status: 0,
  statusText: '',
  cookies: [],
  headers: [],
  content: { size: 0, mimeType: unknownType },
  redirectURL: '',
  headersSize: -1,
  bodySize: -1,
}

function contentOf(observation: Observation, received: Received, withContent: boolean): HarContent {
  const { beginning, content } = observation
  const mimeType = received.field('content-type') ?? unknownType
  const coded = codedBytes(observation, received)
  return {
    size: content.size,
    ...(isCoded(received) && coded >= 0 ? { compression: content.size - coded } : {}),
    mimeType,
    ...(withContent ? shownContent(content, mimeType, beginning.own) : {}),
  }
}

/** A transport of fetch's shape has taken the codings off. */
function codedBytes({ codedBytes: counted, content }: Observation, received: Received): number {
  if (received.bodiless) return 0
  return counted ?? (isCoded(received) ? -1 : content.size)
}

function pairsOf(fields: Fields): [string, string][] {
  const pairs: [string, string][] = []
  for (let index = 0; index < fields.length; index += 2) pairs.push([fields[index] as string, fields[index + 1] as string])
  return pairs
}

function fieldIn(fields: readonly (readonly [string, string])[], name: string): string | undefined {
  return fields.find(([own]) => own === name)?.[1]
}
