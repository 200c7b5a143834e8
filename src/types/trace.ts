import type { RefusalKind } from '../errors/failures.ts'

/** The method and the target of a request, safe to log: no userinfo, no secret query values, no fragment. */
export interface RequestFacts {
  readonly method: string
  readonly url: string
}

/** Why steadfetch waited before an attempt. */
export type WaitReason = 'backoff' | 'retry-after' | 'pause' | 'failover' | 'rate limit' | 'queue' | 'refresh' | 'poll' | 'resume'

/** Why steadfetch did not send a request again. */
export type RefusalReason =
  | 'attempts spent'
  | 'method is not idempotent'
  | 'content cannot be replayed'
  | 'no Retry-After'
  | 'wait is above maxWaitMs'
  | 'wait does not fit into timeoutMs'
  | 'retry budget is empty'
  | 'retried by an outer call'
  | 'sent in early data'
  | 'resumptions spent'
  | 'representation changed'
  | 'range not served'
  | RefusalKind

/** One send, from its start to the response header section or the failure. */
export interface AttemptTrace extends RequestFacts {
  /** The status of the response, if one arrived. */
  readonly status?: number
  /** The code of the failure, if no response arrived. */
  readonly error?: string
  /** Milliseconds from the start of the call to the start of this attempt; below 0 where the call joined it later. */
  readonly startMs: number
  /** Milliseconds from the start of this attempt to its outcome. */
  readonly durationMs: number
  /** Milliseconds waited before this attempt. */
  readonly waitMs: number
  /** Why it was waited for. */
  readonly waitReason?: WaitReason
  /**
   * The request was sent twice: a reused connection had been closed by the server before any byte came back, or an
   * `Expect: 100-continue` was refused with a 417.
   */
  readonly resent?: boolean
  /** It was sent beside another attempt that took long. */
  readonly hedge?: boolean
}

/** One redirect that was followed. */
export interface RedirectTrace {
  readonly status: number
  readonly from: string
  readonly to: string
}

/** What happened in one call; see {@link traceOf}. */
export interface Trace {
  readonly attempts: readonly AttemptTrace[]
  readonly redirects: readonly RedirectTrace[]
  /** The call joined a request that another one had begun: the attempts are those of that request. */
  readonly coalesced?: true
  /** Why the last failed attempt was not repeated, where its policy would have. */
  readonly notRepeated?: RefusalReason
  /** What the cache did for the latest request, as a member of Cache-Status (RFC 9211); absent without a cache. */
  readonly cache?: string
  /** Milliseconds from the start of the call until it was returned or thrown. */
  readonly totalMs: number
}
