import type { Origins } from '../policy/origins.ts'
import type { Layer } from '../types/exchange.ts'
import type { RateLimitConfig } from '../types/protection.ts'

/** Not built yet. */
export function rateLimitLayer(_origins: Origins, _config: RateLimitConfig): Layer {
  return (next) => next
}
