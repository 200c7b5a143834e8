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

/**
 * The absolute target of a call.
 *
 * @throws TypeError for an invalid one, one with userinfo (Fetch standard §5.4), a forbidden port or another scheme.
 */
export function resolveTarget(input: string | URL, base: URL | undefined): URL {
  const text = String(input)
  const url = URL.parse(text, base?.href)
  if (url === null) {
    const hint = base === undefined && !/^[a-z][a-z0-9+.-]*:/i.test(text) ? '; a relative target needs the option baseUrl' : ''
    throw new TypeError(`the target is not a valid URL${hint}`)
  }
  if (isLocal(url)) return url
  if (!isHttp(url)) {
    const { protocol } = url
    throw new TypeError(`the scheme ${JSON.stringify(protocol)} cannot be fetched; http:, https:, data: and blob: can`)
  }
  if (isForbiddenPort(url)) throw forbiddenPort(url)
  if (hasUserinfo(url))
    throw new TypeError(`the target ${redactUrl(url)} has credentials in it; send them in the Authorization field`)
  return url
}

/** What a request needs of its URL; a fragment is never sent. */
export function targetOf({ href, origin }: URL): Pick<HopRequest, 'href' | 'origin'> {
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

/** Whether the URL has a userinfo component, RFC 3986 §3.2.1. */
export function hasUserinfo(url: URL): boolean {
  return url.username !== '' || url.password !== ''
}
