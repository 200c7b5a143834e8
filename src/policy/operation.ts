/** How far work is that was accepted to be done later. */
export type Progress =
  | { readonly state: 'pending' | 'failed' }
  /** `resource` is where its result is, if that was told. */
  | { readonly state: 'done'; readonly resource: string | undefined }

/** Words of cloud providers for an operation that goes on, or went wrong; case and punctuation aside. */
const pending = new Set([
  'notstarted',
  'pending',
  'queued',
  'accepted',
  'started',
  'running',
  'inprogress',
  'processing',
  'working',
])
const failed = new Set(['failed', 'canceled', 'cancelled', 'error'])

/**
 * What the document of an operation says, in the ways of cloud providers: a `status` in words, or `done` with an `error`.
 * What says nothing is done.
 */
export function progressOf(text: string | undefined): Progress {
  const document = objectOf(text)
  const { status, done, error, resourceLocation } = document
  const word = typeof status === 'string' ? status.toLowerCase().replace(/[^a-z]/g, '') : ''
  if (done === false || pending.has(word)) return { state: 'pending' }
  if (failed.has(word) || (done === true && typeof error === 'object' && error !== null)) return { state: 'failed' }
  return { state: 'done', resource: typeof resourceLocation === 'string' ? resourceLocation : undefined }
}

function objectOf(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {}
  try {
    const value: unknown = JSON.parse(text)
    return Object.assign(Object.create(null) as object, value) as Record<string, unknown>
  } catch {
    return {}
  }
}
