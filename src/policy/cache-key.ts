import { createHash } from 'node:crypto'
import { parseCacheControl } from '../http/cache-control.ts'
import { fieldOf, filteredFields, recordOf } from '../http/fields.ts'
import type { CacheKey } from '../types/cache.ts'
import type { HopRequest, Received } from '../types/exchange.ts'
import { varyOf } from './storable.ts'

/** The name under which the credentials of a request are compared; no field can have it. */
const credentials = ':credentials'
const credentialFields = ['authorization', 'cookie', 'proxy-authorization']

/** What a response to this request is stored under; credentials only as a digest. */
export function cacheKey({ method, href, origin, fields }: HopRequest): CacheKey {
  const headers = recordOf(filteredFields(fields, (name) => !credentialFields.includes(name)))
  for (const name of credentialFields) {
    const value = fieldOf(fields, name)
    if (value !== undefined) headers[name] = digest(value)
  }
  const given = credentialFields.map((name) => headers[name] ?? '').join()
  if (given !== ',,') headers[credentials] = given
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

function digest(value: string): string {
  return createHash('sha256').update(value).digest('base64url')
}
