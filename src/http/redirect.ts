import type { RedirectFailure } from '../errors/failures.ts'
import { looksLikeCredential } from '../errors/redact.ts'
import { statusRow } from '../status/table.ts'
import type { Fields, HopRequest } from '../types/exchange.ts'
import type { FollowOptions } from '../types/policy.ts'
import type { OwnNames } from '../types/redact.ts'
import { filteredFields } from './fields.ts'
import { isForbiddenPort } from './ports.ts'
import { hasUserinfo, isHttp, shownScheme, targetOf } from './target.ts'

/** Where a redirect leads: the next request, a refusal, or nowhere because there is no Location. */
export type Redirection = { readonly kind: 'request'; readonly request: HopRequest } | Refused | { readonly kind: 'none' }

/** Why it must not be followed. */
export interface Refused {
  readonly kind: 'refused'
  readonly why: RedirectFailure
  readonly summary: string
}

/** What the Fetch standard drops on the way to another origin, §4.4. */
const standardStrip = new Set(['authorization', 'proxy-authorization', 'cookie', 'host'])
/** Fields that describe content and go with it, RFC 9110 §15.4. */
const contentField = /^content-/

function refused(why: RedirectFailure, summary: string): Refused {
  return { kind: 'refused', why, summary }
}

/** The request a 3xx response asks for, RFC 9110 §15.4 and §10.2.2. */
export function redirection(
  request: HopRequest,
  status: number,
  location: string | null,
  options: FollowOptions,
  own?: OwnNames,
): Redirection {
  const rule = statusRow(status).redirect ?? 'keeps-request'
  if (location === null) return { kind: 'none' }
  const url = destination(request.href, location, options.allowDowngrade === true, 'redirected')
  if (!(url instanceof URL)) return url
  const becomesGet =
    (rule === 'post-becomes-get' && request.method === 'POST') ||
    (rule === 'becomes-get' && request.method !== 'GET' && request.method !== 'HEAD')
  // Even where the content is dropped, Fetch standard §4.4; a 303 is the answer to it.
  if (request.content?.replayable === false && rule !== 'becomes-get') {
    return refused('content', 'redirected, but the content is a one-shot stream')
  }
  const content = becomesGet ? null : request.content
  const sameOrigin = staysAt(request, url.origin)
  if (content !== null && !sameOrigin && options.replayCrossOrigin !== true) {
    return refused('content', 'redirected with content to another origin')
  }
  const fields = keptFields(request.fields, sameOrigin, becomesGet, options.strip ?? 'credential-like', own)
  return { kind: 'request', request: { method: becomesGet ? 'GET' : request.method, ...targetOf(url), fields, content } }
}

/** Whether an origin is that of the request: by its own name, or by that of the service whose endpoint it was sent to. */
export function staysAt({ origin, service }: HopRequest, next: string): boolean {
  return next === origin || next === service
}

/** Where a Location leads that was given for `from`; `how` begins the words of a refusal. */
export function destination(from: string, location: string, allowDowngrade: boolean, how: string): URL | Refused {
  // Bytes beyond ASCII are taken for UTF-8, Fetch standard §2.2.6.
  const url = URL.parse(Buffer.from(location, 'latin1').toString('utf8'), from)
  if (url === null) return refused('location', `${how} to an invalid Location`)
  if (!isHttp(url)) return refused('scheme', `${how} to the scheme ${shownScheme(url)}`)
  if (isForbiddenPort(url)) return refused('port', `${how} to the forbidden port ${url.port}`)
  if (hasUserinfo(url)) return refused('credentials', `${how} to a URL with credentials`)
  if (from.startsWith('https:') && url.protocol === 'http:' && !allowDowngrade) {
    return refused('downgrade', `${how} from https to http`)
  }
  return url
}

/** The fields that are sent to where a response leads: those of content only with it, credentials only to the same origin. */
export function keptFields(
  fields: Fields,
  sameOrigin: boolean,
  becomesGet: boolean,
  strip: FollowOptions['strip'],
  own?: OwnNames,
): Fields {
  return filteredFields(fields, (name) => {
    if (becomesGet && contentField.test(name)) return false
    // It names what the POST was to do.
    if (becomesGet && name === 'idempotency-key' && strip !== 'standard') return false
    return sameOrigin || !(standardStrip.has(name) || (strip === 'credential-like' && looksLikeCredential(name, own)))
  })
}
