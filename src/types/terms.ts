import type { CacheMode } from './cache.ts'

/** What a call asks for beside its request; most calls ask for the same and share it. */
export interface Terms {
  readonly redirect: 'follow' | 'manual' | 'error'
  readonly cache: CacheMode
  /** What the content must be, in the words of Subresource Integrity §3.5; empty when nothing is asked. */
  readonly integrity: string
  /** Whether this call, not the client, set `timeoutMs`: then it holds for a body that is taken as a stream, too. */
  readonly ownTimeout: boolean
  /** The same of `maxDecodedBytes`. */
  readonly ownMaxDecoded: boolean
  /** The protocols to switch to, RFC 9110 §7.8. */
  readonly upgrade?: string
  /** The polling that the call is at. */
  readonly polling?: Polling | undefined
  /** Milliseconds it polled, which do not count to the `timeoutMs` of the client. */
  readonly polledMs?: number
  /** Whether the request was sent again with new credentials: once for each call, and once for each poll. */
  readonly replayed?: boolean
}

/** The time a call has to poll. */
export interface Polling {
  /** Monotonic milliseconds of its start and of its latest end. */
  readonly startMs: number
  readonly dueMs: number
  readonly limitMs: number | false
}
