import { unlessCancelled } from '../cancellation.ts'
import { inRenewal } from '../deadline.ts'
import type { Exchange } from '../exchange.ts'
import { parseChallenges } from '../http/challenges.ts'
import { readExcerpt } from '../http/excerpt.ts'
import { mergeFields, noFields } from '../http/fields.ts'
import { revived } from '../http/received.ts'
import { cancelledOutcome } from '../policy/classify.ts'
import { type Credentials, longestRefreshMs } from '../policy/credentials.ts'
import { challengeField, type Keyring, mayChallenge } from '../policy/keyring.ts'
import { fail } from '../policy/policies.ts'
import type { RefreshInput, RefreshPolicy } from '../types/credentials.ts'
import type { Fields, Handler, Layer, Outcome, Received, ResponseOutcome } from '../types/exchange.ts'

/** What is to be got, and for what. */
interface Need {
  readonly credentials: Credentials
  readonly policy: RefreshPolicy
  /** When the request was sent that was refused; now where none was. */
  readonly sentMs: number
  readonly refusal?: Received
}

/** Holds a request back while credentials are asked for that it needs: they are too old, refused to others, or wanted at once. */
export function aheadLayer(keyring: Keyring): Layer {
  return (next) => (exchange) => {
    const policy = due(exchange, keyring)
    return policy === undefined ? next(exchange) : ahead(exchange, keyring, next)
  }
}

/** Has what refused the credentials of a call replaced, and sends its request once more (RFC 9110 §11.6.2). */
export function refreshLayer(keyring: Keyring): Layer {
  return (next) => async (exchange) => {
    const outcome = await next(exchange)
    if (outcome.kind !== 'response' || outcome.policy.kind !== 'refresh' || exchange.terms.replayed) return outcome
    const end = await replaced(exchange, keyring, outcome, outcome.policy)
    if (end !== undefined) return end
    exchange.terms = { ...exchange.terms, replayed: true }
    return next(exchange)
  }
}

/** A policy whose credentials must be asked for, or waited for, before the request is sent. */
function due(exchange: Exchange, keyring: Keyring): RefreshPolicy | undefined {
  const { clock, on } = exchange.options
  const isDue = (policy: RefreshPolicy): boolean => keyring.credentials(exchange, policy)?.isDue(policy, clock.now()) === true
  return keyring.policies(on).find(isDue)
}

async function ahead(exchange: Exchange, keyring: Keyring, next: Handler): Promise<Outcome> {
  exchange.limit()
  for (const policy of keyring.policies(exchange.options.on)) {
    const sentMs = exchange.options.clock.now()
    const credentials = keyring.credentials(exchange, policy)
    if (credentials?.isDue(policy, sentMs) !== true) continue
    const end = await got(exchange, { credentials, policy, sentMs })
    if (end !== undefined && end !== 'none') return end
  }
  return next(exchange)
}

/** What the call ends with; undefined when it is to be sent again. */
async function replaced(
  exchange: Exchange,
  keyring: Keyring,
  outcome: ResponseOutcome,
  policy: RefreshPolicy,
): Promise<Outcome | undefined> {
  const { received, grants } = outcome
  const { options, request } = exchange
  const credentials = keyring.credentials(exchange, policy)
  if (credentials === undefined || exchange.cancelled || !mayChallenge(received.status, request.href)) return outcome
  keyring.learn(options.on, policy)
  const sentMs = exchange.latest?.startMs ?? exchange.startMs
  // Read before anybody is asked: the source may need the connection.
  const excerpt = await readExcerpt(received.body, options.clock, exchange.deadlineMs)
  received.release(undefined)
  const refusal: Outcome = { ...outcome, received: revived(received, excerpt) }
  const { grant } = credentials
  // Others have got newer ones meanwhile.
  const isStale = grant !== undefined && grants?.includes(grant) !== true
  const end = isStale ? undefined : await got(exchange, { credentials, policy, sentMs, refusal: revived(received, excerpt) })
  if (isStale) exchange.noteWait(0, 'refresh')
  if (end === 'none') return refusal
  if (end !== undefined || request.content?.replayable !== false) return end
  exchange.notRepeated = 'content cannot be replayed'
  return refusal
}

/** Waits for credentials: undefined when there are some, `'none'` when there are none to be had, else how the call ends. */
async function got(exchange: Exchange, need: Need): Promise<Outcome | 'none' | undefined> {
  const { clock, on } = exchange.options
  if (exchange.cancelled) return cancelledOutcome(exchange.reason, on)
  const startMs = clock.now()
  try {
    const renewed = need.credentials.renewed(need.sentMs, clock, () => asked(exchange, need))
    const grant = await unlessCancelled(renewed, exchange)
    if (exchange.cancelled) return cancelledOutcome(exchange.reason, on)
    if (grant === undefined) return 'none'
    exchange.noteWait(clock.now() - startMs, 'refresh')
    return undefined
  } catch (error) {
    return { kind: 'failure', error, sent: need.refusal === undefined ? 'no' : 'maybe', policy: fail() }
  }
}

/** Asks the source, on behalf of all that wait. */
async function asked(exchange: Exchange, { credentials, policy, refusal }: Need): Promise<Fields | undefined> {
  const { clock } = exchange.options
  const { request } = exchange.facts()
  const previous = credentials.grant?.record
  const input: RefreshInput = {
    challenges: refusal === undefined ? [] : parseChallenges(refusal.field(challengeField(refusal.status))),
    request,
    ...(refusal === undefined ? {} : { response: refusal.response }),
    ...(previous === undefined ? {} : { previous }),
  }
  const fields: unknown = await inRenewal(credentials, clock, clock.now() + longestRefreshMs, () => policy.source(input))
  if (fields === undefined || fields === null) return undefined
  // A token in the place of fields is not to be shown by the error.
  if (typeof fields !== 'object') throw new TypeError(`refresh: the source must give fields, got a ${typeof fields}`)
  return mergeFields(noFields, fields as Record<string, string>)
}
