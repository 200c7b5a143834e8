import { BodyError, retold, TimeoutError } from '../errors/failures.ts'
import type { Exchange } from '../exchange.ts'
import type { Flight } from '../flight.ts'
import type { Reader } from './share.ts'

/** How long at most others wait for a reader that takes nothing, in milliseconds. */
const maxPatienceMs = 10_000

/** A call that reads the content of a flight. */
export class CallReader implements Reader {
  readonly #call: Exchange
  readonly #flight: Flight
  readonly #isCoded: boolean

  constructor(call: Exchange, flight: Flight, isCoded: boolean) {
    this.#call = call
    this.#flight = flight
    this.#isCoded = isCoded
  }

  /** The content is decoded up to the largest limit of those who read it; each is bound by its own. */
  get maxBytes(): number {
    const { maxDecodedBytes } = this.#call
    return this.#isCoded && maxDecodedBytes !== false ? maxDecodedBytes : Infinity
  }

  get patienceMs(): number {
    const { idleTimeoutMs } = this.#call.options
    return idleTimeoutMs === false ? maxPatienceMs : Math.min(idleTimeoutMs, maxPatienceMs)
  }

  told(error: unknown): unknown {
    return retold(error, this.#call.facts())
  }

  tooMuch(): unknown {
    return new BodyError('too large', `the decoded content is larger than ${this.maxBytes} bytes`, this.#call.facts())
  }

  tooSlow(): unknown {
    return new TimeoutError('unread', this.patienceMs, this.#call.facts())
  }

  left(): void {
    this.#flight.leave(this.#call)
  }
}
