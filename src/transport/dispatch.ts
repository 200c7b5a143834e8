import type { Dispatcher } from 'undici'
import type { Clock } from '../clock.ts'
import { BodyError } from '../errors/body-error.ts'
import { NetworkError } from '../errors/failures.ts'
import { WireBody } from '../http/body.ts'
import { isIdempotent } from '../http/methods.ts'
import { ReceivedResponse, type WireFields, wireField } from '../http/received.ts'
import { isBodiless, isInformational, statusRow } from '../status/table.ts'
import type { Body, Bytes, Sink, Source } from '../types/body.ts'
import type { Attempt, Send } from '../types/exchange.ts'
import { type Decoding, decoding, maxCodings } from './decode.ts'
import { attemptFailure, type Stage } from './failure.ts'
import { outgoing } from './outgoing.ts'
import type { Connection, ConnectionAware, ConnectionUse } from './tracked-client.ts'

type Controller = Dispatcher.DispatchController

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
class Incoming implements Dispatcher.DispatchHandler, ConnectionAware, Source {
  readonly #attempt: Attempt
  readonly #way: Way
  #stage: Stage = 'unsent'
  #aborted: { readonly reason: unknown } | undefined
  #controller: Controller | undefined
  #sink: Sink | undefined
  #connection: Connection | undefined
  #use: ConnectionUse | undefined

  constructor(attempt: Attempt, way: Way) {
    this.#attempt = attempt
    this.#way = way
    attempt.add(this)
  }

  send(): void {
    this.#way.dispatcherOf().dispatch(outgoing(this.#attempt.request), this)
  }

  onConnection(connection: Connection): void {
    this.#connection = connection
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller
    this.#use = this.#connection?.use()
    if (this.#aborted === undefined) this.#stage = 'sent'
    else controller.abort(asError(this.#aborted.reason))
  }

  onRequestUpgrade(controller: Controller, status: number): void {
    const facts = this.#attempt.facts()
    controller.abort(new NetworkError('protocol', 'maybe', `an unexpected ${status} switched the protocol`, facts))
  }

  onResponseStart(controller: Controller, status: number, fields: WireFields, statusText = ''): void {
    if (statusRow(status).switches === true) this.onRequestUpgrade(controller, status)
    else if (isInformational(status)) this.#inform(status, fields)
    else this.#answer(status, statusText, fields)
  }

  #answer(status: number, statusText: string, fields: WireFields): void {
    this.#stage = 'answered'
    this.#use = undefined
    const attempt = this.#attempt
    const { method, href } = attempt.request
    // From here on it is the body that is cancelled: it may outlast the connection's part in it.
    attempt.remove(this)
    const body = isBodiless(method, status) ? null : this.#body(fields)
    if (body === undefined) {
      this.cancel(new BodyError('decode', `more than ${maxCodings} content codings`, attempt.facts()))
      return
    }
    if (body !== null) attempt.add(body)
    if (statusRow(status).newConnection === true) this.#connection?.retire()
    attempt.answered(new ReceivedResponse(status, statusText, href, fields, body))
  }

  onResponseData(_controller: Controller, part: Buffer): void {
    this.#sink?.write(part as Bytes)
  }

  onResponseEnd(): void {
    this.#sink?.end()
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    if (this.#isStale()) this.#sendAgain()
    else this.#fail(error)
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    this.#controller?.resume()
  }

  abort(reason: unknown): void {
    this.#aborted = { reason }
    this.#controller?.abort(asError(reason))
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

  #fail(error: Error): void {
    const attempt = this.#attempt
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

  /** Undefined when it has more content codings than it may. */
  #body(fields: WireFields): Body | undefined {
    const coding = wireField(fields, 'content-encoding')
    const way = coding === null ? plain(this) : decoding(this, coding, this.#attempt)
    this.#sink = way?.input
    return way?.body
  }

  /** A listener that throws ends the attempt with its own error, as a policy function does. */
  #inform(status: number, fields: WireFields): void {
    const { onInformation } = this.#attempt
    if (onInformation === undefined) return
    try {
      onInformation({ status, headers: new ReceivedResponse(status, '', '', fields, null).headers })
    } catch (error) {
      this.cancel(error)
    }
  }
}

function plain(source: Source): Decoding {
  const body = new WireBody(source)
  return { input: body, body }
}

/** undici wants an Error; the caller gets the reason itself. */
function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DOMException('This operation was aborted', 'AbortError')
}
