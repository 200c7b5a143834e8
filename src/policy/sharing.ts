import { outOfScope } from '../deadline.ts'
import { retold } from '../errors/failures.ts'
import type { Exchange } from '../exchange.ts'
import { Flight } from '../flight.ts'
import { CallReader } from '../http/call-reader.ts'
import { withBody } from '../http/received.ts'
import { mayBeShared, mayBeSharedLate } from '../http/shareable.ts'
import { SharedContent } from '../http/shared-content.ts'
import type { FailureOutcome, Handler, Outcome, ResponseOutcome } from '../types/exchange.ts'
import { cancelledOutcome, expectedFailurePolicy, expectedPolicy } from './classify.ts'
import type { Flights } from './flights.ts'
import { pathOf } from './service.ts'

/** An outcome, or that the call has to send a request of its own. */
export type Arrival = Outcome | 'alone'

interface Waiting {
  readonly resolve: (arrival: Arrival) => void
  readonly reject: (error: unknown) => void
  readonly stopListening: () => void
}

/** One request and the calls it is sent for. */
export class Sharing {
  /** The call that began it; its policies have decided about the outcome already. */
  readonly first: Exchange
  readonly path: string
  readonly #flight: Flight
  readonly #key: string
  readonly #flights: Flights<Sharing>
  readonly #maxBytes: number
  readonly #send: Handler
  readonly #waiting = new Map<Exchange, Waiting>()
  #landed: ResponseOutcome | undefined
  #content: SharedContent | undefined

  constructor(first: Exchange, key: string, flights: Flights<Sharing>, maxBytes: number, send: Handler) {
    this.first = first
    this.path = pathOf(first.request)
    this.#flight = new Flight(first)
    this.#key = key
    this.#flights = flights
    this.#maxBytes = maxBytes
    this.#send = send
    flights.set(key, this)
  }

  /** Whether one more call can join. Those that come after a failure try again. */
  get admits(): boolean {
    const landed = this.#landed
    if (landed === undefined) return true
    const isGood = landed.policy.kind === 'accept' || landed.policy.kind === 'follow'
    return isGood && this.#content?.admits === true && mayBeSharedLate(landed.received)
  }

  /** What the call gets of it. */
  board(call: Exchange): Promise<Arrival> {
    this.#flight.join(call)
    if (this.#landed !== undefined) return Promise.resolve(this.#answer(call, this.#landed, true))
    return new Promise((resolve, reject) => {
      const stopListening = call.onCancel((reason) => this.#abandon(call, reason))
      this.#waiting.set(call, { resolve, reject, stopListening })
    })
  }

  /** Sends the request, which is not to inherit the deadline of the first call. */
  start(): void {
    outOfScope(() => void this.#run())
  }

  async #run(): Promise<void> {
    try {
      this.#land(await this.#send(this.#flight))
    } catch (error) {
      // A function of the caller threw, which ends the calls as it ends one.
      this.#close()
      this.#flight.breakOff(error)
      for (const [call] of this.#waiting) this.#settle(call)?.reject(error)
    }
  }

  #land(outcome: Outcome): void {
    this.#flight.rest()
    if (outcome.kind !== 'response') {
      this.#close()
      for (const [call] of this.#waiting) this.#settle(call)?.resolve(this.#failure(call, outcome as FailureOutcome))
      this.#flight.disband()
    } else if (this.#waiting.size === 0) outcome.received.release(this.#flight.reason)
    else if (mayBeShared(outcome.received)) this.#share(outcome)
    else this.#keepApart(outcome)
  }

  #share(outcome: ResponseOutcome): void {
    const { body, bodiless } = outcome.received
    // A policy function has read it.
    if (body === null && !bodiless) {
      this.#keepApart(outcome)
      return
    }
    this.#landed = outcome
    if (body === null) this.#close()
    else this.#content = new SharedContent(body, this.#maxBytes, this.first.options.clock, () => this.#close())
    const answers = [...this.#waiting.keys()].map((call, index) => [call, this.#answer(call, outcome, index > 0)] as const)
    this.#content?.start()
    for (const [call, answer] of answers) this.#settle(call)?.resolve(answer)
    if (body === null) this.#flight.disband()
  }

  /** The response is for one call alone: each of the others sends a request now, as it would have done by itself. */
  #keepApart(outcome: ResponseOutcome): void {
    this.#close()
    this.#flights.keepApart(this.#key, this.first.options.clock.now())
    const [call, ...others] = this.#waiting.keys()
    if (call === undefined) return
    this.#flight.tell(call)
    call.add({ cancel: (reason) => outcome.received.release(reason) })
    const policy = this.#policy(call, outcome)
    this.#settle(call)?.resolve({ ...outcome, policy })
    for (const other of others) {
      this.#flight.leave(other)
      this.#settle(other)?.resolve('alone')
    }
  }

  #answer(call: Exchange, outcome: ResponseOutcome, isCopy: boolean): ResponseOutcome {
    this.#flight.tell(call)
    const { received } = outcome
    const reader = new CallReader(call, this.#flight, received, this.#send)
    const body = this.#content?.add(reader) ?? null
    if (body !== null) call.add(body)
    return { kind: 'response', received: withBody(received, body), policy: this.#policy(call, outcome), isCopy }
  }

  #failure(call: Exchange, outcome: FailureOutcome): FailureOutcome {
    this.#flight.tell(call)
    const error = retold(outcome.error, call.facts())
    const policy = call === this.first ? outcome.policy : expectedFailurePolicy(error, call.options.on)
    return { ...outcome, error, policy }
  }

  #policy(call: Exchange, { policy, received }: ResponseOutcome): ResponseOutcome['policy'] {
    return call === this.first ? policy : expectedPolicy(received.status, call.options.on)
  }

  /** The call ended by itself; the last one ends the request. */
  #abandon(call: Exchange, reason: unknown): void {
    this.#flight.leave(call)
    this.#settle(call)?.resolve(cancelledOutcome(reason, call.options.on))
    if (this.#waiting.size > 0) return
    this.#close()
    this.#flight.breakOff(reason)
  }

  #settle(call: Exchange): Waiting | undefined {
    const waiting = this.#waiting.get(call)
    this.#waiting.delete(call)
    waiting?.stopListening()
    return waiting
  }

  #close(): void {
    this.#flights.delete(this.#key, this)
  }
}
