import type { Dispatcher } from 'undici'
import { NetworkError } from '../errors/failures.ts'
import { steadResponse } from '../http/response.ts'
import { isBodiless, isInformational, switchesProtocol } from '../status/table.ts'
import type { Attempt, Send } from '../types/exchange.ts'
import { decoded } from './decode.ts'
import { attemptFailure, type Stage } from './failure.ts'
import { outgoing } from './outgoing.ts'

type Bytes = Uint8Array<ArrayBuffer>
type Controller = Dispatcher.DispatchController

/** Sends attempts through an undici dispatcher. */
export function dispatchSend(dispatcherOf: () => Dispatcher): Send {
  return (attempt) =>
    new Promise((resolve, reject) => {
      dispatcherOf().dispatch(outgoing(attempt.request), new Incoming(attempt, resolve, reject))
    })
}

/** How much of a body may wait in memory before the connection is paused. */
const highWaterMark = 65_536

/** One response as undici delivers it: the handler of a dispatch and the source of the body. */
class Incoming implements Dispatcher.DispatchHandler {
  readonly #attempt: Attempt
  readonly #resolve: (response: Response) => void
  readonly #reject: (error: unknown) => void
  readonly #stopListening: () => void
  #stage: Stage = 'unsent'
  #aborted: { readonly reason: unknown } | undefined
  #controller: Controller | undefined
  #body: ReadableStreamDefaultController<Bytes> | undefined

  constructor(attempt: Attempt, resolve: (response: Response) => void, reject: (error: unknown) => void) {
    this.#attempt = attempt
    this.#resolve = resolve
    this.#reject = reject
    this.#stopListening = attempt.cancellation.onCancel((reason) => this.#abort(reason))
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller
    if (this.#aborted === undefined) this.#stage = 'sent'
    else controller.abort(asError(this.#aborted.reason))
  }

  onRequestUpgrade(controller: Controller, status: number): void {
    const facts = this.#attempt.facts()
    controller.abort(new NetworkError('protocol', 'maybe', `an unexpected ${status} switched the protocol`, facts))
  }

  onResponseStart(
    controller: Controller,
    status: number,
    raw: Record<string, string | string[] | undefined>,
    statusText = '',
  ): void {
    if (switchesProtocol(status)) {
      this.onRequestUpgrade(controller, status)
      return
    }
    if (isInformational(status)) {
      this.#inform(status, toHeaders(raw))
      return
    }
    const { request } = this.#attempt
    this.#stage = 'answered'
    const head = { status, statusText, headers: toHeaders(raw), url: request.url.href, redirected: false }
    const body = isBodiless(request.method, status) ? null : decoded(this.#stream(controller), head.headers, this.#attempt.facts)
    this.#resolve(steadResponse(body, head))
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#body === undefined) return
    this.#body.enqueue(chunk as Bytes)
    if ((this.#body.desiredSize ?? 0) <= 0) controller.pause()
  }

  onResponseEnd(): void {
    this.#stopListening()
    this.#body?.close()
    this.#body = undefined
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    this.#stopListening()
    const failure = this.#aborted === undefined ? attemptFailure(error, this.#stage, this.#attempt) : this.#aborted.reason
    this.#body?.error(failure)
    this.#body = undefined
    this.#reject(failure)
  }

  /** A listener that throws ends the attempt with its own error, as a policy function does. */
  #inform(status: number, headers: Headers): void {
    try {
      this.#attempt.onInformation?.({ status, headers })
    } catch (error) {
      this.#abort(error)
    }
  }

  #stream(controller: Controller): ReadableStream<Bytes> {
    return new ReadableStream<Bytes>(
      {
        start: (body) => {
          this.#body = body
        },
        pull: () => controller.resume(),
        cancel: (reason) => {
          this.#body = undefined
          this.#stopListening()
          controller.abort(asError(reason))
        },
      },
      { highWaterMark, size: (chunk) => chunk?.byteLength ?? 0 },
    )
  }

  /** A request that still waits for a connection cannot be called back: it is refused when its turn comes. */
  #abort(reason: unknown): void {
    this.#aborted = { reason }
    this.#body?.error(reason)
    this.#body = undefined
    this.#reject(reason)
    this.#controller?.abort(asError(reason))
  }
}

/** undici wants an Error; the caller gets the reason itself. */
function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DOMException('This operation was aborted', 'AbortError')
}

/** Fields as undici parses them; the bytes of obs-text (RFC 9110 §5.5) are one character each. */
function toHeaders(raw: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers()
  for (const name of Object.keys(raw)) {
    const value = raw[name]
    if (Array.isArray(value)) for (const item of value) headers.append(name, item)
    else if (value !== undefined) headers.append(name, value)
  }
  return headers
}
