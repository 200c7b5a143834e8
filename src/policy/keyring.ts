import { ProxyAuthenticationRequiredError } from '../errors/status-errors.ts'
import type { Exchange } from '../exchange.ts'
import { errorClass } from '../status/table.ts'
import type { RefreshPolicy } from '../types/credentials.ts'
import type { PolicyTable } from '../types/policy.ts'
import { Credentials, type Grant } from './credentials.ts'
import type { Origins } from './origins.ts'
import { serviceOf } from './service.ts'

/** Most policies that functions gave to be remembered per table: one that makes a new one each time fills no memory. */
const maxLearnt = 8

/** Which credentials a request is sent with, and who is asked for them. */
export class Keyring {
  readonly #origins: Origins
  readonly #ofClient: PolicyTable
  readonly #policies = new WeakMap<PolicyTable, readonly RefreshPolicy[]>()

  constructor(origins: Origins, ofClient: PolicyTable) {
    this.#origins = origins
    this.#ofClient = ofClient
  }

  /**
   * The policies of a table that ask for credentials, each source once. A call that has none of its own, since it handles the
   * refusal otherwise, is sent with the credentials of its client still.
   */
  policies(on: PolicyTable): readonly RefreshPolicy[] {
    const known = this.#policies.get(on)
    if (known !== undefined) return known
    const found = new Map<unknown, RefreshPolicy>()
    for (const entry of Object.values(on) as (Partial<RefreshPolicy> | string)[]) {
      if (typeof entry === 'object' && entry.kind === 'refresh') found.set(entry.source, entry as RefreshPolicy)
    }
    if (found.size === 0 && on !== this.#ofClient) return this.policies(this.#ofClient)
    const policies = [...found.values()]
    this.#policies.set(on, policies)
    return policies
  }

  /** Remembers a policy that a function of the table gave, so that later requests are sent with what it brings. */
  learn(on: PolicyTable, policy: RefreshPolicy): void {
    const known = this.policies(on)
    if (known.some(({ source }) => source === policy.source)) return
    this.#policies.set(on, [...known, policy].slice(-maxLearnt))
  }

  /** What is known of the credentials for the request of an exchange; undefined where it is to have none. */
  credentials(exchange: Exchange, { source }: RefreshPolicy): Credentials | undefined {
    const home = homeOf(exchange)
    if (home === undefined) return undefined
    const credentials = this.#origins.of(home).part(source, Credentials)
    return exchange.scope?.renewing?.includes(credentials) === true ? undefined : credentials
  }

  /**
   * Who is asked for the credentials that a request is sent with, added where neither a cache nor other calls see them: what
   * is answered to some is not for others.
   */
  sources(exchange: Exchange): object[] {
    const policies = this.policies(exchange.options.on)
    return policies.filter((policy) => this.credentials(exchange, policy) !== undefined).map(({ source }) => source)
  }

  /** What to put on the request. */
  grants(exchange: Exchange): readonly Grant[] {
    const policies = this.policies(exchange.options.on)
    if (policies.length === 0) return none
    return policies.flatMap((policy) => this.credentials(exchange, policy)?.grant ?? none)
  }
}

const none: readonly never[] = []

/**
 * The origin whose credentials the request may have: that of `baseUrl`, else the one that the call was made for. A call that was
 * redirected to another origin has none any more, wherever it is led next: not the caller, but that origin chose the target.
 */
function homeOf({ options, redirects, request }: Exchange): string | undefined {
  const { origin, href } = request
  const service = serviceOf(request, options)
  // The origin of a blob: URL is that of who made it, but it is not there that it is fetched.
  if (redirects.crossedOrigins || !href.startsWith(origin)) return undefined
  const home = options.baseUrl?.origin ?? service
  return home === service ? home : undefined
}

/** The field in which an answer challenges: it is from a proxy, or from the origin. */
export function challengeField(status: number): string {
  return isOfProxy(status) ? 'proxy-authenticate' : 'www-authenticate'
}

/** Whether an answer can have come from whom it seems to: what comes through the tunnel of a proxy is not from the proxy. */
export function mayChallenge(status: number, href: string): boolean {
  return !isOfProxy(status) || href.startsWith('http:')
}

function isOfProxy(status: number): boolean {
  return errorClass(status) === ProxyAuthenticationRequiredError
}
