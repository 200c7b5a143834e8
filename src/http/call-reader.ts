import { BodyError } from '../errors/body-error.ts'
import { retold, TimeoutError } from '../errors/failures.ts'
import type { Exchange } from '../exchange.ts'
import type { Flight } from '../flight.ts'
import type { Body } from '../types/body.ts'
import type { Handler, Received, ResponseOutcome } from '../types/exchange.ts'
import { receivedBytes } from './received.ts'
import type { Reader } from './share.ts'

/** Milliseconds that others wait for a reader that takes nothing; it may be at work on what it got, and they have limits, too. */
const patienceMs = 10_000

/** The fields that tell whether a content is that of another response; who has seen them is not given another one. */
const describing = ['etag', 'last-modified', 'content-type', 'content-encoding', 'content-length']

/** A call that reads the content of a flight. */
export class CallReader implements Reader {
  readonly patienceMs: number = patienceMs
  readonly #call: Exchange
  readonly #flight: Flight
  readonly #received: Received
  readonly #send: Handler

  constructor(call: Exchange, flight: Flight, received: Received, send: Handler) {
    this.#call = call
    this.#flight = flight
    this.#received = received
    this.#send = send
  }

  /** The content is decoded up to the largest limit of those who read it; each is bound by its own. */
  get maxBytes(): number {
    const { maxDecodedBytes } = this.#call
    return maxDecodedBytes !== false && this.#received.field('content-encoding') !== null ? maxDecodedBytes : Infinity
  }

  async again(): Promise<Body> {
    const outcome = await this.#send(this.#call)
    if (outcome.kind === 'failure') throw outcome.error
    const { received } = outcome as ResponseOutcome
    const isSame =
      received.status === this.#received.status && describing.every((name) => received.field(name) === this.#received.field(name))
    if (isSame) return received.body ?? receivedBytes(new Uint8Array())
    received.release(undefined)
    throw new BodyError('changed', 'the content was read too late to be kept, and has changed since', this.#call.facts())
  }

  told(error: unknown): unknown {
    this.#call.notRepeated = this.#flight.notRepeated
    return retold(error, this.#call.facts())
  }

  tooMuch(): unknown {
    return new BodyError('too large', `the decoded content is larger than ${this.maxBytes} bytes`, this.#call.facts())
  }

  tooSlow(): unknown {
    return new TimeoutError('unread', patienceMs, this.#call.facts())
  }

  left(): void {
    this.#flight.leave(this.#call)
  }
}
