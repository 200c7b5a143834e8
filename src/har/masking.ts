import { isSecretName, looksLikeCredential, redactPairs, redactUrl } from '../errors/redact.ts'
import { redactWhole } from '../errors/redact-text.ts'
import type { Excerpt } from '../observation.ts'
import type { HarCookie, HarPair } from '../types/har.ts'
import type { OwnNames } from '../types/redact.ts'

const masked = '***'
/** A year has four digits in an archive. */
const lastDateMs = Date.UTC(10_000)
/** Fields whose value is a reference, RFC 9110 §4.1, and those of clouds that are not registered. */
const references = new Set(['location', 'content-location', 'referer', 'operation-location', 'azure-asyncoperation'])
const textual = /^(?:text\/|[^;]*[/+](?:json|xml|x-ndjson|javascript|x-www-form-urlencoded|graphql)\s*(?:;|$))/i
const json = /[/+]json\s*(?:;|$)/i
const form = /\/x-www-form-urlencoded\s*(?:;|$)/i

/** By what fields are masked beside their names: the names of the caller's own, and those that were granted. */
export interface Masking {
  readonly own?: OwnNames | undefined
  readonly granted?: readonly string[]
}

/** Fields as anybody may see them: credentials masked, by their names or as those that were `granted`, and those in references. */
export function shownFields(
  fields: Iterable<readonly [string, string]>,
  base: string,
  { own, granted = [] }: Masking = {},
): HarPair[] {
  return Array.from(fields, ([name, value]) => ({
    name,
    value: granted.includes(name) ? masked : shownValue(name, value, base, own),
  }))
}

/** The target of a reference, made absolute and masked; empty for none. */
export function shownReference(reference: string | null, base: string, own?: OwnNames): string {
  if (reference === null) return ''
  return URL.canParse(reference, base) ? redactUrl(new URL(reference, base), own) : '(invalid URL)'
}

/** The parameters of the query of a target that is masked already. */
export function queryOf(url: string): HarPair[] {
  return Array.from(new URL(url).searchParams, ([name, value]) => ({ name, value }))
}

/** The cookies that a request names, RFC 6265 §4.2.1. */
export function requestCookies(field: string | undefined): HarCookie[] {
  const pairs = field?.split(/;[\t ]*/).filter((pair) => pair !== '') ?? []
  return pairs.map((pair) => ({ name: nameIn(pair), value: masked }))
}

/** The cookie that a Set-Cookie field sets, RFC 6265 §4.1.1. */
export function responseCookie(field: string): HarCookie {
  const [pair = '', ...attributes] = field.split(';')
  const given = new Map(attributes.map((attribute) => [nameIn(attribute).toLowerCase(), valueIn(attribute)]))
  const expiresMs = Date.parse(given.get('expires') ?? '')
  const text = (name: string, member: string): object => (given.get(name) ? { [member]: given.get(name) } : {})
  return {
    name: nameIn(pair),
    value: masked,
    ...text('path', 'path'),
    ...text('domain', 'domain'),
    ...(expiresMs < lastDateMs ? { expires: new Date(expiresMs).toISOString() } : {}),
    httpOnly: given.has('httponly'),
    secure: given.has('secure'),
    ...text('samesite', 'sameSite'),
  }
}

/** Content as text with secret members masked; of what cannot be masked the comment says why it is left out. */
export function shownContent(content: Excerpt, type: string, own?: OwnNames): { text?: string; comment?: string } {
  if (content.size === 0) return {}
  if (!textual.test(type)) return { comment: 'left out: it is no text' }
  const comment = content.isWhole ? {} : { comment: `the start of ${content.size} bytes` }
  const text = decoded(content, type)
  if (form.test(type)) return { text: redactPairs(text, own), ...comment }
  if (!json.test(type)) return { text: redactWhole(text, own), ...comment }
  return shownJson(text, own) ?? { comment: `left out: JSON that cannot be read cannot be masked (${content.size} bytes)` }
}

function shownValue(name: string, value: string, base: string, own: OwnNames | undefined): string {
  if (looksLikeCredential(name, own)) return masked
  if (references.has(name)) return shownReference(value, base, own)
  if (name === ':path') return pathOf(value, new URL(base).origin, own)
  if (name === 'link')
    return value.replace(/<([^>]*)>/g, (_all, reference: string) => `<${shownReference(reference, base, own)}>`)
  return redactWhole(value, own)
}

/** A path may look like a reference to another host. */
function pathOf(path: string, origin: string, own: OwnNames | undefined): string {
  return redactUrl(origin + path, own).slice(origin.length)
}

function nameIn(pair: string): string {
  return (pair.split('=', 1)[0] as string).trim()
}

function valueIn(pair: string): string {
  const at = pair.indexOf('=')
  return at === -1 ? '' : pair.slice(at + 1).trim()
}

function decoded(content: Excerpt, type: string): string {
  const charset = /;\s*charset="?([^\s;"]+)/i.exec(type)?.[1] ?? 'utf-8'
  const bytes = Buffer.concat(content.parts)
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return bytes.toString()
  }
}

/** The very text where nothing in it is masked: numbers stay as they were written. */
function shownJson(text: string, own: OwnNames | undefined): { text: string } | undefined {
  try {
    let isMasked = false
    const value: unknown = JSON.parse(text, (name, member: unknown) => {
      const shown = typeof member === 'string' ? redactWhole(member, own) : member
      const isSecret = shown !== null && isSecretName(name, own)
      isMasked ||= isSecret || shown !== member
      return isSecret ? masked : shown
    })
    return { text: isMasked ? JSON.stringify(value) : text }
  } catch {
    return undefined
  }
}
