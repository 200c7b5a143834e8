import { createFetch } from './built.ts'
import type { Open } from './client.ts'
import { openWith } from './steadfetch.ts'

/** steadfetch with retry budget, circuit breaker, gate, throttle, concurrency and rate limits on. */
export const open: Open = (_origin, dispatcher) =>
  openWith(
    createFetch({
      breaker: true,
      throttle: true,
      concurrency: 1_000_000,
      rateLimit: { limit: 1_000_000_000 },
      ...(dispatcher === undefined ? {} : { dispatcher }),
    }),
  )
