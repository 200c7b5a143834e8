import { statusClass, statusRow } from './table.ts'

/** What an answer says about its origin: it is well, it fails, or it asks for less. */
export type Health = 'well' | 'failing' | 'limiting'

/** What a status says about its origin: a 5xx that may be repeated is its failure, a 4xx or a 501 that of the request. */
export function healthOf(status: number): Health {
  const { policy } = statusRow(status)
  if (policy === 'pause') return 'limiting'
  return policy === 'retry' && statusClass(status) === '5xx' ? 'failing' : 'well'
}
