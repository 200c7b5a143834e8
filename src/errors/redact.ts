import type { OwnNames } from '../types/redact.ts'

/** What stands in the place of a secret. */
export const mask = '***'

/** Words of a name that mark it as a credential, wherever they stand in it. */
const secretRun =
  /auth|apikey|accesskey|token|secret|passw|passphrase|privatekey|signature|credential|cookie|session|csrf|xsrf|jwt|saml|assertion|dpop|hmac|bearer/
/** Words that mark a credential only as a whole word. */
const secretWords = new Set(['key', 'sig', 'pwd', 'pass', 'sid', 'otp', 'pin', 'ticket'])
/** OAuth 2 codes travel in parameters alone: RFC 6749 §4.1.2, RFC 7636 §4.5, RFC 8628 §3.4. */
const secretParameters = new Set(['code', 'state', 'code_verifier', 'device_code', 'user_code'])
/** Keys that name a request, not a right. */
const harmless = new Set(['idempotency-key', 'author', 'authority', ':authority'])

/** Whether a field of this name is likely to carry a credential; the one list for masking and for redirects. */
export function looksLikeCredential(name: string, own?: OwnNames): boolean {
  const plain = name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
  if (own?.fields.has(name.toLowerCase()) === true) return true
  if (harmless.has(plain)) return false
  if (secretRun.test(plain.replace(/[^a-z0-9]/g, ''))) return true
  return plain.split(/[^a-z0-9]+/).some((word) => secretWords.has(word))
}

/** Whether the value of a parameter of this name is to be masked. */
export function isSecretParameter(name: string, own?: OwnNames): boolean {
  const plain = name.toLowerCase()
  return secretParameters.has(plain) || own?.parameters.has(plain) === true || looksLikeCredential(name)
}

/** Whether something of this name in a text or in content, of which nobody knows what it is, is to be masked. */
export function isSecretName(name: string, own?: OwnNames): boolean {
  return looksLikeCredential(name, own) || own?.parameters.has(name.toLowerCase()) === true
}

/** A JSON Web Token, RFC 7519: its header is JSON, which begins with these letters in base64url. */
export const jsonWebToken: RegExp = /\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)*/g

/** What begins a query, a fragment or a parameter of a path, or ends a userinfo: without it nothing can be hidden. */
const hiding = /[?#@;]/
/** Schemes whose URLs have an authority and a query; of any other one nobody knows where a secret is. */
const hierarchical = /^(?:https?|wss?|ftp|file):$/

/**
 * A target safe to log: without userinfo and fragment, the values of credential-like parameters masked. A path is shown:
 * what is secret of it no name tells.
 */
export function redactUrl(target: URL | string, own?: OwnNames): string {
  if (typeof target === 'string' && target.startsWith('http') && !hiding.test(target)) return target
  const url = typeof target === 'string' ? URL.parse(target) : target
  if (url === null) return '(invalid URL)'
  const { href, protocol, host, pathname, search } = url
  if (protocol === 'blob:') return href
  if (!hierarchical.test(protocol) && !href.startsWith(`${protocol}//`)) return protocol
  return hiding.test(href) ? `${protocol}//${host}${redactPath(pathname, own)}${redactQuery(search, own)}` : href
}

/** A reference safe to log: a URL as {@link redactUrl} shows it, or one without an origin in the same manner. */
export function redactReference(reference: string, own?: OwnNames): string {
  if (URL.canParse(reference)) return redactUrl(reference, own)
  const url = URL.parse(reference, 'http://relative.invalid/')
  if (url === null) return '(invalid URL)'
  const authority = url.host === 'relative.invalid' ? '' : `//${url.host}`
  return `${authority}${redactPath(url.pathname, own)}${redactQuery(url.search, own)}`
}

/** The pairs of a query or a form, RFC 3986 §3.4, with the values masked that are secret by their name or their look. */
export function redactPairs(pairs: string, own?: OwnNames): string {
  return pairs
    .split('&')
    .map((pair) => redactPair(pair, own))
    .join('&')
}

function redactQuery(search: string, own: OwnNames | undefined): string {
  return search === '' ? '' : `?${redactPairs(search.slice(1), own)}`
}

/** Parameters of path segments, RFC 3986 §3.3, such as `;jsessionid=…`. */
function redactPath(path: string, own: OwnNames | undefined): string {
  return path.includes(';') ? path.replace(/(?<=;)[^;/]+/g, (pair) => redactPair(pair, own)) : path
}

function redactPair(pair: string, own: OwnNames | undefined): string {
  const equals = pair.indexOf('=')
  // Without a name the whole may be a secret, as an API key for a query is.
  if (equals === -1) return isSecretValue(decoded(pair), own) ? mask : pair
  const secret = isSecretParameter(decoded(pair.slice(0, equals)), own) || isSecretValue(decoded(pair.slice(equals + 1)), own)
  return secret && equals + 1 < pair.length ? `${pair.slice(0, equals)}=${mask}` : pair
}

/** Whether a value is a secret whatever its name: a token, or a URL with something secret in it. */
function isSecretValue(value: string, own: OwnNames | undefined): boolean {
  if (value.search(jsonWebToken) !== -1 || /^(?:bearer|basic)\s/i.test(value) || /^[a-z][a-z0-9+.-]*:\/*[^/?#]*@/i.test(value))
    return true
  return [...value.matchAll(/[?&#;]([^=&#?;]+)=/g)].some(([, name]) => isSecretParameter(decoded(name as string), own))
}

function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
