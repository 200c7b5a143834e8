import type { Origins } from '../policy/origins.ts'
import type { Layer } from '../types/exchange.ts'
import type { HedgeConfig } from '../types/protection.ts'

/** Not built yet. */
export function hedgeLayer(_origins: Origins, _config: HedgeConfig): Layer {
  return (next) => next
}
