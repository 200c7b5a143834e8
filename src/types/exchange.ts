import type { Cancellation } from '../cancellation.ts'
import type { Scope } from '../deadline.ts'
import type { HttpError, HttpErrorDetails } from '../errors/http-error.ts'
import type { Exchange } from '../exchange.ts'
import type { Observation } from '../observation.ts'
import type { Body, Bytes, Watcher } from './body.ts'
import type { ResolvedOptions } from './options.ts'
import type { Policy } from './policy.ts'
import type { Terms } from './terms.ts'
import type { AttemptTrace, RedirectTrace, RequestFacts } from './trace.ts'
import type { Information } from './transport.ts'

/** A stream of bytes, as fetch takes and gives it. */
export type ByteStream = ReadableStream<Bytes>

/** Request content in a form that can be opened once per attempt. */
export interface Content {
  /** The media type to send when the caller names none. */
  readonly type: string | null
  /** Whether {@link Content.open} gives the same bytes a second time. */
  readonly replayable: boolean
  open(): string | Bytes | Blob | ByteStream
  /** Bytes of a stream whose length is known once it is open. */
  readonly size?: number | undefined
  /** What the caller's own source failed with, if it did. */
  failure(): { readonly error: unknown } | undefined
  /** Tells a one-shot source that nobody will read on. */
  discard(reason: unknown): void
}

/** Fields as they are sent: name, value, name, value; the names in lower case, each once. */
export type Fields = readonly string[]

/** The request of the current hop. */
export interface HopRequest {
  readonly method: string
  /** The target, without a fragment. */
  readonly href: string
  readonly origin: string
  readonly fields: Fields
  readonly content: Content | null
  /** The origin the call names, where one of several endpoints takes its place. */
  readonly service?: string
  /** The media type of content that was sent, and is not kept; null for content without one. */
  readonly forgotten?: string | null
  /** The credentials among the fields, whatever their names. */
  readonly granted?: readonly { readonly record: Readonly<Record<string, string>> }[]
  /** Whether its conditions are those of a cache, which asks whether what it has stored is still right. */
  readonly validates?: boolean
}

/** What the choice among several endpoints has to know of a call, and the retry of the choice. */
export interface Route {
  /** The origins tried so far. */
  readonly tried: readonly string[]
  /** How many others are left that may well answer. */
  readonly others: number
  /** Whether the next attempt goes to the same one: it asked for a wait. */
  stays: boolean
}

/** The redirects of a call. */
export interface Redirects {
  readonly hops: readonly RedirectTrace[]
  /** Whether one led to another origin. */
  readonly crossedOrigins: boolean
}

/** What a call asks for, read and checked. */
export interface Asked {
  readonly options: ResolvedOptions
  readonly request: HopRequest
  readonly requestStream: ByteStream | null
  readonly terms: Terms
  /** What it inherits from the work it is part of. */
  readonly scope: Scope | undefined
  /** When it began, if that is not now. */
  readonly startMs?: number
}

/** A response as it was received; the Response of the caller is made of it once somebody asks for it. */
export interface Received {
  readonly status: number
  readonly statusText: string
  readonly url: string
  /** Whether there is no content, whatever the fields say. */
  readonly bodiless: boolean
  /** What is left to be read of the content; null where that is nothing. */
  readonly body: Body | null
  /** The fields, which cannot be changed. */
  readonly headers: Headers
  /** The same Response each time. */
  readonly response: Response
  /** Whether it came by a redirect, and by one to another origin. */
  redirected: boolean
  crossedOrigins: boolean
  /** Whether this very stream was taken from its Response. */
  gave(stream: ReadableStream): boolean
  /** The value of one field; null when it is absent. */
  field(name: string): string | null
  /** Gives the rest of the content up, whoever was reading it. */
  release(reason: unknown): void
  /** Tells `watcher` how the body is getting on. */
  watch(watcher: Watcher): void
}

/** One send of a request, as a transport sees it: it is answered or it fails, once. */
export interface Attempt extends Cancellation {
  readonly request: HopRequest
  readonly onInformation: ((information: Information) => void) | undefined
  readonly maxDecodedBytes: number | false
  /** The protocols to switch to, RFC 9110 §7.8; undefined for the usual request. */
  readonly upgrade: string | undefined
  /** Milliseconds to wait for a 100 Continue before content is sent, RFC 9110 §10.1.1; false to send it at once. */
  readonly expectContinue: number | false
  /** What is to be told all of it; undefined where nobody observes. */
  readonly observation: Observation | undefined
  /** Runs `run` so that calls within it inherit the deadline of this call, and are not repeated where this one is. */
  within<Result>(run: () => Result): Result
  /** Set when the request was sent again: over a fresh connection, or without a refused Expect; once at most. */
  resent: boolean
  /** The request and the numbers of the call so far, for an error. */
  facts(): CallFacts
  /** The header section of the response is there. */
  answered(received: Received): void
  /** There will be none; our error, or the reason of the cancellation. */
  failed(error: unknown): void
}

/** Starts to send an attempt. */
export type Send = (attempt: Attempt) => void

/** The part of every error that tells of its call. */
export interface CallFacts {
  readonly request: RequestFacts
  readonly attempts: number
  readonly elapsedMs: number
  readonly exchange: Exchange
}

/** An attempt as it is remembered. */
export interface AttemptRecord extends Cancellation {
  /** Monotonic milliseconds of its start. */
  readonly startMs: number
  readonly previous: AttemptRecord | undefined
  /** Whether it has no outcome yet. */
  readonly underWay: boolean
  /** Milliseconds from its start to its outcome; 0 before. */
  readonly durationMs: number
  /** Lets go of what it sent. */
  forgetContent(): void
  trace(): AttemptTrace
}

/** What an attempt, or the layers above it, came to. Layers return outcomes and never throw them. */
export type Outcome = ResponseOutcome | FailureOutcome | SubstituteOutcome

/** A response arrived. */
export interface ResponseOutcome {
  readonly kind: 'response'
  readonly received: Received
  readonly policy: Policy
  /** Milliseconds the origin's gate is closed for because of this response. */
  readonly heldMs?: number
  /** The class of its error, where that is not the one of its status. */
  readonly failure?: new (
    details: HttpErrorDetails,
  ) => HttpError
  /** The credentials that were put on the request. */
  readonly grants?: readonly object[]
  /** Whether another call gets the very same: one of them is enough to store it. */
  readonly isCopy?: boolean
}

/** No response arrived, or none that may be used. */
export interface FailureOutcome {
  readonly kind: 'failure'
  readonly error: unknown
  /** Whether the request can have reached the origin. */
  readonly sent: 'no' | 'maybe'
  readonly policy: Policy
}

/** The caller's own answer takes the place of what happened. */
export interface SubstituteOutcome {
  readonly kind: 'substitute'
  readonly response: Response
  readonly policy: Policy
}

/** Handles an exchange to its outcome. */
export type Handler = (exchange: Exchange) => Promise<Outcome>

/** Adds one feature around a handler; built once per client. */
export type Layer = (next: Handler) => Handler
