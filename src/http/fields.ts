import { shownValue } from '../errors/redact-text.ts'
import type { FieldsInit } from '../types/call-options.ts'
import type { Content, Fields } from '../types/exchange.ts'
import { textOf } from './text.ts'

/** What a field may be called, RFC 9110 §5.1. */
export const fieldName: RegExp = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 §5.5: visible characters, obs-text, space and tab. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/
/** RFC 9110 §7.2: no path, no userinfo, nothing else of a URL. */
const host = /^[^\t "#,/<>?@\\^`{|}]*$/
/** Fields that belong to the connection; undici and HTTP/2 refuse them, RFC 9112 §9.6 and RFC 9113 §8.2.2. */
const connectionFields = new Set([
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'expect',
  'proxy-connection',
  'te',
  'http2-settings',
])

/** Whether this can be the name of a field that a request is sent with. */
export function isFieldName(name: string): boolean {
  return fieldName.test(name) && !connectionFields.has(name.toLowerCase())
}

/** No fields. */
export const noFields: Fields = []

/** The value of a field; undefined when it is absent. */
export function fieldOf(fields: Fields, name: string): string | undefined {
  for (let index = 0; index < fields.length; index += 2) if (fields[index] === name) return fields[index + 1]
  return undefined
}

/** The fields and one more, unless it is among them. */
export function withDefault(fields: Fields, name: string, value: string): Fields {
  return fieldOf(fields, name) === undefined ? [...fields, name, value] : fields
}

/** The fields with this one in the place of any of its name. */
export function withField(fields: Fields, name: string, value: string): Fields {
  return withFields(fields, [name, value])
}

/** The fields with these in the place of any of their names. */
export function withFields(fields: Fields, over: Fields): Fields {
  return [...filteredFields(fields, (name) => fieldOf(over, name) === undefined), ...over]
}

/** The fields as they are sent with this content: with its media type, unless they name one. */
export function fieldsWith(fields: Fields, content: Pick<Content, 'type'> | null): Fields {
  return content === null || content.type === null ? fields : withDefault(fields, 'content-type', content.type)
}

/** The fields whose names pass. */
export function filteredFields(fields: Fields, passes: (name: string) => boolean): Fields {
  const kept: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string
    if (passes(name)) kept.push(name, fields[index + 1] as string)
  }
  return kept
}

/** The fields as a record without a prototype. */
export function recordOf(fields: Fields): Record<string, string> {
  const record = Object.create(null) as Record<string, string>
  for (let index = 0; index < fields.length; index += 2) record[fields[index] as string] = fields[index + 1] as string
  return record
}

/**
 * The fields of `source` over those of `base`, a repeated name joined to a list; an own `undefined` removes one.
 *
 * @throws TypeError for an invalid name or value; the message never shows a value.
 */
export function mergeFields(base: Fields, source: FieldsInit | undefined): Fields {
  if (source === undefined) return base
  const merged = [...base]
  const seen = new Set<string>()
  for (const [rawName, rawValue] of entriesOf(source)) {
    const name = textOf('headers: the name of a field', rawName).toLowerCase()
    if (!fieldName.test(name)) throw new TypeError(`headers: ${shownValue(name)} is no field name (RFC 9110 §5.1)`)
    put(merged, name, rawValue === undefined ? undefined : validValue(name, rawValue), seen)
  }
  return merged
}

function put(fields: string[], name: string, value: string | undefined, seen: Set<string>): void {
  let index = 0
  while (index < fields.length && fields[index] !== name) index += 2
  if (value === undefined) {
    fields.splice(index, 2)
    return
  }
  const separator = name === 'cookie' ? '; ' : ', '
  fields[index] = name
  fields[index + 1] = seen.has(name) ? `${fields[index + 1]}${separator}${value}` : value
  seen.add(name)
}

function entriesOf(source: FieldsInit): Iterable<readonly unknown[]> {
  if (typeof source !== 'object' || source === null) throw new TypeError(`headers must be an object, got ${shownValue(source)}`)
  if (!(Symbol.iterator in source)) {
    if (Object.getOwnPropertySymbols(source).length > 0) throw new TypeError('headers: a symbol is no field name')
    return Object.entries(source)
  }
  const pairs = [...(source as Iterable<readonly unknown[]>)]
  if (pairs.every(isPair)) return pairs
  throw new TypeError('headers: every item of a list must be a pair of name and value')
}

function isPair(pair: unknown): boolean {
  return typeof pair === 'object' && pair !== null && Symbol.iterator in pair && [...(pair as Iterable<unknown>)].length === 2
}

function validValue(name: string, raw: unknown): string {
  if (typeof raw === 'symbol') throw new TypeError(`headers: the value of ${name} is a symbol`)
  const value = textOf(`headers: the value of ${name}`, raw).replace(/^[\t\r\n ]+|[\t\r\n ]+$/g, '')
  if (!fieldValue.test(value)) throw new TypeError(`headers: the value of ${name} holds forbidden characters (RFC 9110 §5.5)`)
  if (name === 'host' && !host.test(value)) throw new TypeError('headers: host is no host and port (RFC 9110 §7.2)')
  if (connectionFields.has(name)) throw new TypeError(`headers: ${name} belongs to the connection and cannot be set`)
  return value
}
