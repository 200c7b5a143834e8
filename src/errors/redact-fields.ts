import type { Fields } from '../types/exchange.ts'
import type { OwnNames } from '../types/redact.ts'
import { looksLikeCredential, mask, redactReference } from './redact.ts'
import { escapeControls, redactText } from './redact-text.ts'

/** Fields whose value is a reference, RFC 9110 §10.2.2, §8.7 and §10.1.3, and those that the monitors of clouds use. */
const references = new Set(['location', 'content-location', 'referer', 'operation-location', 'azure-asyncoperation', 'sourcemap'])
/** Targets of links, RFC 8288 §3. */
const target = /<([^<>]*)>/g

/** Fields safe to log, as a record without a prototype: credentials masked by name, and secrets within the others by their look. */
export function redactFields(fields: Iterable<readonly [string, string]>, own?: OwnNames): Record<string, string> {
  const shown = Object.create(null) as Record<string, string>
  for (const [name, value] of fields) {
    const before = shown[name]
    const masked = redactField(name.toLowerCase(), value, own)
    shown[name] = before === undefined || masked === mask ? masked : `${before}, ${masked}`
  }
  return shown
}

function redactField(name: string, value: string, own: OwnNames | undefined): string {
  if (looksLikeCredential(name, own)) return mask
  if (references.has(name)) return escapeControls(redactReference(value, own))
  if (name === 'link') return escapeControls(value.replace(target, (_link, href: string) => `<${redactReference(href, own)}>`))
  // Of a page that is to be loaded anew, HTML §4.2.5.3, everything from the first parameter on.
  return name === 'refresh' ? redactText(value.replace(/[?#].*$/, `?${mask}`), own) : redactText(value, own)
}

/** Shorter ones would be found in innocent words. */
const minSecretLength = 6

/** The credentials that fields carry for certain, as a text may repeat them: the longest first. */
export function secretsOf(fields: Fields, own?: OwnNames): readonly string[] {
  const secrets = new Set<string>()
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string
    if (looksLikeCredential(name, own)) for (const part of partsOf(name, fields[index + 1] as string)) secrets.add(part)
  }
  return [...secrets].filter((secret) => secret.length >= minSecretLength).sort((a, b) => b.length - a.length)
}

function partsOf(name: string, value: string): readonly string[] {
  if (name === 'cookie') return value.split(/;\s*/).flatMap((pair) => [pair, pair.slice(pair.indexOf('=') + 1)])
  const [, scheme = '', token] = /^(\S+)\s+(.+)$/.exec(value) ?? []
  if (token === undefined) return [value]
  if (scheme.toLowerCase() !== 'basic') return [value, token]
  const pair = Buffer.from(token, 'base64').toString()
  return [value, token, pair, pair.slice(pair.indexOf(':') + 1)]
}
