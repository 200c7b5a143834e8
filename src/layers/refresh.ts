import { AsyncLocalStorage } from 'node:async_hooks'
import { unlessCancelled } from '../cancellation.ts'
import { outOfScope } from '../deadline.ts'
import type { Exchange } from '../exchange.ts'
import { parseChallenges } from '../http/challenges.ts'
import { spent } from '../http/spent.ts'
import { cancelledOutcome } from '../policy/classify.ts'
import { Credentials } from '../policy/credentials.ts'
import type { Origins } from '../policy/origins.ts'
import { fail } from '../policy/policies.ts'
import type { FailureOutcome, Handler, Layer, Outcome, Received } from '../types/exchange.ts'
import type { RefreshPolicy } from '../types/policy.ts'

/** The credentials that are being asked for in this context: what their source calls cannot wait for them. */
const asking = new AsyncLocalStorage<Credentials>()

/**
 * Sends the credentials that a source has given, and asks it anew when they are refused (RFC 9110 §15.5.2): once for all
 * calls that were refused, each of which is then sent once more. They go to the origin the call was made for, to no other.
 */
export function refreshLayer(origins: Origins): Layer {
  return (next) => (exchange) => new Refreshing(exchange, next, origins).run()
}

class Refreshing {
  readonly #exchange: Exchange
  readonly #next: Handler
  readonly #origins: Origins
  readonly #given: Exchange['request']

  constructor(exchange: Exchange, next: Handler, origins: Origins) {
    this.#exchange = exchange
    this.#next = next
    this.#origins = origins
    this.#given = exchange.request
  }

  async run(): Promise<Outcome> {
    if (!this.#isOurs) return this.#next(this.#exchange)
    const sources = this.#exchange.options.refreshes.map((policy) => this.#of(policy))
    for (const credentials of sources) {
      if (asking.getStore() === credentials || !credentials.isDue(this.#now())) continue
      const failure = await this.#asked(credentials)
      if (failure !== undefined && typeof failure !== 'boolean') return failure
    }
    const generations = new Map(sources.map((credentials) => [credentials, credentials.generation]))
    const outcome = await this.#send(sources)
    if (outcome.policy.kind !== 'refresh' || outcome.kind !== 'response') return outcome
    const credentials = this.#of(outcome.policy)
    if (asking.getStore() === credentials) return outcome
    if (this.#given.content?.replayable === false) {
      this.#exchange.notRepeated = 'content cannot be replayed'
      return outcome
    }
    const refused = await spent(this.#exchange, outcome)
    const isKnown = credentials.generation === (generations.get(credentials) ?? credentials.generation)
    const failure = isKnown || credentials.busy ? await this.#asked(credentials, outcome.received) : true
    if (typeof failure !== 'boolean') return failure
    return failure ? this.#send([...new Set([...sources, credentials])]) : refused
  }

  /** A redirect to another origin is asked for neither: credentials are not for whoever asks. */
  get #isOurs(): boolean {
    const { options, redirects, request } = this.#exchange
    if (options.baseUrl !== undefined) return (request.service ?? request.origin) === options.baseUrl.origin
    return !redirects.crossedOrigins
  }

  #of(policy: RefreshPolicy): Credentials {
    return this.#origins.ofService(this.#given).part(policy, Credentials)
  }

  #now(): number {
    return this.#exchange.options.clock.now()
  }

  /** Sends the request with the credentials, and leaves it as the caller gave it: they are not for the next hop. */
  async #send(sources: readonly Credentials[]): Promise<Outcome> {
    const exchange = this.#exchange
    const { fields } = this.#given
    const applied = sources.reduce((all, credentials) => credentials.applied(all), fields)
    exchange.request = { ...this.#given, fields: applied }
    const outcome = await this.#next(exchange)
    exchange.request = { ...exchange.request, fields }
    return outcome
  }

  /** Whether the source has credentials now; an outcome when it failed, or the call has ended meanwhile. */
  async #asked(credentials: Credentials, received?: Received): Promise<boolean | FailureOutcome> {
    const exchange = this.#exchange
    const { options } = exchange
    const { request } = exchange.facts()
    const challenges = ['www-authenticate', 'proxy-authenticate'].flatMap((name) => parseChallenges(received?.field(name)))
    const startMs = this.#now()
    exchange.limit()
    try {
      const now = options.clock.now.bind(options.clock)
      // It serves others, too: it is bound neither by the deadline of this call nor by its end.
      const answer = asking.run(credentials, () => outOfScope(() => credentials.refresh({ challenges, request }, now)))
      const hasSome = await unlessCancelled(answer, exchange)
      if (hasSome === undefined || exchange.cancelled) return cancelledOutcome(exchange.reason, options.on)
      exchange.noteWait(this.#now() - startMs, 'refresh')
      return hasSome
    } catch (error) {
      return { kind: 'failure', error, sent: 'maybe', policy: fail() }
    }
  }
}
