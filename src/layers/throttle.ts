import type { Origins } from '../policy/origins.ts'
import type { Layer } from '../types/exchange.ts'
import type { ThrottleConfig } from '../types/protection.ts'

/** Not built yet. */
export function throttleLayer(_origins: Origins, _config: ThrottleConfig): Layer {
  return (next) => next
}
