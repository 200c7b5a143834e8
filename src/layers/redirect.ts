import { wait } from '../cancellation.ts'
import { RedirectError, type RedirectFailure } from '../errors/failures.ts'
import { redactUrl } from '../errors/redact.ts'
import type { Exchange } from '../exchange.ts'
import { readExcerpt } from '../http/excerpt.ts'
import { redirection, staysAt } from '../http/redirect.ts'
import { retryAfterMs } from '../http/retry-after.ts'
import { retryDefaults } from '../policy/backoff.ts'
import { cancelledOutcome } from '../policy/classify.ts'
import { fail } from '../policy/policies.ts'
import type { FailureOutcome, Layer, Outcome, ResponseOutcome } from '../types/exchange.ts'
import type { FollowPolicy } from '../types/policy.ts'

const defaultMaxHops = 20

/** Follows redirects (RFC 9110 §15.4); each hop enters the layers below for its own origin. */
export const redirectLayer: Layer = (next) => async (exchange) => {
  let outcome = await next(exchange)
  while (outcome.kind === 'response' && outcome.policy.kind === 'follow' && exchange.terms.redirect !== 'manual') {
    const refusal = await followHop(exchange, outcome, outcome.policy)
    if (refusal === 'deliver') return outcome
    if (refusal !== undefined) return refusal
    outcome = await next(exchange)
  }
  return outcome
}

/** Makes the next hop the request of the exchange; or tells why there is none. */
async function followHop(
  exchange: Exchange,
  outcome: ResponseOutcome,
  policy: FollowPolicy,
): Promise<Outcome | 'deliver' | undefined> {
  const { received } = outcome
  const { request, options, redirects } = exchange
  const target = redirection(request, received.status, received.field('location'), policy, options.redact)
  if (target.kind === 'none') return 'deliver'
  await readExcerpt(received.body, options.clock, exchange.deadlineMs)
  received.release(undefined)
  const refuse = (why: RedirectFailure, summary: string): FailureOutcome => {
    const { events } = options
    if (events.hears('redirect.refused')) events.tell(exchange, 'redirect.refused', { status: received.status, why })
    const error = new RedirectError(why, received.status, summary, exchange.facts())
    return { kind: 'failure', error, sent: 'maybe', policy: fail() }
  }
  if (exchange.terms.redirect === 'error') return refuse('forbidden', "redirected although redirect is 'error'")
  if (target.kind === 'refused') return refuse(target.why, target.summary)
  const maxHops = policy.maxHops ?? defaultMaxHops
  if (redirects.hops.length >= maxHops) return refuse('too many', `redirected more than ${maxHops} times`)
  const askedMs = retryAfterMs(received, options.clock.wallTime) ?? 0
  if (askedMs > 0) {
    const endMs = options.clock.now() + askedMs
    if (askedMs > retryDefaults.maxWaitMs || endMs >= exchange.deadlineMs)
      return refuse('wait', 'asked to wait longer than the call can')
    if (!(await wait(options.clock, askedMs, exchange))) return cancelledOutcome(exchange.reason, options.on)
    exchange.noteWait(askedMs, 'retry-after')
  }
  const shown = (href: string): string => redactUrl(href, options.redact)
  const hop = { status: received.status, from: shown(request.href), to: shown(target.request.href) }
  const crossedOrigins = redirects.crossedOrigins || !staysAt(request, target.request.origin)
  exchange.redirects = { hops: [...redirects.hops, hop], crossedOrigins }
  if (options.events.hears('redirect.followed')) options.events.tell(exchange, 'redirect.followed', hop)
  exchange.request = target.request
  return undefined
}
