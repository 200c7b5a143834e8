import { type Directives, parseCacheControl, secondsOf } from '../http/cache-control.ts'
import { fieldOf } from '../http/fields.ts'
import { isInformational, notModifiedStatus, partialStatus, statusRow } from '../status/table.ts'
import type { CacheConfig } from '../types/cache.ts'
import type { Fields, Received } from '../types/exchange.ts'
import { isHeuristic } from './freshness.ts'

/** Whether the response to a GET or HEAD request of these fields may be stored, RFC 9111 §3. */
export function isStorable(fields: Fields, received: Received, config: CacheConfig): boolean {
  const { status } = received
  const directives = parseCacheControl(received.field('cache-control'))
  if (isInformational(status) || status === notModifiedStatus || status === partialStatus) return false
  const understood = statusRow(status).phrase !== ''
  if (directives.has('must-understand') ? !understood : directives.has('no-store')) return false
  if (parseCacheControl(fieldOf(fields, 'cache-control')).has('no-store')) return false
  if (varyOf(received.field('vary')).includes('*')) return false
  if (config.shared && !isShareable(fields, directives)) return false
  return hasLifetime(received, directives, config) || isHeuristic(status, directives)
}

/** Whether it may be given to other users than the one who asked, RFC 9111 §3.5 and §5.2.2.7. */
function isShareable(fields: Fields, directives: Directives): boolean {
  if (directives.has('private')) return false
  if (fieldOf(fields, 'authorization') === undefined) return true
  return ['public', 'must-revalidate', 's-maxage'].some((name) => directives.has(name))
}

function hasLifetime(received: Received, directives: Directives, config: CacheConfig): boolean {
  if (config.shared ? secondsOf(directives, 's-maxage') !== undefined : directives.has('private')) return true
  return directives.has('max-age') || received.field('expires') !== null
}

/** The names of the fields a response varies by, RFC 9110 §12.5.5; `'*'` for what nobody here knows. */
export function varyOf(value: string | null): string[] {
  return (value ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
}
