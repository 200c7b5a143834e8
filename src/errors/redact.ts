/** Words of a name that mark it as a credential, wherever they stand in it. */
const secretRun = /auth|apikey|accesskey|token|secret|passw|signature|credential|cookie|session|csrf|xsrf|jwt|assertion/
/** Words that mark a credential only as a whole word. */
const secretWords = new Set(['key', 'sig', 'pwd', 'pass', 'sid', 'otp', 'pin'])
/** OAuth 2 codes travel in query parameters alone, RFC 6749 §4.1.2. */
const secretParameters = new Set(['code', 'state'])
/** Keys that name a request, not a right. */
const harmless = new Set(['idempotency-key', 'author', 'authority', ':authority'])

/** Whether a field of this name is likely to carry a credential. */
export function looksLikeCredential(name: string): boolean {
  const plain = name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
  if (harmless.has(plain)) return false
  if (secretRun.test(plain.replace(/[^a-z0-9]/g, ''))) return true
  return plain.split(/[^a-z0-9]+/).some((word) => secretWords.has(word))
}

/** What begins a query, a fragment, or ends a userinfo: without it nothing can be hidden. */
const hiding = /[?#@]/

/** A target safe to log: without userinfo and fragment, the values of credential-like query parameters masked. */
export function redactUrl(target: URL | string): string {
  if (typeof target === 'string' && target.startsWith('http') && !hiding.test(target)) return target
  if (typeof target === 'string' && !URL.canParse(target)) return '(invalid URL)'
  const text = typeof target === 'string' ? target : target.href
  if (text.startsWith('data:')) return 'data:'
  if (!hiding.test(text)) return text
  const url = new URL(target)
  url.username = ''
  url.password = ''
  url.hash = ''
  for (const name of new Set(url.searchParams.keys())) {
    if (secretParameters.has(name.toLowerCase()) || looksLikeCredential(name)) url.searchParams.set(name, '***')
  }
  return url.href
}
