import type { Clock } from '../clock.ts'
import type { Route } from '../types/exchange.ts'
import type { EndpointsConfig } from '../types/protection.ts'
import { Endpoint, type Result } from './endpoint.ts'

/** Whether a request to an origin would have to wait, or be refused, at this moment. */
export type IsHeld = (origin: string, nowMs: number) => boolean

/** What a choice is made for, and with. */
export interface Choice {
  /** The endpoints asked before in this call, the latest last. */
  readonly tried: readonly string[]
  readonly nowMs: number
  readonly isHeld: IsHeld
  /** Those that the call was asked to wait with: they are held, and not even asked where all are. */
  readonly waits?: (origin: string) => boolean
  readonly random: () => number
}

/**
 * The endpoints of a client and its children: chooses one for each request, and leaves out for a while those that fail.
 * Holds state and decides; waits for nothing.
 */
export class Endpoints {
  /** Always worth remembering: it knows what is under way. */
  readonly busy = true
  readonly list: readonly Endpoint[]
  readonly #mostEjected: number

  constructor(config: EndpointsConfig) {
    const { origins, maxEjectedRatio } = config
    this.list = origins.map((origin) => new Endpoint(origin, config))
    this.#mostEjected = origins.length > 1 ? Math.max(1, Math.floor(origins.length * maxEjectedRatio)) : 0
  }

  /** The one of this origin, if it is one. */
  at(origin: string): Endpoint | undefined {
    return this.list.find((endpoint) => endpoint.origin === origin)
  }

  /** Those that may well answer now. */
  ready(nowMs: number, isHeld: IsHeld): Endpoint[] {
    return this.list.filter((endpoint) => !endpoint.isEjected(nowMs) && !endpoint.isProbed && !isHeld(endpoint.origin, nowMs))
  }

  /**
   * The better of two taken by chance, of those that are ready and have not been tried; where there is none, the demands
   * fall one after the other. There always is one: that all of them fail is no reason to ask none.
   */
  choose({ tried, nowMs, isHeld, waits = () => false, random }: Choice): Endpoint {
    const ready = this.ready(nowMs, isHeld).filter(({ origin }) => !waits(origin))
    const wishes: (() => readonly Endpoint[])[] = [
      () => ready.filter(({ origin }) => !tried.includes(origin)),
      // All were: a new round begins, and not with the one that was asked just now.
      () => ready.filter(({ origin }) => origin !== tried.at(-1)),
      () => ready,
      () => this.list.filter((endpoint) => !endpoint.isEjected(nowMs) && !waits(endpoint.origin)),
      () => this.list.filter(({ origin }) => !waits(origin)),
    ]
    for (const wish of wishes) {
      const candidates = wish()
      if (candidates.length > 0) return betterOfTwo(candidates, nowMs, random)
    }
    return betterOfTwo(this.list, nowMs, random)
  }

  /** Takes down what came of a request, and leaves the endpoint out if it has failed too often, as long as enough are left. */
  note(endpoint: Endpoint, result: Result, nowMs: number, random: () => number): void {
    endpoint.note(result, nowMs)
    if (!endpoint.isDue(nowMs)) return
    const ejected = this.list.filter((one) => one.isEjected(nowMs)).length
    if (ejected < this.#mostEjected) endpoint.eject(nowMs, random)
  }
}

function betterOfTwo(candidates: readonly Endpoint[], nowMs: number, random: () => number): Endpoint {
  const [first] = candidates as [Endpoint]
  if (candidates.length === 1) return first
  const one = Math.floor(random() * candidates.length)
  const step = 1 + Math.floor(random() * (candidates.length - 1))
  const a = candidates[one] as Endpoint
  const b = candidates[(one + step) % candidates.length] as Endpoint
  // One of which nothing is known is taken to be as fast as the other.
  const costOfA = a.cost(nowMs, b.latencyMs(nowMs) ?? 0)
  return costOfA <= b.cost(nowMs, a.latencyMs(nowMs) ?? 0) ? a : b
}

/** The way of one call among the endpoints; shared by all that is sent for it at the same time. */
export class EndpointRoute implements Route {
  readonly #endpoints: Endpoints
  readonly #clock: Clock
  readonly #isHeld: IsHeld
  /** The redirects that had been followed when it began. */
  readonly redirects: number
  stays = false
  #tried: readonly string[] = []
  /** Until when to wait with those that asked for it. */
  readonly #waits = new Map<string, number>()

  constructor(endpoints: Endpoints, clock: Clock, isHeld: IsHeld, redirects: number, tried: readonly string[] = []) {
    this.#endpoints = endpoints
    this.#clock = clock
    this.#isHeld = isHeld
    this.redirects = redirects
    this.#tried = tried
  }

  get tried(): readonly string[] {
    return this.#tried
  }

  get others(): number {
    const ready = this.#endpoints.ready(this.#clock.now(), this.#isHeld)
    return ready.filter(({ origin }) => !this.#tried.includes(origin) && !this.#hasToWait(origin)).length
  }

  /** That endpoint asked to be left alone for so long: what another one says does not shorten it. */
  wait(origin: string, ms: number): void {
    this.#waits.set(origin, this.#clock.now() + ms)
  }

  /** What endpoints asked for on the way so far holds on this one, too. */
  inherit(before: EndpointRoute): void {
    for (const [origin, untilMs] of before.#waits) this.#waits.set(origin, untilMs)
  }

  /** Where the next request goes; `current` is the origin of the latest, which it stays with if it asked for a wait. */
  next(current: string, random: () => number): Endpoint {
    const staysAt = this.stays ? this.#endpoints.at(current) : undefined
    this.stays = false
    const waits = (origin: string): boolean => this.#hasToWait(origin)
    const choice = { tried: this.#tried, nowMs: this.#clock.now(), isHeld: this.#isHeld, waits, random }
    const endpoint = staysAt ?? this.#endpoints.choose(choice)
    const { origin } = endpoint
    if (!this.#tried.includes(origin)) this.#tried = [...this.#tried, origin]
    else if (staysAt === undefined) this.#tried = [...this.#tried.slice(-1).filter((last) => last !== origin), origin]
    return endpoint
  }

  #hasToWait(origin: string): boolean {
    return (this.#waits.get(origin) ?? -Infinity) > this.#clock.now()
  }
}
