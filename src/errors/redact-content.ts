import type { OwnNames } from '../types/redact.ts'
import { isSecretName, mask, redactPairs } from './redact.ts'
import { redactLines, redactText } from './redact-text.ts'

/** How much of the content of a response an error shows, if it is to show any. */
const excerptCharacters = 2_048

const form = /^application\/x-www-form-urlencoded\s*(?:;|$)/i
/** Elements and attributes of XML and HTML. */
const element = /<([\w:.-]{1,64})((?:\s[^<>]{0,2000})?)>([^<]{1,8192})<\//g
const attributes = /(name|id)\s*=\s*["']?([\w:.[\]-]{1,64})["']?([^<>]{0,64}?)\bvalue\s*=\s*("[^"]*"?|'[^']*'?|[^\s>]+)/gi

/** The start of text content, at most 2 KiB, with the values masked whose names say that they are secret. */
export function redactContent(text: string, type: string | null, own?: OwnNames): string {
  if (type !== null && form.test(type)) return excerpt(redactText(redactPairs(text, own), own))
  return excerpt(redactedJson(text, own) ?? redactedText(text, own))
}

/** JSON content; undefined for what is none, or was cut. */
function redactedJson(text: string, own: OwnNames | undefined): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object') return undefined
    return JSON.stringify(value, (name, member: unknown) => {
      if (name !== '' && isSecretName(name, own)) return mask
      return typeof member === 'string' ? redactLines(member, own) : member
    })
  } catch {
    return undefined
  }
}

/** Of JSON that was cut, what follows a secret name is left out altogether if it is no plain value. */
function redactedText(text: string, own: OwnNames | undefined): string {
  const marked = text
    .slice(0, 2 * excerptCharacters)
    .replace(element, (whole, name: string, more: string) => (isSecretName(name, own) ? `<${name}${more}>${mask}</` : whole))
    .replace(attributes, (whole, kind: string, name: string, more: string) =>
      isSecretName(name, own) ? `${kind}="${name}"${more}value="${mask}"` : whole,
    )
  const nested = [...marked.matchAll(/"([^"\\]{1,64})"\s{0,8}:\s{0,8}[[{]/g)].find(([, name]) =>
    isSecretName(name as string, own),
  )
  return redactText(nested === undefined ? marked : `${marked.slice(0, nested.index + nested[0].length - 1)}${mask}`, own)
}

function excerpt(text: string): string {
  return text.length > excerptCharacters ? `${text.slice(0, excerptCharacters)}…` : text
}
