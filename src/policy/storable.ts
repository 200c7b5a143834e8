import { type Directives, parseDirectives } from '../http/cache-control.ts'
import { fieldOf } from '../http/fields.ts'
import { cacheableStatuses, isInformational, notModifiedStatus, partialStatus, statusRow } from '../status/table.ts'
import type { Fields } from '../types/exchange.ts'
import type { Dated } from './freshness.ts'

/** Whether a response to a GET may be stored, RFC 9111 §3; `fields` are those of its request. */
export function isStorable(response: Dated, fields: Fields, shared: boolean): boolean {
  const { status } = response
  if (isInformational(status) || status === partialStatus || status === notModifiedStatus) return false
  if (names(response.field('vary')).includes('*')) return false
  const directives = parseDirectives(response.field('cache-control'))
  if (!isAllowed(status, directives)) return false
  if (shared && !isForMany(response, directives, fields)) return false
  return isExplicit(response, directives, shared) || cacheableStatuses.has(status)
}

/** `must-understand` takes the place of `no-store` where the status is understood, RFC 9111 §5.2.2.3. */
function isAllowed(status: number, directives: Directives): boolean {
  if (!directives.has('must-understand')) return !directives.has('no-store')
  return statusRow(status).phrase !== ''
}

/**
 * Whether a shared cache may store it. A `private` that names fields is read as one that names none; a Set-Cookie is for
 * one user, unless the response says that it is for all (RFC 9111 §7.3).
 */
function isForMany(response: Dated, directives: Directives, fields: Fields): boolean {
  if (directives.has('private')) return false
  const forAll = directives.has('public') || directives.has('s-maxage')
  if (response.field('set-cookie') !== null && !forAll) return false
  return fieldOf(fields, 'authorization') === undefined || forAll || directives.has('must-revalidate')
}

/** Whether the response itself says that it may be stored. */
function isExplicit(response: Dated, directives: Directives, shared: boolean): boolean {
  if (directives.has('public') || directives.has('max-age') || response.field('expires') !== null) return true
  return directives.has(shared ? 's-maxage' : 'private')
}

/** The names in a list of field names, in lower case. */
export function names(list: string | null): readonly string[] {
  const items = list?.split(',').map((name) => name.trim().toLowerCase()) ?? []
  return items.filter((name) => name !== '')
}
