import { type Directives, parseDirectives } from '../http/cache-control.ts'
import { isConditional } from '../http/cache-mode.ts'
import { fieldOf } from '../http/fields.ts'
import type { CacheMode } from '../types/cache.ts'
import type { Fields } from '../types/exchange.ts'
import type { Terms } from '../types/terms.ts'

/** What a request asks of the cache. */
export interface Demand {
  readonly mode: CacheMode
  readonly directives: Directives
  /** Whether the cache is to keep out of it: the caller says so, or has conditions and knows best what to make of the answer. */
  readonly bypasses: boolean
  /** Whether those conditions can be answered here: a shared cache stands for the origin, as a proxy does. */
  readonly evaluates: boolean
  /** Whether nothing is to be sent. */
  readonly onlyIfCached: boolean
}

/** What a request asks for, by its mode and by its fields; Pragma counts without a Cache-Control, RFC 9111 §5.4. */
export function demandOf(terms: Terms, fields: Fields, shared: boolean): Demand {
  const mode = modeOf(terms)
  const field = fieldOf(fields, 'cache-control')
  const pragma = field === undefined && /(?:^|,)\s*no-cache\s*(?:,|$)/i.test(fieldOf(fields, 'pragma') ?? '')
  const directives = parseDirectives(field ?? (pragma ? 'no-cache' : null))
  const bypasses = isLeftOut(mode, directives) || isConditional(fields) || fieldOf(fields, 'range') !== undefined
  const evaluates = shared && mode === 'default' && !directives.has('no-store') && isOnlyValidation(fields)
  return { mode, directives, bypasses, evaluates, onlyIfCached: mode === 'only-if-cached' || directives.has('only-if-cached') }
}

/** Whoever polls wants to know how the work is getting on now: what is stored of a monitor or of a result may be from before. */
function modeOf({ cache, polling }: Terms): CacheMode {
  return polling !== undefined && (cache === 'default' || cache === 'force-cache') ? 'no-cache' : cache
}

function isLeftOut(mode: CacheMode, directives: Directives): boolean {
  return mode === 'no-store' || directives.has('no-store')
}

/** Whether the only conditions of a request are those of a validation. */
function isOnlyValidation(fields: Fields): boolean {
  return ['if-match', 'if-unmodified-since', 'if-range', 'range'].every((name) => fieldOf(fields, name) === undefined)
}
