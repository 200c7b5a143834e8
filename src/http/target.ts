import { redactUrl } from '../errors/redact.ts'
import type { HopRequest } from '../types/exchange.ts'
import { isForbiddenPort } from './ports.ts'

/** The base with its path as a folder, so that nothing of it is lost when a target is resolved against it. */
export function asFolder(base: URL): URL {
  const folder = new URL(base)
  if (!folder.pathname.endsWith('/')) folder.pathname += '/'
  folder.search = ''
  folder.hash = ''
  return folder
}

/** Where a request goes: the URL without a fragment, and its origin. */
export type Target = Pick<HopRequest, 'href' | 'origin'>

/** Path and query that parsing leaves as they are: nothing to percent-encode, and no fragment. */
const plain = /^[\w\-.~!$&()*+,;=:@/]*(?:\?[\w\-.~!$&()*+,;=:@/?%]*)?$/
const dotSegment = /(?:^|\/)\.\.?(?:[/?]|$)/
/** Origins that were found by parsing, in their canonical form; bounded. */
const knownOrigins = new Map<string, string>()
const maxKnownOrigins = 1_000

/**
 * The absolute target of a call.
 *
 * @throws TypeError for an invalid one, one with userinfo (Fetch standard §5.4), a forbidden port or another scheme.
 */
export function resolveTarget(input: string | URL, base: URL | undefined): Target {
  const text = String(input)
  const quick = plainTarget(text, base)
  if (quick !== undefined) return quick
  const url = URL.parse(text, base?.href)
  if (url === null) {
    const hint = base === undefined && !/^[a-z][a-z0-9+.-]*:/i.test(text) ? '; a relative target needs the option baseUrl' : ''
    throw new TypeError(`the target is not a valid URL${hint}`)
  }
  if (isLocal(url)) return targetOf(url)
  if (!isHttp(url)) {
    throw new TypeError(`the scheme ${JSON.stringify(shownScheme(url))} cannot be fetched; http:, https:, data: and blob: can`)
  }
  if (isForbiddenPort(url)) throw forbiddenPort(url)
  if (hasUserinfo(url))
    throw new TypeError(`the target ${redactUrl(url)} has credentials in it; send them in the Authorization field`)
  if (knownOrigins.size >= maxKnownOrigins) knownOrigins.clear()
  knownOrigins.set(url.origin, url.origin)
  return targetOf(url)
}

/** A target at a known origin, or below the base, that parsing would not change: it need not be parsed. */
function plainTarget(text: string, base: URL | undefined): Target | undefined {
  const slash = text.indexOf('/', 'http://'.length + 1)
  // The same string each time: what is looked up by it later is found at once.
  const origin = slash === -1 ? undefined : knownOrigins.get(text.slice(0, slash))
  if (origin !== undefined) return isPlain(text.slice(slash)) ? { href: text, origin } : undefined
  if (base === undefined || text.includes(':') || text.startsWith('/') || !isPlain(text)) return undefined
  return { href: base.href + text, origin: base.origin }
}

function isPlain(path: string): boolean {
  return plain.test(path) && !dotSegment.test(path)
}

/** What a request needs of its URL; a fragment is never sent. */
export function targetOf({ href, origin }: URL): Target {
  return { href: href.includes('#') ? (href.split('#', 1)[0] as string) : href, origin }
}

function forbiddenPort({ port }: URL): TypeError {
  const summary = `the port ${port} is forbidden (Fetch standard §2.9)`
  return new TypeError(summary, { cause: new Error(summary) })
}

/** Whether the target has no server, but is there itself. */
function isLocal(url: URL): boolean {
  return url.protocol === 'data:' || url.protocol === 'blob:'
}

/** Whether the scheme is one steadfetch speaks. */
export function isHttp(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:'
}

/** The scheme of a URL for a message; what is long, or no word, may be the first half of credentials without a scheme. */
export function shownScheme({ protocol }: URL): string {
  return /^[a-z]{1,12}:$/.test(protocol) ? protocol : '***:'
}

/** Whether the URL has a userinfo component, RFC 3986 §3.2.1. */
export function hasUserinfo(url: URL): boolean {
  return url.username !== '' || url.password !== ''
}
