import type { Clock } from '../clock.ts'
import { isTimeoutError } from '../errors/failures.ts'
import { Line } from '../line.ts'
import type { Health } from '../status/health.ts'
import { statusRow } from '../status/table.ts'
import type { Outcome } from '../types/exchange.ts'
import type { ConcurrencyConfig } from '../types/protection.ts'
import { AdaptiveLimit } from './adaptive-limit.ts'

/**
 * The requests an origin is sent at a time: each takes a slot, and gives it back. Whoever finds none waits in a line;
 * a slot that is given back is handed to the first in it, so that nobody who comes later can take it.
 */
export class Slots {
  readonly line: Line = new Line()
  /** The limit that is found out; undefined when it is fixed. */
  readonly adaptive: AdaptiveLimit | undefined
  readonly #fixed: number
  #taken = 0

  constructor(config: ConcurrencyConfig) {
    if (config.limit === 'adaptive') this.adaptive = new AdaptiveLimit(config)
    this.#fixed = config.limit === 'adaptive' ? 0 : config.limit
  }

  /** Slots there are, taken or not. A limit that shrinks takes none away from a request that is under way. */
  get limit(): number {
    return this.adaptive?.limit ?? this.#fixed
  }

  /** Slots that are taken. */
  get taken(): number {
    return this.#taken
  }

  /** Whether some slot is taken: without it they would be counted anew, and more requests be under way than may be. */
  get busy(): boolean {
    return this.#taken > 0
  }

  /** Takes a slot; false when there is none. */
  take(): boolean {
    if (this.#taken >= this.limit) return false
    this.#taken += 1
    this.adaptive?.sent(this.#taken)
    return true
  }

  /** Gives a slot back, and hands on what is free now. */
  give(): void {
    this.#taken -= 1
    while (this.line.length > 0 && this.take()) this.line.call()
  }

  /** Gives the slot of a request back that was sent at `startMs` and had this outcome, from which an adaptive limit learns. */
  giveAfter(outcome: Outcome, health: Health | 'unknown', startMs: number, clock: Clock): void {
    try {
      const nowMs = clock.now()
      if (health === 'well') this.adaptive?.answered(nowMs - startMs, this.#taken - 1, nowMs)
      else if (isOverload(outcome, health)) this.adaptive?.overloaded(this.#taken - 1, nowMs)
      else this.adaptive?.ended()
    } finally {
      this.give()
    }
  }
}

/** Whether an outcome says that there was too much to do: the origin asks for less, or did not come to it in time. */
function isOverload(outcome: Outcome, health: Health | 'unknown'): boolean {
  if (outcome.kind === 'response') return statusRow(outcome.received.status).retryAfter === 'pauses'
  return health === 'failing' && outcome.kind === 'failure' && isTimeoutError(outcome.error)
}
