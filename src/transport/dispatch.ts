import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Clock } from '../clock.ts'
import { isIdempotent } from '../http/methods.ts'
import { type WireFields, wireField } from '../http/received.ts'
import { UpgradedResponse } from '../http/upgraded.ts'
import { isInformational, statusRow } from '../status/table.ts'
import type { Bytes, Sink, Source } from '../types/body.ts'
import type { Attempt, Send } from '../types/exchange.ts'
import { answer, invalidStatus } from './answer.ts'
import type { ConnectionUse } from './connection-use.ts'
import type { Awaiting } from './continues.ts'
import { depart } from './departure.ts'
import { attemptFailure, type Stage } from './failure.ts'
import { inform } from './interim.ts'
import { outgoing } from './outgoing.ts'
import { switchRefusal, unexpectedSwitch } from './switch.ts'
import type { Connection, ConnectionAware } from './tracked-client.ts'

type Controller = Dispatcher.DispatchController

/** undici takes a reset for the end of content that ends with the connection, RFC 9112 §8. */
const cutShort = Object.assign(new Error('the connection was reset'), { code: 'ECONNRESET' })

/** Sends attempts through an undici dispatcher. */
export function dispatchSend(dispatcherOf: () => Dispatcher, clock: Clock): Send {
  const way = { dispatcherOf, clock }
  return (attempt) => {
    new Incoming(attempt, way).send()
  }
}

/** How requests are sent, the same for all of a client. */
interface Way {
  readonly dispatcherOf: () => Dispatcher
  readonly clock: Clock
}

/** One response as undici delivers it: the handler of a dispatch and the source of the body. */
class Incoming implements Dispatcher.DispatchHandler, ConnectionAware, Awaiting, Source {
  readonly #attempt: Attempt
  readonly #way: Way
  #stage: Stage = 'unsent'
  #aborted: { readonly reason: unknown } | undefined
  #controller: Controller | undefined
  #sink: Sink | undefined
  /** How much of the content is to come by its length (RFC 9112 §6.3); below 0 where it tells none. */
  #bytesLeft = -1
  #connection: Connection | undefined
  #use: ConnectionUse | undefined

  constructor(attempt: Attempt, way: Way) {
    this.#attempt = attempt
    this.#way = way
    attempt.add(this)
  }

  send(): void {
    const { request, upgrade, observation } = this.#attempt
    const plain = outgoing(request)
    const options = upgrade === undefined ? plain : { ...plain, upgrade }
    if (observation !== undefined) observation.outgoing = options
    try {
      this.#way.dispatcherOf().dispatch(options, this)
    } catch (error) {
      this.#fail(error)
    }
  }

  onConnection(connection: Connection): void {
    this.#connection = connection
    const { observation } = this.#attempt
    if (observation !== undefined) observation.connection = connection.observed()
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller
    this.#use = this.#connection?.use(this)
    if (this.#aborted === undefined) this.#stage = 'sent'
    else controller.abort(asError(this.#aborted.reason))
    const { observation } = this.#attempt
    if (observation !== undefined) depart(observation, this.#connection, this.#use)
  }

  onBodySent(part: Uint8Array): void {
    this.#attempt.observation?.sentContent.add(part)
  }

  onRequestSent(): void {
    this.#attempt.observation?.sent()
  }

  onRequestUpgrade(controller: Controller, status: number, fields: WireFields, socket: Duplex): void {
    const attempt = this.#attempt
    const refusal = switchRefusal(attempt, status, fields)
    if (refusal !== undefined) {
      controller.abort(refusal)
      return
    }
    this.#stage = 'answered'
    attempt.remove(this)
    attempt.answered(new UpgradedResponse(status, attempt.request.href, fields, socket))
  }

  onResponseStart(controller: Controller, status: number, fields: WireFields, statusText = ''): void {
    const invalid = invalidStatus(this.#attempt, status)
    if (invalid !== undefined) controller.abort(invalid)
    else if (statusRow(status).switches === true) controller.abort(unexpectedSwitch(this.#attempt, status))
    else if (isInformational(status)) this.onContinue(status, fields)
    else {
      this.#stage = 'answered'
      this.#use = undefined
      this.#bytesLeft = Number(wireField(fields, 'content-length') ?? -1)
      if (statusRow(status).newConnection === true) this.#connection?.retire()
      this.#sink = answer(this.#attempt, { source: this, clock: this.#way.clock }, { status, statusText, fields })
    }
  }

  onContinue(status: number, fields: WireFields): void {
    const end = inform(this.#attempt, status, fields)
    if (end !== undefined) this.cancel(end.error)
  }

  onResponseData(_controller: Controller, part: Buffer): void {
    this.#bytesLeft -= part.byteLength
    this.#attempt.observation?.came(part.byteLength)
    this.#sink?.write(part as Bytes)
  }

  onResponseEnd(): void {
    if (this.#connection?.broken === true) this.#sink?.fail(attemptFailure(cutShort, this.#stage, this.#attempt))
    else this.#sink?.end()
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    if (this.#isStale()) this.#sendAgain()
    else this.#fail(error)
  }

  /**
   * The last part is taken as it comes: while undici is paused it has not come to the end of the content, and would take a
   * connection that is closed right behind it for one that was lost in the middle.
   */
  pause(): void {
    if (this.#bytesLeft !== 0) this.#controller?.pause()
  }

  resume(): void {
    this.#controller?.resume()
  }

  abort(reason: unknown): void {
    this.#aborted = { reason }
    this.#controller?.abort(asError(reason))
    if (this.#stage === 'unsent') this.#connection?.abandon(this)
  }

  /** A request that still waits for a connection cannot be called back: it is refused when its turn comes. */
  cancel(reason: unknown): void {
    this.abort(reason)
    this.#attempt.failed(reason)
  }

  /**
   * Whether the server closed an idle connection just as the request was written to it, RFC 9112 §9.3.1: nothing came
   * back, and what was sent may be sent twice.
   */
  #isStale(): boolean {
    const use = this.#use
    this.#use = undefined
    if (this.#stage !== 'sent' || this.#aborted !== undefined || use === undefined || this.#attempt.resent) return false
    const { method, fields, content } = this.#attempt.request
    if (!use.reused || !use.answeredNothing || !isIdempotent(method, fields)) return false
    return content === null || (content.replayable && content.failure() === undefined)
  }

  #fail(error: unknown): void {
    const attempt = this.#attempt
    if (this.#stage === 'unsent') this.#connection?.abandon(this)
    attempt.remove(this)
    const failure = this.#aborted === undefined ? attemptFailure(error, this.#stage, attempt) : this.#aborted.reason
    this.#sink?.fail(failure)
    if (this.#stage !== 'answered') attempt.failed(failure)
  }

  /** A turn later, when it is known which other idle connections were closed together with this one. */
  #sendAgain(): void {
    this.#attempt.resent = true
    this.#stage = 'unsent'
    this.#controller = undefined
    this.#way.clock.after(0, () => {
      if (this.#aborted === undefined) this.send()
    })
  }
}

/** undici wants an Error; the caller gets the reason itself. */
function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DOMException('This operation was aborted', 'AbortError')
}
