import { type Chance, chanceOf } from './chance.ts'
import type { VirtualClock } from './clock.ts'
import { FixedWindowLimiter, type Quota } from './limiter.ts'
import { type Fault, queueLimit, type Scenario } from './scenarios.ts'
import { Station } from './station.ts'

/** What comes back over the network. */
export type Answer = { readonly status: number; readonly retryAfterS?: number; readonly quota?: Quota } | 'refused'

/** Milliseconds of the network, each way. */
const networkMs = 1

const ok = { status: 200 } as const satisfies Answer
const unavailable = { status: 503 } as const satisfies Answer

/** How a site is built. */
export interface SiteOptions {
  readonly clock: VirtualClock
  readonly seed: number
  readonly scenario: Scenario
  /** By how much its capacity differs from that of the scenario. */
  readonly capacity: number
}

/** The servers of a scenario, their limiter and their fault, behind the network. */
export class Site {
  readonly #clock: VirtualClock
  readonly #scenario: Scenario
  readonly #capacity: number
  readonly #stations: readonly Station[]
  readonly #limiter: FixedWindowLimiter | undefined
  readonly #errors: Chance
  #fault: Fault = {}

  constructor({ clock, seed, scenario, capacity }: SiteOptions) {
    this.#clock = clock
    this.#scenario = scenario
    this.#capacity = capacity
    this.#errors = chanceOf(seed, 'errors')
    const { limit } = scenario
    if (limit !== undefined) this.#limiter = new FixedWindowLimiter({ ...limit, limit: Math.round(limit.limit * capacity) })
    this.#stations = Array.from({ length: scenario.servers }, (_, server) => {
      const chance = chanceOf(seed, 'service', server)
      return new Station({
        clock,
        workers: this.#staff(scenario.workers),
        queueLimit: Math.round(queueLimit * capacity),
        serviceMs: () => scenario.serviceMs(chance) * (this.#fault.slowdown ?? 1),
      })
    })
  }

  /** Begins a fault, or ends it with an empty one. */
  suffer(fault: Fault): void {
    this.#fault = fault
    for (const station of this.#stations) station.staff(this.#staff(fault.workers ?? this.#scenario.workers))
  }

  /** Sends a request to one of the servers; `answered` is called in a moment of its own, or never. */
  send(server: number, answered: (answer: Answer) => void): void {
    const back = (answer: Answer): void => {
      this.#clock.after(networkMs, () => answered(answer))
    }
    this.#clock.quietly(networkMs, () => this.#arrive(server, back))
  }

  #arrive(server: number, back: (answer: Answer) => void): void {
    const { firstServer, errorRatio = 0 } = this.#fault
    if (server === 0 && firstServer !== undefined) {
      if (firstServer === 'refuses') back('refused')
      return
    }
    if (this.#limiter !== undefined) this.#arriveLimited(this.#limiter, server, back)
    else if (errorRatio > 0 && this.#errors() < errorRatio) back(unavailable)
    else this.#stationOf(server).arrive((served) => back(served ? ok : unavailable))
  }

  #arriveLimited(limiter: FixedWindowLimiter, server: number, back: (answer: Answer) => void): void {
    const wallMs = this.#clock.wallTime()
    const retryAfterS = limiter.admit(wallMs)
    const quota = limiter.told(wallMs)
    if (retryAfterS !== undefined) back({ status: 429, retryAfterS, quota })
    else this.#stationOf(server).arrive((served) => back({ ...(served ? ok : unavailable), quota }))
  }

  #stationOf(server: number): Station {
    const station = this.#stations[server]
    if (station === undefined) throw new RangeError(`there is no server ${server}`)
    return station
  }

  #staff(workers: number): number {
    return Math.max(1, Math.round(workers * this.#capacity))
  }
}
