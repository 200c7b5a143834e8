import { createHash, randomUUID } from 'node:crypto'
import { looksLikeCredential } from '../errors/redact.ts'
import type { Exchange } from '../exchange.ts'
import type { CacheKey } from '../types/cache.ts'
import type { Fields, HopRequest } from '../types/exchange.ts'
import type { ResolvedOptions } from '../types/options.ts'
import type { Keyring } from './keyring.ts'
import { pathOf, serviceOf } from './service.ts'

/** Stands for all credentials of a request, such as API keys, that are neither Authorization nor Cookie. */
export const otherCredentials = 'steadfetch-credentials'

/** What responses are stored under, as a cache looks them up. */
export type StoredKey = CacheKey & { readonly headers: Readonly<Record<string, string>> }

/**
 * What the responses to a request are stored under, with the sources that give it credentials on its way. Credentials are
 * hashed: no store is to hold them.
 */
export function keyOf(request: HopRequest, exchange: Exchange, keyring: Keyring | undefined): StoredKey {
  const { options } = exchange
  const sources = keyring?.sources(exchange) ?? []
  if (options.cookies !== undefined) sources.push(options.cookies)
  const service = serviceOf(request, options)
  const { targets, redact } = options
  // What a client was given that may ask more than this one is not for this one.
  const origin = targets === undefined ? service : `${service}#${targets.key}`
  return { origin, method: 'GET', path: pathOf(request), headers: selecting(service, request.fields, sources, redact) }
}

/** Whether two requests have the same credentials beside Authorization and Cookie, and those of the same sources. */
export function sharesCredentials(one: StoredKey, other: StoredKey): boolean {
  return one.headers[otherCredentials] === other.headers[otherCredentials]
}

function selecting(
  origin: string,
  fields: Fields,
  sources: readonly object[],
  redact: ResolvedOptions['redact'],
): Record<string, string> {
  const record = Object.create(null) as Record<string, string>
  const others: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string
    const isCredential = looksLikeCredential(name, redact)
    const value = isCredential ? hashed(origin, name, fields[index + 1] as string) : normalised(name, fields[index + 1] as string)
    record[name] = value
    if (isCredential && name !== 'authorization' && name !== 'cookie') others.push(value)
  }
  // They are added below the cache, where it cannot see them.
  for (const source of sources) others.push(nameOf(source))
  if (others.length > 0) record[otherCredentials] = hashed(...others.sort())
  return record
}

const sourceNames = new WeakMap<object, string>()

/** A source of credentials is known in this process alone. */
function nameOf(source: object): string {
  const name = sourceNames.get(source) ?? randomUUID()
  sourceNames.set(source, name)
  return name
}

function hashed(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

/** Space around commas means nothing in a list, nor does the case of a language, RFC 9111 §4.1. */
function normalised(name: string, value: string): string {
  const list = value.includes('"') ? value : value.replace(/[ \t]*,[ \t]*/g, ', ')
  return name === 'accept-language' ? list.toLowerCase() : list
}
