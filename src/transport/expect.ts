import type { ClientRequest, IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream'
import type { buildConnector } from 'undici'
import type { Clock } from '../clock.ts'
import { ExpectationFailedError } from '../errors/status-errors.ts'
import { wireFields } from '../http/received.ts'
import { errorClass, statusRow } from '../status/table.ts'
import type { Bytes, Sink, Source } from '../types/body.ts'
import type { Attempt, ByteStream, Content, Send } from '../types/exchange.ts'
import { answer } from './answer.ts'
import { attemptFailure, codeOf, type Stage } from './failure.ts'
import { inform } from './interim.ts'
import { askingRequest, exactly } from './node-request.ts'
import { unexpectedSwitch } from './switch.ts'

/** The code of an origin that speaks HTTP/2 alone, and has nobody to ask over HTTP/1.1. */
export const noHttp1 = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'

/** How such requests are sent, the same for all of a client. */
interface Way {
  readonly connect: buildConnector.connector
  readonly clock: Clock
  /** Sends an attempt without asking. */
  readonly plainly: Send
  /** Told once nothing more will be sent or received. */
  readonly over: (request: Asking) => void
}

/**
 * One request that asks before its content is sent, RFC 9110 §10.1.1. undici cannot ask on HTTP/1.1, and on HTTP/2 it would
 * wait for the answer for ever; Node's own client does it, on a connection that is used once.
 */
export class Asking implements Source {
  readonly #attempt: Attempt
  readonly #content: Content
  readonly #way: Way
  readonly #request: ClientRequest
  #stage: Stage = 'unsent'
  #started = false
  /** Nothing that comes changes anything any more. */
  #over = false
  #response: IncomingMessage | undefined
  #sink: Sink | undefined
  #stopTimer: (() => void) | undefined

  constructor(attempt: Attempt, content: Content, way: Way) {
    this.#attempt = attempt
    this.#content = content
    this.#way = way
    this.#request = askingRequest(attempt.request, content, way.connect)
  }

  send(): void {
    const request = this.#request
    request.on('socket', () => this.#await())
    request.on('continue', () => this.#sendContent())
    request.on('information', ({ statusCode, rawHeaders }) => this.#inform(statusCode, rawHeaders))
    request.on('response', (response) => this.#respond(response))
    request.on('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy()
      this.#fail(unexpectedSwitch(this.#attempt, statusCode))
    })
    request.on('error', (error) => this.#fail(error))
    this.#attempt.add(this)
  }

  pause(): void {
    this.#response?.pause()
  }

  resume(): void {
    this.#response?.resume()
  }

  abort(): void {
    this.#leave()
    this.#request.destroy()
  }

  cancel(reason: unknown): void {
    this.abort()
    this.#attempt.failed(reason)
  }

  /** Sent up to the content. Many servers do not know of the question, so that silence is a yes. */
  #await(): void {
    if (this.#over) return
    this.#stage = 'sent'
    this.#stopTimer = this.#way.clock.after(this.#attempt.expectContinue as number, () => this.#sendContent())
  }

  #sendContent(): void {
    if (this.#over || this.#started || this.#response !== undefined) return
    this.#started = true
    this.#stopTimer?.()
    const source = this.#content.open()
    if (typeof source === 'string') this.#request.end(Buffer.from(source))
    else if (source instanceof Uint8Array) this.#request.end(source)
    else pipeline(this.#parts(source instanceof Blob ? (source.stream() as ByteStream) : source), this.#request, () => {})
  }

  /** What the stream fails with has to be known before it ends the request. */
  async *#parts(source: ByteStream): AsyncGenerator<Bytes> {
    try {
      yield* exactly(this.#attempt.request, source)
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  #inform(status: number, rawHeaders: readonly string[]): void {
    const end = this.#over ? undefined : inform(this.#attempt, status, wireFields(rawHeaders))
    if (end !== undefined) this.cancel(end.error)
  }

  #respond(response: IncomingMessage): void {
    const { statusCode: status = 0 } = response
    response.on('error', (error) => this.#fail(error))
    if (this.#over) return
    if (statusRow(status).switches === true) this.#fail(unexpectedSwitch(this.#attempt, status))
    else if (this.#isRefused(status)) this.#repeat(true)
    else this.#answer(response, status)
  }

  /** Whether a server on the way does not support the question, RFC 9110 §15.5.18. */
  #isRefused(status: number): boolean {
    return errorClass(status) === ExpectationFailedError && (!this.#started || this.#content.replayable)
  }

  #answer(response: IncomingMessage, status: number): void {
    const { statusMessage: statusText = '', rawHeaders } = response
    this.#stopTimer?.()
    this.#stage = 'answered'
    this.#response = response
    this.#sink = answer(this.#attempt, this, { status, statusText, fields: wireFields(rawHeaders) })
    response.on('data', (part: Bytes) => this.#sink?.write(part))
    response.on('end', () => this.#end())
  }

  /** The connection may still wait for content that nobody wants. */
  #end(): void {
    if (this.#over) return
    this.#leave()
    this.#sink?.end()
    if (!this.#request.writableFinished) this.#request.destroy()
  }

  #repeat(refused: boolean): void {
    this.abort()
    this.#attempt.remove(this)
    if (refused) this.#attempt.resent = true
    this.#way.plainly(this.#attempt)
  }

  #fail(error: unknown): void {
    // What happens to the connection after the last byte of the response does not matter.
    if (this.#over || this.#response?.complete === true) return
    const attempt = this.#attempt
    if (this.#stage === 'unsent' && codeOf(error) === noHttp1) this.#repeat(false)
    else if (this.#stage === 'answered') {
      this.abort()
      this.#sink?.fail(attemptFailure(error, this.#stage, attempt))
    } else {
      attempt.remove(this)
      this.cancel(attemptFailure(error, this.#stage, attempt))
    }
  }

  #leave(): void {
    this.#over = true
    this.#stopTimer?.()
    this.#way.over(this)
  }
}
