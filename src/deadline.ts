import { AsyncLocalStorage } from 'node:async_hooks'
import { type Clock, systemClock } from './clock.ts'
import { shownValue } from './errors/redact-text.ts'

/** What calls inherit from the work that they are part of. */
export interface Scope {
  readonly clock: Clock
  /** Monotonic milliseconds on that clock at which the work must be done. */
  readonly dueMs: number
  /** Whether what the calls are part of is itself repeated when it fails: then they are not. */
  readonly repeated: boolean
  /** The credentials that the work is to get: calls that are part of it do not wait for them. */
  readonly renewing?: readonly object[] | undefined
  /** Whether a call waits for the work: what it sends may be what another call asks for, too, and must not be waited for within. */
  readonly inner?: boolean | undefined
}

/** Options of {@link withDeadline}. */
export interface DeadlineOptions {
  /** Whether whoever asked for the work repeats it when it fails; calls within are then sent once only. Default false. */
  readonly repeated?: boolean
  /** The clock of the deadline. Default: the machine's. */
  readonly clock?: Clock
}

const scopes = new AsyncLocalStorage<Scope>()

/**
 * Runs `run` under a deadline that every call of any steadfetch within it inherits, however deep: none goes on for longer,
 * none waits for a retry beyond it. What `run` leaves to be run later by others, such as the rest of a generator, is not
 * within. A deadline within a deadline can only be earlier.
 *
 * @param timeoutMs milliseconds from now, 0 or more; what a server reads from the field that its client names in `deadlineField`.
 * @throws TypeError for a `timeoutMs` that is no such number.
 */
export function withDeadline<Result>(timeoutMs: number, run: () => Result, options: DeadlineOptions = {}): Result {
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
    throw new TypeError(`withDeadline: timeoutMs must be a number of at least 0, got ${shownValue(timeoutMs)}`)
  }
  const { clock = systemClock, repeated = false } = Object.assign(Object.create(null) as DeadlineOptions, options)
  return inScope({ clock, dueMs: clock.now() + timeoutMs, repeated }, run)
}

/** Milliseconds until the deadline of the work this is part of; Infinity without one. */
export function remainingMs(): number {
  const scope = scopes.getStore()
  return scope === undefined ? Infinity : Math.max(0, scope.dueMs - scope.clock.now())
}

/** What a call that starts now inherits, on its own clock. */
export function scopeOn(clock: Clock): Scope | undefined {
  const scope = scopes.getStore()
  if (scope === undefined || scope.clock === clock) return scope
  return { ...scope, clock, dueMs: clock.now() + scope.dueMs - scope.clock.now() }
}

/**
 * Runs `run`, which gets credentials, in a scope of its own: it does so for all calls that wait for them, and the deadline of
 * none of them is its own.
 */
export function inRenewal<Result>(credentials: object, clock: Clock, dueMs: number, run: () => Result): Result {
  const renewing = [...(scopes.getStore()?.renewing ?? []), credentials]
  return scopes.run({ clock, dueMs, repeated: false, renewing, inner: true }, run)
}

/** Runs `run` in no scope: what it begins serves calls to come as well, such as a connection. */
export function outOfScope<Result>(run: () => Result): Result {
  return scopes.exit(run)
}

/** Runs `run` in a scope; that around it may only make it stricter. */
export function inScope<Result>(scope: Scope, run: () => Result): Result {
  const outer = scopeOn(scope.clock)
  if (outer === undefined) return scopes.run(scope, run)
  const dueMs = Math.min(scope.dueMs, outer.dueMs)
  const repeated = scope.repeated || outer.repeated
  const inner = scope.inner ?? outer.inner
  return scopes.run({ clock: scope.clock, dueMs, repeated, renewing: outer.renewing, inner }, run)
}
