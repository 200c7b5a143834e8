import type { Origins } from '../policy/origins.ts'
import type { Layer } from '../types/exchange.ts'
import type { EndpointsConfig } from '../types/protection.ts'

/** Not built yet. */
export function endpointsLayer(_origins: Origins, _config: EndpointsConfig): Layer {
  return (next) => next
}
