import type { OwnNames } from '../types/redact.ts'
import { isSecretName, jsonWebToken, mask, redactUrl } from './redact.ts'

/** What steers a terminal, breaks a line or turns the direction of writing round: with it an origin could forge a log. */
const steering = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** The text as one line in which every control character is spelt out. */
export function escapeControls(text: string): string {
  // Nearly every text is this, and the search for properties of Unicode takes its time.
  if (/^[\x20-\x7e]*$/.test(text)) return text
  return text.replace(steering, (character) => {
    const point = character.codePointAt(0) as number
    const hex = point.toString(16)
    return named[character] ?? (point < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`)
  })
}

/** How much of the text of others is shown. */
const maxLength = 4_096

const privateKey = /-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,32}PRIVATE KEY-----|$)/g
const absoluteUrl = /[a-z][a-z0-9+.-]{0,31}:\/\/[^\s"<>`\\]+/gi
/** What stands around a URL in a text rather than in it. */
const closing = /[),.;:\]}']+$/
const userinfo = /[^\s/@:"'<>]{1,64}:[^\s/@"'<>]{1,600}@(?=[\w[])/g
/** Fields whose value goes on to the end of the line. */
const credentialField =
  /((?:set-)?cookie2?|(?:proxy-)?authorization|(?:www|proxy)-authenticate|(?:proxy-)?authentication-info)(["']?\s{0,8}[:=]\s{0,8})[^\r\n]+/gi
/** Credentials by their scheme, RFC 9110 §11.4; what is said about a scheme is none. */
const credentials =
  /\b(bearer|basic|digest|negotiate|ntlm|dpop)\s{1,8}(?!(?:auth\w*|token|scheme|credentials?|realm|challenges?|is|was|not|or|and)\b)[\w+/=.~-]+/gi
const pair = /(["']?)([a-z][\w.[\]-]{0,63})\1\s{0,8}[:=]\s{0,8}/gi
const value = /"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s"',;&)}\]]+/y

/**
 * The text of somebody else, such as the message of an error, safe to log: on one line, without what looks like a credential
 * in it and without the `known` ones.
 */
export function redactText(text: string, own?: OwnNames, known: readonly string[] = []): string {
  return escapeControls(redactLines(text, own, known))
}

/** The same with its lines as they are. */
export function redactLines(text: string, own?: OwnNames, known: readonly string[] = []): string {
  const start = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  return redactWhole(
    known.reduce((left, secret) => left.replaceAll(secret, mask), start),
    own,
  )
}

/** A text of any length, as it is but for what looks like a credential. */
export function redactWhole(text: string, own?: OwnNames): string {
  const shown = text
    .replace(privateKey, mask)
    .replace(absoluteUrl, (url) => {
      const end = closing.exec(url)?.[0] ?? ''
      return redactUrl(url.slice(0, url.length - end.length), own) + end
    })
    .replace(userinfo, `${mask}@`)
    .replace(credentialField, `$1$2${mask}`)
    .replace(credentials, `$1 ${mask}`)
    .replace(jsonWebToken, mask)
  return withoutPairs(shown, own)
}

/** Masks what follows a credential-like name, as in `token=…`, `x-api-key: …` or `"password": "…"`. */
function withoutPairs(text: string, own: OwnNames | undefined): string {
  let shown = ''
  let end = 0
  pair.lastIndex = 0
  for (let found = pair.exec(text); found !== null; found = pair.exec(text)) {
    if (!isSecretName(found[2] as string, own)) continue
    value.lastIndex = pair.lastIndex
    const [masked] = value.exec(text) ?? []
    if (masked === undefined) continue
    shown += text.slice(end, pair.lastIndex) + (/^["']/.test(masked) ? `${masked[0]}${mask}${masked[0]}` : mask)
    end = pair.lastIndex + masked.length
    pair.lastIndex = end
  }
  return shown + text.slice(end)
}

/** A value that is short and spelt like a word, a number, an address or a path. */
const word = /^[\w .:/*@%[\]+-]{0,32}$/
/** Letters and digits mixed, or very many of one kind: a password, a key. */
const mixed = /(?=[\w-]*\d)(?=[\w-]*[a-z])[\w-]{7,}|[\w-]{20,}/i

/** A wrong value as its error shows it. What may be a secret in the wrong place is described: none stands in an error. */
export function shownValue(given: unknown): string {
  if (typeof given === 'object' || typeof given === 'function' || typeof given === 'symbol') return typeof given
  if (typeof given !== 'string') return String(given)
  return isInnocent(given) ? JSON.stringify(given) : `a string of ${given.length} characters`
}

/** Whether a text of which nobody knows what it is can hardly be a secret. */
export function isInnocent(text: string): boolean {
  return word.test(text) && !mixed.test(text) && redactText(text) === text
}
