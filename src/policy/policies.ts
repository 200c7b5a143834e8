import type { CredentialsSource, RefreshOptions, RefreshPolicy } from '../types/credentials.ts'
import type {
  AcceptPolicy,
  FailPolicy,
  FallbackPolicy,
  FollowOptions,
  FollowPolicy,
  PauseOptions,
  PausePolicy,
  Policy,
  PolicyWord,
  PollOptions,
  PollPolicy,
  RetryOptions,
  RetryPolicy,
  Substitute,
} from '../types/policy.ts'
import { bare, checkFlag, checkKeys, checkMembers, checkNumber, checkOneOf, invalidOption } from './checks.ts'

/** Delivers the response, whatever its status. */
export function accept(): AcceptPolicy {
  return bare({ kind: 'accept' })
}

/** Throws the typed error of the status; with `errors: 'return'` the response is returned. */
export function fail(): FailPolicy {
  return bare({ kind: 'fail' })
}

/**
 * Sends the request again after a back-off with full jitter, or after Retry-After (RFC 9110 §10.2.3), where that is
 * safe (RFC 9110 §9.2.2); the error is thrown when it is not, or when the attempts are spent.
 *
 * @throws TypeError for an invalid option.
 */
export function retry(options: RetryOptions = {}): RetryPolicy {
  return bare({ kind: 'retry', ...checkedRetry('retry', options, []) })
}

/**
 * Holds every call to the origin back until Retry-After (RFC 6585 §4) has passed, lets one probe go first, then
 * releases the others at the pace the origin has taken before; repeats the request as {@link retry} does.
 *
 * @throws TypeError for an invalid option.
 */
export function pause(options: PauseOptions = {}): PausePolicy {
  checkNumber('pause', 'maxHeld', bare(options).maxHeld, { min: 0, integer: true })
  return bare({ kind: 'pause', ...checkedRetry('pause', options, ['maxHeld']) })
}

/**
 * Follows the redirect, RFC 9110 §15.4; without a Location the response is delivered.
 *
 * @throws TypeError for an invalid option.
 */
export function follow(options: FollowOptions = {}): FollowPolicy {
  checkKeys('follow', options, ['maxHops', 'allowDowngrade', 'replayCrossOrigin', 'strip'])
  const own = bare(options)
  checkNumber('follow', 'maxHops', own.maxHops, { min: 0, integer: true })
  checkFlag('follow', 'allowDowngrade', own.allowDowngrade)
  checkFlag('follow', 'replayCrossOrigin', own.replayCrossOrigin)
  checkOneOf('follow', 'strip', own.strip, ['credential-like', 'standard'])
  return bare({ kind: 'follow', ...own })
}

/**
 * Asks for the outcome of accepted work, RFC 9110 §15.3.3, at the status monitor that the response names, until the work is
 * done; the answer is the response of the call. Without a monitor the response itself is delivered.
 *
 * @throws TypeError for an invalid option.
 */
export function poll(options: PollOptions = {}): PollPolicy {
  checkKeys('poll', options, ['intervalMs', 'maxIntervalMs', 'timeoutMs', 'until'])
  const own = bare(options)
  const interval = { min: 1 }
  const rules = { intervalMs: interval, maxIntervalMs: interval, timeoutMs: 'duration', until: 'function' } as const
  checkMembers('poll', own as Record<string, unknown>, rules)
  const { intervalMs = 1, maxIntervalMs = Infinity } = own
  if (maxIntervalMs < intervalMs)
    throw invalidOption('poll', 'maxIntervalMs', `at least intervalMs, ${intervalMs}`, maxIntervalMs)
  return bare({ kind: 'poll', ...own })
}

/**
 * Answers with a substitute instead of the failure; with `after`, once that policy has given up.
 *
 * @throws TypeError when the substitute is neither a Response nor a function.
 */
export function fallback(substitute: Response | Substitute, options: { after?: RetryPolicy | PausePolicy } = {}): FallbackPolicy {
  checkKeys('fallback', options, ['after'])
  checkAfter(bare(options).after)
  if (typeof substitute === 'function') return bare({ kind: 'fallback', substitute, ...options })
  if (!(substitute instanceof Response)) throw new TypeError('fallback: the substitute must be a Response or a function')
  return bare({ kind: 'fallback', substitute: () => substitute.clone(), ...options })
}

/**
 * Asks `source` for new credentials, once for all calls to the origin that such an answer refuses (RFC 9110 §15.5.2), and sends
 * each of them again with the fields it gives, once. They are put on all later requests to the origin that the calls are made
 * for, in the place of fields of the same names, until they are refused. Make it once: a source is what calls share.
 *
 * @throws TypeError when the source is no function, and for an invalid option.
 */
export function refresh(source: CredentialsSource, options: RefreshOptions = {}): RefreshPolicy {
  // What was given is not shown: it may be a token.
  if (typeof source !== 'function') throw new TypeError(`refresh: the source must be a function, got ${typeof source}`)
  checkKeys('refresh', options, ['eager', 'maxAgeMs'])
  const own = bare(options)
  checkFlag('refresh', 'eager', own.eager)
  checkNumber('refresh', 'maxAgeMs', own.maxAgeMs, { min: 1 })
  return bare({ kind: 'refresh', source, ...own })
}

/** A policy from its bare word. */
export function fromWord(word: PolicyWord): Policy {
  return words[word]
}

/** The part of a policy that is willing to wait and send again. */
export function patient(policy: Policy): RetryPolicy | PausePolicy | undefined {
  if (policy.kind === 'retry' || policy.kind === 'pause') return policy
  return policy.kind === 'fallback' ? policy.after : undefined
}

/** Whether it is a policy or the bare word for one, as far as can be seen from its kind. */
export function isPolicy(value: unknown): value is Policy | PolicyWord {
  if (typeof value === 'string') return Object.hasOwn(words, value)
  return (
    typeof value === 'object' && value !== null && Object.hasOwn(value, 'kind') && Object.hasOwn(checks, (value as Policy).kind)
  )
}

/** Checks a policy that may have been written by hand. @throws TypeError for an invalid member. */
export function checkPolicy(policy: Policy): void {
  const { kind, ...options } = bare(policy)
  checks[kind](options as never)
}

/** Each kind is made again, which checks what it is made of. */
const checks: Readonly<Record<Policy['kind'], (options: never) => unknown>> = {
  accept: (options: object) => checkKeys('accept', options, []),
  fail: (options: object) => checkKeys('fail', options, []),
  retry,
  pause,
  follow,
  poll,
  fallback: ({ substitute, ...options }: FallbackPolicy) => fallback(substitute, options),
  refresh: ({ source, ...options }: RefreshPolicy) => refresh(source, options),
}

function checkAfter(after: Policy | undefined): void {
  if (after === undefined) return
  if (!isPolicy(after) || (after.kind !== 'retry' && after.kind !== 'pause'))
    throw invalidOption('fallback', 'after', 'a policy made by retry or pause', after)
  checkPolicy(after)
}

function checkedRetry<Options extends RetryOptions>(name: string, options: Options, more: readonly string[]): Options {
  checkKeys(name, options, ['maxAttempts', 'baseMs', 'capMs', 'maxWaitMs', 'repeat', ...more])
  const own = bare(options)
  checkNumber(name, 'maxAttempts', own.maxAttempts, { min: 1, integer: true })
  checkNumber(name, 'baseMs', own.baseMs, { min: 0 })
  checkNumber(name, 'capMs', own.capMs, { min: 0 })
  checkNumber(name, 'maxWaitMs', own.maxWaitMs, { min: 0, infinite: true })
  checkOneOf(name, 'repeat', own.repeat, ['idempotent', 'any'])
  return own
}

const words: Readonly<Record<PolicyWord, Policy>> = {
  accept: accept(),
  fail: fail(),
  retry: retry(),
  pause: pause(),
  follow: follow(),
  poll: poll(),
}
