import type { Origins } from '../policy/origins.ts'
import type { Layer } from '../types/exchange.ts'
import type { ConcurrencyConfig } from '../types/protection.ts'

/** Not built yet. */
export function concurrencyLayer(_origins: Origins, _config: ConcurrencyConfig): Layer {
  return (next) => next
}
