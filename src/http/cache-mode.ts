import type { Fields } from '../types/exchange.ts'
import { fieldOf, withDefault } from './fields.ts'

/** With one of these a request is the caller's own revalidation, Fetch standard §4.5. */
const conditions = ['if-modified-since', 'if-none-match', 'if-unmodified-since', 'if-match', 'if-range']

/** The fields with what the cache mode of a request says to the caches on the way, Fetch standard §4.5. */
export function withCacheMode(fields: Fields, mode: string | undefined): Fields {
  if (mode === 'no-cache') return withDefault(fields, 'cache-control', 'max-age=0')
  if (mode === 'no-store' || mode === 'reload' || (isDefault(mode) && isConditional(fields))) {
    return withDefault(withDefault(fields, 'pragma', 'no-cache'), 'cache-control', 'no-cache')
  }
  return fields
}

function isDefault(mode: string | undefined): boolean {
  return mode === undefined || mode === 'default'
}

/** Whether the request has a condition of its own, RFC 9110 §13.1. */
export function isConditional(fields: Fields): boolean {
  return conditions.some((name) => fieldOf(fields, name) !== undefined)
}
