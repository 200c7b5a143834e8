import type { RedirectFailure } from '../errors/failures.ts'
import type { OriginHealth } from './health.ts'
import type { AttemptTrace, RedirectTrace, RefusalReason, RequestFacts, Trace, WaitReason } from './trace.ts'

/** What every event tells. */
export interface EventOfCall {
  /** Names the call within this process: all that happens to it has the same number. */
  readonly call: number
  /** The request that the call sends at this time, with secrets masked. */
  readonly request: RequestFacts
  /** Milliseconds from the start of the call. */
  readonly atMs: number
}

/** What an attempt came to: a status, or the code of a failure. */
interface Result {
  readonly status?: number
  readonly error?: string
}

/** Lets a listener run what comes next in a context of its own, as tracing does. */
interface Wrapping {
  /** `around` is given what is to be run, and runs it; should it not, that is done for it. */
  readonly wrap: (around: (run: () => void) => void) => void
}

/** What happened to an attempt. */
interface AttemptEvent {
  /** Its place among the attempts of the call, from 1. */
  readonly attempt: number
}

/** What is left of the retry budget of the origin; undefined where there is none. */
interface Budget {
  readonly tokens: number | undefined
}

/** What a cache did, as a member of Cache-Status (RFC 9211). */
interface CacheEvent {
  readonly cache: string
}

/** What happened to the state of an origin. */
interface OriginEvent {
  readonly origin: string
}

/** The events of a client, and what each tells beside {@link EventOfCall}. */
export interface EventMap {
  /** Told before anything is done for the call. */
  readonly 'call.started': Wrapping
  /** The call was returned or thrown; the body of its response may still be read. */
  readonly 'call.ended': Result & { readonly trace: Trace }
  /** Told before the request is sent. */
  readonly 'attempt.started': AttemptEvent & Wrapping & { readonly setField: (name: string, value: string) => void }
  /** A response arrived whose status is below 400, whatever its policy makes of it. */
  readonly 'attempt.succeeded': AttemptEvent & { readonly result: AttemptTrace }
  readonly 'attempt.failed': AttemptEvent & { readonly result: AttemptTrace }
  /** The request is sent again, in `waitMs` at the earliest; where a pause is on, the gate of the origin says when. */
  readonly 'retry.scheduled': AttemptEvent & Result & Budget & { readonly waitMs: number; readonly reason: WaitReason }
  /** It is not, although its policy would. */
  readonly 'retry.refused': Result & Budget & { readonly why: RefusalReason }
  /** An answer asked for a pause: for so long nothing is sent to the origin. */
  readonly 'pause.started': OriginEvent & { readonly status: number; readonly waitMs: number }
  /** The probe after a pause was answered: the calls that are held go on. */
  readonly 'pause.ended': OriginEvent & { readonly held: number }
  readonly 'breaker.opened': OriginEvent & { readonly openMs: number }
  readonly 'breaker.halfOpened': OriginEvent
  readonly 'breaker.closed': OriginEvent
  /** More of its requests fail than the option `health` allows. */
  readonly 'origin.failing': OriginHealth
  readonly 'origin.recovered': OriginHealth
  readonly 'redirect.followed': RedirectTrace
  readonly 'redirect.refused': { readonly status: number; readonly why: RedirectFailure }
  /** A fresh response was found. */
  readonly 'cache.hit': CacheEvent
  /** A stale response is the answer: its caller, its origin, or a failure allows it. */
  readonly 'cache.stale': CacheEvent
  /** The origin said that what is stored is still right. */
  readonly 'cache.revalidated': CacheEvent
  /** A response is stored as it is read; one that is cut short is not kept. */
  readonly 'cache.stored': CacheEvent
  /** There are no tokens left for another retry. */
  readonly 'budget.emptied': OriginEvent
  /** The request was sent a second time, as its answer takes long. */
  readonly 'hedge.sent': object
  /** The answer to the second request came first. */
  readonly 'hedge.won': object
}

/** The name of an event; that of its channel in `node:diagnostics_channel` begins with `steadfetch:`. */
export type EventName = keyof EventMap

/** What a listener is given. */
export type EventOf<Name extends EventName> = EventOfCall & EventMap[Name]

/** Takes away what was added. */
export type Unsubscribe = () => void
