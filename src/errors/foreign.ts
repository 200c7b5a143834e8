/**
 * Whether an error that is not ours tells of the network: a TypeError of fetch that has no cause does if it says so, and
 * whatever has a code of the system; another one is a bug to be seen.
 */
export function isForeignFailure(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  const isFetchFailure =
    error instanceof TypeError && (error.cause !== undefined || /fetch|network|terminated/i.test(error.message))
  return isFetchFailure || typeof (error as { code?: unknown }).code === 'string'
}
