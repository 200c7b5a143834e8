import type { Origins } from '../policy/origins.ts'
import type { Layer } from '../types/exchange.ts'
import type { ResolvedOptions } from '../types/options.ts'
import type { BreakerConfig, BreakerControl } from '../types/protection.ts'

/** Not built yet. */
export function breakerLayer(_origins: Origins, _config: BreakerConfig): Layer {
  return (next) => next
}

/** Not built yet. */
export function breakerControl(_origins: Origins, _options: ResolvedOptions, _origin: string | URL): BreakerControl {
  throw new TypeError('breaker: the client has none')
}
