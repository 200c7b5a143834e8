import type { RedirectFailure } from '../errors/failures.ts'
import { looksLikeCredential } from '../errors/redact.ts'
import { statusRow } from '../status/table.ts'
import type { Fields, HopRequest } from '../types/exchange.ts'
import type { FollowOptions } from '../types/policy.ts'
import { filteredFields } from './fields.ts'
import { isForbiddenPort } from './ports.ts'
import { hasUserinfo, isHttp, targetOf } from './target.ts'

/** Where a redirect leads: the next request, a refusal, or nowhere because there is no Location. */
export type Redirection =
  | { readonly kind: 'request'; readonly request: HopRequest }
  | { readonly kind: 'refused'; readonly why: RedirectFailure; readonly summary: string }
  | { readonly kind: 'none' }

/** What the Fetch standard drops on the way to another origin, §4.4. */
const standardStrip = new Set(['authorization', 'proxy-authorization', 'cookie', 'host'])
/** Fields that describe content and go with it, RFC 9110 §15.4. */
const contentField = /^content-/

function refused(why: RedirectFailure, summary: string): Redirection {
  return { kind: 'refused', why, summary }
}

/** The request a 3xx response asks for, RFC 9110 §15.4 and §10.2.2. */
export function redirection(request: HopRequest, status: number, location: string | null, options: FollowOptions): Redirection {
  const rule = statusRow(status).redirect ?? 'keeps-request'
  if (location === null) return { kind: 'none' }
  const { href, origin } = request
  // Bytes beyond ASCII are taken for UTF-8, Fetch standard §2.2.6.
  const url = URL.parse(Buffer.from(location, 'latin1').toString('utf8'), href)
  if (url === null) return refused('location', 'redirected to an invalid Location')
  if (!isHttp(url)) return refused('scheme', `redirected to the scheme ${url.protocol}`)
  if (isForbiddenPort(url)) return refused('port', `redirected to the forbidden port ${url.port}`)
  if (hasUserinfo(url)) return refused('credentials', 'redirected to a URL with credentials')
  if (href.startsWith('https:') && url.protocol === 'http:' && options.allowDowngrade !== true) {
    return refused('downgrade', 'redirected from https to http')
  }
  const becomesGet =
    (rule === 'post-becomes-get' && request.method === 'POST') ||
    (rule === 'becomes-get' && request.method !== 'GET' && request.method !== 'HEAD')
  // Even where the content is dropped, Fetch standard §4.4; a 303 is the answer to it.
  if (request.content?.replayable === false && rule !== 'becomes-get') {
    return refused('content', 'redirected, but the content is a one-shot stream')
  }
  const content = becomesGet ? null : request.content
  const sameOrigin = url.origin === origin
  if (content !== null && !sameOrigin && options.replayCrossOrigin !== true) {
    return refused('content', 'redirected with content to another origin')
  }
  const fields = keptFields(request.fields, sameOrigin, becomesGet, options.strip ?? 'credential-like')
  return { kind: 'request', request: { method: becomesGet ? 'GET' : request.method, ...targetOf(url), fields, content } }
}

function keptFields(fields: Fields, sameOrigin: boolean, becomesGet: boolean, strip: FollowOptions['strip']): Fields {
  return filteredFields(fields, (name) => {
    if (becomesGet && contentField.test(name)) return false
    // It names what the POST was to do.
    if (becomesGet && name === 'idempotency-key' && strip !== 'standard') return false
    return sameOrigin || !(standardStrip.has(name) || (strip === 'credential-like' && looksLikeCredential(name)))
  })
}
