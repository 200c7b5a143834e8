import type { FieldsInit } from '../types/options.ts'

/** RFC 9110 §5.1. */
const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 §5.5: visible characters, obs-text, space and tab. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/
/** Fields that belong to the connection; undici and HTTP/2 refuse them, RFC 9112 §9.6 and RFC 9113 §8.2.2. */
const connectionFields = new Set(['transfer-encoding', 'keep-alive', 'upgrade', 'expect', 'proxy-connection', 'te'])

/** Fields by their lower-case names, without a prototype. */
export type Fields = Record<string, string>

/** No fields. */
export function noFields(): Fields {
  return Object.create(null) as Fields
}

/**
 * Adds `source` to `target`, a repeated name replacing what was there before the call; an own `undefined` removes it.
 *
 * @throws TypeError for an invalid name or value; the message never shows a value.
 */
export function mergeFields(target: Fields, source: FieldsInit | undefined): Fields {
  if (source === undefined || source === null) return target
  const seen = new Set<string>()
  for (const [rawName, rawValue] of entriesOf(source)) {
    const name = String(rawName).toLowerCase()
    if (!fieldName.test(name)) throw new TypeError(`headers: ${JSON.stringify(name)} is no field name (RFC 9110 §5.1)`)
    if (rawValue === undefined) {
      delete target[name]
      continue
    }
    const value = validValue(name, rawValue)
    const separator = name === 'cookie' ? '; ' : ', '
    target[name] = seen.has(name) ? `${target[name]}${separator}${value}` : value
    seen.add(name)
  }
  return target
}

function entriesOf(source: FieldsInit): Iterable<readonly unknown[]> {
  if (typeof source !== 'object') throw new TypeError(`headers must be an object, got ${typeof source}`)
  if (!(Symbol.iterator in source)) return Object.entries(source)
  const pairs = [...(source as Iterable<readonly unknown[]>)]
  if (pairs.every((pair) => typeof pair === 'object' && pair !== null && [...pair].length === 2)) return pairs
  throw new TypeError('headers: every item of a list must be a pair of name and value')
}

function validValue(name: string, raw: unknown): string {
  if (typeof raw === 'symbol') throw new TypeError(`headers: the value of ${name} is a symbol`)
  const value = String(raw).replace(/^[\t\r\n ]+|[\t\r\n ]+$/g, '')
  if (!fieldValue.test(value)) throw new TypeError(`headers: the value of ${name} holds forbidden characters (RFC 9110 §5.5)`)
  if (connectionFields.has(name)) throw new TypeError(`headers: ${name} belongs to the connection and cannot be set`)
  return value
}
