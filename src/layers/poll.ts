import { unlessCancelled, wait } from '../cancellation.ts'
import { RedirectError } from '../errors/failures.ts'
import { OperationFailedError } from '../errors/http-error.ts'
import type { Exchange } from '../exchange.ts'
import { readExcerpt } from '../http/excerpt.ts'
import { documentOf, inquiry, isPending, type Monitor, monitorOf } from '../http/monitor.ts'
import { staysAt } from '../http/redirect.ts'
import { retryAfterMs } from '../http/retry-after.ts'
import { cancelledOutcome } from '../policy/classify.ts'
import { fail } from '../policy/policies.ts'
import { defaultPollMs, type Progress, pollWaitMs, progressOf, resourceOf } from '../policy/polling.ts'
import type { FailureOutcome, Handler, HopRequest, Layer, Outcome, Received, ResponseOutcome } from '../types/exchange.ts'
import type { PollPolicy } from '../types/policy.ts'

/** The work that was accepted, and how it is asked for. */
interface Work {
  readonly policy: PollPolicy
  readonly next: Handler
  readonly request: HopRequest
  readonly monitor: Monitor
  /** Where the first response says that the result will be. */
  readonly location: string | null
}

/** What an answer of the monitor says, and its document. */
interface Report {
  readonly progress: Progress
  readonly document?: unknown
}

/**
 * Asks for the outcome of accepted work at its status monitor (RFC 9110 §15.3.3) until it is done; each poll enters the layers
 * below for its own origin, with attempts of its own.
 */
export const pollLayer: Layer = (next) => async (exchange) => {
  const first = await next(exchange)
  if (first.kind !== 'response' || first.policy.kind !== 'poll') return first
  const { received, policy } = first
  const monitor = monitorOf(received)
  if (monitor === undefined) return first
  exchange.polls(policy.timeoutMs ?? defaultPollMs)
  try {
    const location = received.field('location')
    return await polled(exchange, { policy, next, request: exchange.request, monitor, location }, received)
  } finally {
    exchange.polled()
  }
}

async function polled(exchange: Exchange, work: Work, first: Received): Promise<Outcome> {
  let answer = first
  let location: string | undefined = work.monitor.location
  for (let polls = 0; ; polls += 1) {
    await discard(exchange, answer)
    const stopped = turn(exchange, exchange.request, location, answer) ?? (await pause(exchange, work.policy, answer, polls))
    if (stopped !== undefined) return stopped
    const { hops } = exchange.redirects
    const outcome = await work.next(exchange)
    if (!isAnswer(outcome)) return outcome
    answer = outcome.received
    const report = await inspect(exchange, work.policy, answer, exchange.redirects.hops !== hops)
    if ('kind' in report) return report
    if (report.progress === 'failed') return { ...outcome, policy: fail(), failure: OperationFailedError }
    if (report.progress === 'done') return result(exchange, work, outcome, report.document)
    // Without another monitor the next poll goes where this one was answered, be it after a redirect: those of a call are counted.
    const another = isPending(answer) ? monitorOf(answer) : undefined
    location = another?.isOperation === work.monitor.isOperation ? another.location : undefined
  }
}

/** An answer that may be about the work; others have policies that say what becomes of them. */
function isAnswer(outcome: Outcome): outcome is ResponseOutcome {
  return outcome.kind === 'response' && (outcome.policy.kind === 'accept' || outcome.policy.kind === 'poll')
}

/** Frees the connection of an answer that is not delivered. */
async function discard({ options, deadlineMs }: Exchange, received: Received): Promise<void> {
  await readExcerpt(received.body, options.clock, deadlineMs)
  received.release(undefined)
}

/** Makes `location` the next target of the call, or the latest one again; a failure when it must not be asked. */
function turn(
  exchange: Exchange,
  from: HopRequest,
  location: string | undefined,
  { status }: Received,
): FailureOutcome | undefined {
  const request = location === undefined ? exchange.request : inquiry(from, location, exchange.options.redact)
  if ('kind' in request) {
    const error = new RedirectError(request.why, status, request.summary, exchange.facts())
    return { kind: 'failure', error, sent: 'maybe', policy: fail() }
  }
  const { hops, crossedOrigins } = exchange.redirects
  if (!staysAt(exchange.request, request.origin) && !crossedOrigins) exchange.redirects = { hops, crossedOrigins: true }
  exchange.request = request
  // It is no repeat of the request before it, and the credentials may have grown old since.
  exchange.retries = 0
  exchange.terms = { ...exchange.terms, replayed: false }
  exchange.route = undefined
  return undefined
}

/** Waits until the next poll is due; a failure when that is too late, or the call is cancelled. */
async function pause(
  exchange: Exchange,
  policy: PollPolicy,
  answer: Received,
  polls: number,
): Promise<FailureOutcome | undefined> {
  const { clock, random, on } = exchange.options
  const askedMs = retryAfterMs(answer, clock.wallTime)
  const remainingMs = exchange.deadlineMs - clock.now()
  const waitMs = pollWaitMs({ policy, polls, askedMs, remainingMs, random })
  if (waitMs >= remainingMs) {
    exchange.notRepeated = 'wait does not fit into timeoutMs'
    exchange.look(exchange.deadlineMs)
    return cancelledOutcome(exchange.reason, on)
  }
  if (!(await wait(clock, waitMs, exchange))) return cancelledOutcome(exchange.reason, on)
  exchange.noteWait(waitMs, 'poll')
  return undefined
}

/** What an answer says: in the words of the caller's function, else by its status, else by its document. */
async function inspect(
  exchange: Exchange,
  { until }: PollPolicy,
  answer: Received,
  redirected: boolean,
): Promise<Report | FailureOutcome> {
  try {
    if (until !== undefined) return { progress: (await asked(exchange, until, answer)) === true ? 'done' : 'pending' }
    if (isPending(answer)) return { progress: 'pending' }
    // What the monitor sees us to is the result, whatever it says of its own state.
    const document = redirected ? undefined : await documentOf(answer)
    const progress = progressOf(document)
    return progress === undefined ? { progress: 'done' } : { progress, document }
  } catch (error) {
    answer.release(error)
    if (exchange.cancelled) return cancelledOutcome(exchange.reason, exchange.options.on)
    return { kind: 'failure', error, sent: 'maybe', policy: fail() }
  }
}

/** Asks the caller's function; throws when the call is cancelled meanwhile. */
async function asked(exchange: Exchange, until: PollPolicy['until'] & {}, answer: Received): Promise<boolean | undefined> {
  const copy = answer.response.clone()
  try {
    const done = await unlessCancelled(
      exchange.within(async () => until(copy)),
      exchange,
    )
    if (exchange.cancelled) throw exchange.reason
    return done
  } finally {
    // A copy that was not read would keep all that the caller reads; one that is being read cannot be cancelled.
    if (!copy.bodyUsed) copy.body?.cancel().catch(() => {})
  }
}

/** The answer itself, or that of one more request where the monitor is a place of its own and the result another. */
async function result(exchange: Exchange, work: Work, outcome: ResponseOutcome, document: unknown): Promise<Outcome> {
  const { monitor, request, location, next } = work
  const resource = resourceOf(document)
  const target = request.method === 'PUT' || request.method === 'PATCH' ? request.href : undefined
  const expected = monitor.isOperation && document !== undefined ? (location ?? target) : undefined
  const to = resource ?? expected
  if (to === undefined) return outcome
  await discard(exchange, outcome.received)
  return turn(exchange, resource === undefined ? request : exchange.request, to, outcome.received) ?? next(exchange)
}
