import { createFetch, fetchStandard } from './built.ts'
import type { Open } from './client.ts'
import { fetchLike } from './fetch-like.ts'

/** steadfetch with every policy off: plain fetch on its transport. */
export const open: Open = (_origin, dispatcher) =>
  fetchLike(createFetch({ ...fetchStandard, ...(dispatcher === undefined ? {} : { dispatcher }) }))
