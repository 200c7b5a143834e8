import { AdaptiveLimit } from '../../src/policy/adaptive-limit.ts'
import type { ConcurrencyConfig } from '../../src/types/protection.ts'

/** How an origin is for a while. */
export interface Phase {
  readonly untilMs: number
  /** Requests it works on at a time; the others queue. */
  readonly workers: number
  readonly serviceMs: number
  /** Requests that want to be sent at a time; by default more than any limit. */
  readonly demand?: number
  /** Requests under way beyond which it says no, in a tenth of the time. */
  readonly refusesAbove?: number
}

/** What was seen of a phase from its second half on, where the limit should have settled. */
export interface Settled {
  readonly meanLimit: number
  readonly leastLimit: number
  readonly mostLimit: number
  /** The mean response time over that of an origin that is not loaded. */
  readonly slowdown: number
  /** The part of the time in which the workers were busy. */
  readonly throughput: number
  readonly refused: number
}

/** A generator of random numbers with a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How long the work on one request takes. */
export type Service = (meanMs: number, random: () => number) => number
/** Always the same. */
export const even: Service = (meanMs) => meanMs
/** Exponentially distributed. */
export const uneven: Service = (meanMs, random) => -Math.log(1 - random()) * meanMs

interface Request {
  readonly startMs: number
  readonly refused: boolean
  /** Infinity while it waits for a worker. */
  endMs: number
}

/** An origin with workers and a queue in virtual time, sent as many requests as an adaptive limit lets through. */
export class SimulatedOrigin {
  readonly limit: AdaptiveLimit
  readonly #service: Service
  readonly #random: () => number
  #nowMs = 0
  /** In the order they were sent. */
  #underWay: Request[] = []

  constructor(service: Service, seed: number, config: Partial<ConcurrencyConfig> = {}) {
    this.limit = new AdaptiveLimit({ initialLimit: 20, minLimit: 1, maxLimit: 1_000, ...config })
    this.#service = service
    this.#random = seeded(seed)
  }

  /** Runs through one phase. */
  run(phase: Phase): Settled {
    const { untilMs, workers, serviceMs } = phase
    const fromMs = (this.#nowMs + untilMs) / 2
    const seen = { limits: [] as number[], tookMs: 0, answered: 0, refused: 0 }
    this.#fill(phase)
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      const { refused, startMs } = next
      this.#nowMs = next.endMs
      const tookMs = this.#nowMs - startMs
      if (refused) this.limit.overloaded(this.#underWay.length, this.#nowMs)
      else this.limit.answered(tookMs, this.#underWay.length, this.#nowMs)
      if (this.#nowMs >= fromMs) {
        seen.limits.push(this.limit.limit)
        seen.tookMs += refused ? 0 : tookMs
        seen.answered += refused ? 0 : 1
        seen.refused += refused ? 1 : 0
      }
      this.#fill(phase)
    }
    this.#nowMs = untilMs
    return {
      meanLimit: seen.limits.reduce((sum, limit) => sum + limit, 0) / seen.limits.length,
      leastLimit: Math.min(...seen.limits),
      mostLimit: Math.max(...seen.limits),
      slowdown: seen.tookMs / seen.answered / serviceMs,
      throughput: (seen.answered * serviceMs) / (untilMs - fromMs) / workers,
      refused: seen.refused,
    }
  }

  /** Takes the next request that ends. */
  #next(untilMs: number): Request | undefined {
    let first: Request | undefined
    for (const request of this.#underWay) if (request.endMs < (first?.endMs ?? Infinity)) first = request
    if (first === undefined || first.endMs > untilMs) return undefined
    this.#underWay = this.#underWay.filter((request) => request !== first)
    return first
  }

  /** Sends what the limit lets through, and gives the workers something to do. */
  #fill({ workers, serviceMs, demand = Infinity, refusesAbove = Infinity }: Phase): void {
    const startMs = this.#nowMs
    while (this.#underWay.length < Math.min(this.limit.limit, demand)) {
      const refused = this.#underWay.length >= refusesAbove
      this.#underWay.push({ startMs, refused, endMs: refused ? startMs + serviceMs / 10 : Infinity })
      this.limit.sent(this.#underWay.length)
    }
    const accepted = this.#underWay.filter(({ refused }) => !refused)
    let free = workers - accepted.filter(({ endMs }) => endMs < Infinity).length
    for (const request of accepted) {
      if (free <= 0) break
      if (request.endMs < Infinity) continue
      request.endMs = startMs + this.#service(serviceMs, this.#random)
      free -= 1
    }
  }
}
