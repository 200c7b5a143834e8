import type { Socket } from 'node:net'
import { pipeline, type Readable } from 'node:stream'
import type { Clock } from '../clock.ts'
import { ExpectationFailedError } from '../errors/status-errors.ts'
import type { WireFields } from '../http/received.ts'
import { errorClass, statusRow } from '../status/table.ts'
import type { Bytes, Sink, Source } from '../types/body.ts'
import type { Attempt, ByteStream, Content, Send } from '../types/exchange.ts'
import { answer, type Head, invalidStatus } from './answer.ts'
import type { Connect } from './connector.ts'
import { departAsking } from './departure.ts'
import { attemptFailure, type Stage } from './failure.ts'
import { inform } from './interim.ts'
import { connectFor } from './opening.ts'
import { exactly, type Question, type Questioner } from './question.ts'
import { askHttp1 } from './question-http1.ts'
import { askHttp2 } from './question-http2.ts'
import { unexpectedSwitch } from './switch.ts'
import { speaksHttp2 } from './tracked-client.ts'

/** How such requests are sent, the same for all of a client; `plainly` without asking. */
interface Way {
  readonly connect: Connect
  readonly clock: Clock
  readonly plainly: Send
  /** Told once nothing more will be sent or received. */
  readonly over: (request: Asking) => void
}

/**
 * One request that asks before its content is sent, RFC 9110 §10.1.1. undici cannot ask on HTTP/1.1, and on HTTP/2 it would
 * wait for the answer for ever; Node's own clients do it, on a connection that is used once.
 */
export class Asking implements Source, Questioner {
  readonly #attempt: Attempt
  readonly #content: Content
  readonly #way: Way
  #question: Question | undefined
  #stopOpening: (() => void) | undefined
  #stage: Stage = 'unsent'
  #started = false
  /** Nothing that comes changes anything any more. */
  #over = false
  #response: Readable | undefined
  #sink: Sink | undefined
  #stopTimer: (() => void) | undefined

  constructor(attempt: Attempt, content: Content, way: Way) {
    this.#attempt = attempt
    this.#content = content
    this.#way = way
  }

  send(): void {
    const { origin } = this.#attempt.request
    const { host, hostname, protocol, port } = new URL(origin)
    this.#attempt.add(this)
    const target = { host, hostname: hostname.replace(/^\[(.*)\]$/, '$1'), protocol, port }
    this.#stopOpening = connectFor(this.#attempt, this.#way, target, (error, socket) => {
      if (socket) this.#ask(socket)
      else this.onError(error)
    })
  }

  pause(): void {
    this.#response?.pause()
  }

  resume(): void {
    this.#response?.resume()
  }

  abort(): void {
    this.#leave()
    if (this.#question === undefined) this.#stopOpening?.()
    else this.#question.destroy()
  }

  cancel(reason: unknown): void {
    this.abort()
    this.#attempt.failed(reason)
  }

  /** Over the version of HTTP that was chosen when the connection was opened. */
  #ask(socket: Socket): void {
    if (this.#over) return void socket.on('error', () => {}).destroy()
    const ask = speaksHttp2(socket) ? askHttp2 : askHttp1
    departAsking(this.#attempt, this.#content, socket)
    try {
      this.#question = ask(this.#attempt.request, this.#content, socket, this)
    } catch (error) {
      socket.on('error', () => {}).destroy()
      this.onError(error)
    }
  }

  /** Many servers do not know of the question, so that silence is a yes. */
  onSent(): void {
    if (this.#over) return
    this.#stage = 'sent'
    this.#stopTimer = this.#way.clock.after(this.#attempt.expectContinue as number, () => this.onContinue())
  }

  onContinue(): void {
    const writable = this.#question?.writable
    if (this.#over || this.#started || this.#response !== undefined || writable === undefined) return
    this.#started = true
    this.#stopTimer?.()
    const source = this.#content.open()
    const whole = typeof source === 'string' ? Buffer.from(source) : source
    if (whole instanceof Uint8Array) writable.end(this.#noted(whole))
    else pipeline(this.#parts(whole instanceof Blob ? (whole.stream() as ByteStream) : whole), writable, () => {})
  }

  /** What the stream fails with has to be known before it ends the request. */
  async *#parts(source: ByteStream): AsyncGenerator<Bytes> {
    try {
      for await (const part of exactly(this.#attempt.request, source)) yield this.#noted(part)
    } catch (error) {
      this.onError(error)
      throw error
    }
  }

  #noted<Part extends Uint8Array>(part: Part): Part {
    this.#attempt.observation?.sentContent.add(part)
    return part
  }

  onInformation(status: number, fields: WireFields): void {
    if (this.#over) return
    if (statusRow(status).switches === true) this.onSwitch(status)
    else {
      const end = inform(this.#attempt, status, fields)
      if (end !== undefined) this.cancel(end.error)
    }
  }

  onSwitch(status: number): void {
    this.onError(unexpectedSwitch(this.#attempt, status))
  }

  onResponse(head: Head, content: Readable): void {
    if (this.#over) return
    const { status } = head
    const invalid = invalidStatus(this.#attempt, status)
    if (invalid !== undefined) this.onError(invalid)
    else if (statusRow(status).switches === true) this.onSwitch(status)
    else if (this.#isRefused(status)) this.#repeat()
    else this.#answer(head, content)
  }

  /** Whether a server on the way does not support the question, RFC 9110 §15.5.18. */
  #isRefused(status: number): boolean {
    return errorClass(status) === ExpectationFailedError && (!this.#started || this.#content.replayable)
  }

  #repeat(): void {
    this.abort()
    this.#attempt.remove(this)
    this.#attempt.resent = true
    this.#way.plainly(this.#attempt)
  }

  #answer(head: Head, content: Readable): void {
    this.#stopTimer?.()
    this.#stage = 'answered'
    this.#response = content
    this.#sink = answer(this.#attempt, { source: this, clock: this.#way.clock }, head)
    content.on('data', (part: Bytes) => this.#sink?.write(part))
    content.on('end', () => this.#end())
  }

  /** The connection may still wait for content that nobody wants. */
  #end(): void {
    if (this.#over) return
    this.#leave()
    this.#sink?.end()
    this.#question?.destroy()
  }

  onError(error: unknown): void {
    if (this.#over) return
    const attempt = this.#attempt
    const failure = attemptFailure(error, this.#stage, attempt)
    if (this.#stage === 'answered') {
      this.abort()
      this.#sink?.fail(failure)
    } else {
      attempt.remove(this)
      this.cancel(failure)
    }
  }

  #leave(): void {
    this.#over = true
    this.#stopTimer?.()
    this.#way.over(this)
  }
}
