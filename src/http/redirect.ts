import type { RedirectFailure } from '../errors/failures.ts'
import { looksLikeCredential } from '../errors/redact.ts'
import { statusRow } from '../status/table.ts'
import type { HopRequest } from '../types/exchange.ts'
import type { FollowOptions } from '../types/policy.ts'
import { type Fields, noFields } from './fields.ts'
import { hasUserinfo, isHttp } from './target.ts'

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
  if (!URL.canParse(location, request.url.href)) return refused('location', 'redirected to an invalid Location')
  const url = new URL(location, request.url)
  if (!isHttp(url)) return refused('scheme', `redirected to the scheme ${url.protocol}`)
  if (hasUserinfo(url)) return refused('credentials', 'redirected to a URL with credentials')
  if (request.url.protocol === 'https:' && url.protocol === 'http:' && options.allowDowngrade !== true) {
    return refused('downgrade', 'redirected from https to http')
  }
  const becomesGet =
    (rule === 'post-becomes-get' && request.method === 'POST') ||
    (rule === 'becomes-get' && request.method !== 'GET' && request.method !== 'HEAD')
  const content = becomesGet ? null : request.content
  const sameOrigin = url.origin === request.url.origin
  if (content !== null && !content.replayable) return refused('content', 'redirected, but the content is a one-shot stream')
  if (content !== null && !sameOrigin && options.replayCrossOrigin !== true) {
    return refused('content', 'redirected with content to another origin')
  }
  const headers = keptFields(request.headers, sameOrigin, becomesGet, options.strip ?? 'credential-like')
  return { kind: 'request', request: { method: becomesGet ? 'GET' : request.method, url, headers, content } }
}

function keptFields(headers: Fields, sameOrigin: boolean, becomesGet: boolean, strip: FollowOptions['strip']): Fields {
  const kept = noFields()
  for (const name of Object.keys(headers)) {
    if (becomesGet && contentField.test(name)) continue
    if (!sameOrigin && (standardStrip.has(name) || (strip === 'credential-like' && looksLikeCredential(name)))) continue
    kept[name] = headers[name] as string
  }
  return kept
}
