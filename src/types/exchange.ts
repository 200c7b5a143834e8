import type { Cancellation } from '../cancellation.ts'
import type { ResolvedOptions } from './options.ts'
import type { Policy } from './policy.ts'
import type { AttemptTrace, RedirectTrace, RefusalReason, RequestFacts, WaitReason } from './trace.ts'
import type { Information } from './transport.ts'

/** Request content in a form that can be opened once per attempt. */
export interface Content {
  /** The media type to send when the caller names none. */
  readonly type: string | null
  /** Whether {@link Content.open} gives the same bytes a second time. */
  readonly replayable: boolean
  open(): string | Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array<ArrayBuffer>>
  /** What the caller's own source failed with, if it did. */
  failure(): { readonly error: unknown } | undefined
  /** Tells a one-shot source that nobody will read on. */
  discard(reason: unknown): void
}

/** The request of the current hop. */
export interface HopRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Record<string, string>
  readonly content: Content | null
}

/** One send of a request. */
export interface Attempt {
  readonly request: HopRequest
  readonly cancellation: Cancellation
  /** The request and the numbers of the call so far, for an error. */
  facts(): CallFacts
  readonly onInformation: ((information: Information) => void) | undefined
}

/** Sends an attempt; resolves once the header section of the response is there, rejects with one of our errors. */
export type Send = (attempt: Attempt) => Promise<Response>

/** The part of every error that tells of its call. */
export interface CallFacts {
  readonly request: RequestFacts
  readonly attempts: number
  readonly elapsedMs: number
}

/** An attempt as it is being recorded. */
export type AttemptRecord = { -readonly [Key in keyof AttemptTrace]: AttemptTrace[Key] }

/** One call, from fetch to the last byte: its request, its options and what happened so far. */
export interface Exchange {
  readonly options: ResolvedOptions
  readonly cancellation: Cancellation
  /** Monotonic milliseconds at the start of the call. */
  readonly startMs: number
  /** Monotonic milliseconds at which the call ends; Infinity without a limit. */
  readonly deadlineMs: number
  readonly redirectMode: 'follow' | 'manual' | 'error'
  /** Whether this call, not the client, set `timeoutMs`. */
  readonly ownTimeout: boolean
  readonly attempts: AttemptRecord[]
  readonly redirects: RedirectTrace[]
  /** The content of a Request, not read yet. */
  readonly requestStream: ReadableStream<Uint8Array<ArrayBuffer>> | null
  /** The content of the call, whatever its current hop sends. */
  content: Content | null
  /** The request of the current hop; a redirect replaces it. */
  request: HopRequest
  /** Attempts after the first of a hop; counted over the whole call. */
  retries: number
  /** The wait to be noted on the next attempt. */
  waited: { ms: number; reason: WaitReason } | null
  notRepeated: RefusalReason | null
  facts(): CallFacts
}

/** What an attempt, or the layers above it, came to. Layers return outcomes and never throw them. */
export type Outcome = ResponseOutcome | FailureOutcome

/** A response arrived. */
export interface ResponseOutcome {
  readonly kind: 'response'
  readonly response: Response
  readonly policy: Policy
  /** Milliseconds the origin's gate is closed for because of this response. */
  readonly heldMs?: number
}

/** No response arrived, or none that may be used. */
export interface FailureOutcome {
  readonly kind: 'failure'
  readonly error: unknown
  /** Whether the request can have reached the origin. */
  readonly sent: 'no' | 'maybe'
  readonly policy: Policy
}

/** Handles an exchange to its outcome. */
export type Handler = (exchange: Exchange) => Promise<Outcome>

/** Adds one feature around a handler; built once per client. */
export type Layer = (next: Handler) => Handler
