import { createHash, randomUUID } from 'node:crypto'
import { looksLikeCredential } from '../errors/redact.ts'
import type { Exchange } from '../exchange.ts'
import { parseCacheControl } from '../http/cache-control.ts'
import type { CacheKey } from '../types/cache.ts'
import type { Received } from '../types/exchange.ts'
import { varyOf } from './storable.ts'

/** The name under which the credentials of a request are compared; no field can have it. */
const credentials = ':credentials'

/** What a response to the request of the exchange is stored under; credentials only as a digest. */
export function cacheKey({ request, options }: Pick<Exchange, 'request' | 'options'>): CacheKey {
  const { method, href, origin, fields } = request
  const headers = Object.create(null) as Record<string, string>
  const whose: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string
    const value = fields[index + 1] as string
    const isSecret = looksLikeCredential(name)
    headers[name] = isSecret ? digest(value) : value
    if (isSecret) whose.push(`${name}=${headers[name]}`)
  }
  // Added below the cache, where it cannot see them.
  for (const source of [...options.refreshes, options.cookies]) if (source !== undefined) whose.push(nameOf(source))
  if (whose.length > 0) headers[credentials] = whose.sort().join()
  return { origin, method, path: href.slice(origin.length), headers }
}

/**
 * What the response varies by: what its Vary names, and the credentials of the request unless it is public. A client of
 * a service asks for many users; what one of them may see is not for the others, RFC 9111 §7.
 */
export function varyingBy(key: CacheKey, received: Received): Record<string, string | null> {
  const names = varyOf(received.field('vary'))
  if (!parseCacheControl(received.field('cache-control')).has('public')) names.push(credentials)
  return Object.fromEntries(names.map((name) => [name, key.headers?.[name] ?? null]))
}

const names = new WeakMap<object, string>()

/** A source of credentials is known in this process alone. */
function nameOf(source: object): string {
  const name = names.get(source) ?? randomUUID()
  names.set(source, name)
  return name
}

function digest(value: string): string {
  return createHash('sha256').update(value).digest('base64url')
}
