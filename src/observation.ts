import type { Clock } from './clock.ts'
import { traceCode } from './errors/steadfetch-error.ts'
import { attempted } from './listener.ts'
import type { Fields, HopRequest, Received } from './types/exchange.ts'
import type { OwnNames } from './types/redact.ts'
import type { WaitReason } from './types/trace.ts'

/** Who wants to know all of every attempt. */
export interface Observer {
  /** Most bytes of each content it wants to see. */
  readonly contentBytes: number
  begun(observation: Observation): void
  /** Nothing more will come; what was observed is forgotten afterwards. */
  ended(observation: Observation): void
}

/** How far the opening of a connection has come, in monotonic milliseconds. */
export interface Opening {
  readonly startMs: number
  readonly isSecure: boolean
  /** Whether there is a connection. */
  readonly isOpen: boolean
  /** When the name of the host was resolved; undefined where there was none to resolve. */
  readonly lookupMs: number | undefined
  /** Whether it could not be. */
  readonly isLost: boolean
  readonly connectMs: number | undefined
  readonly secureMs: number | undefined
}

/** The connection that an attempt uses, or waits for. */
export interface Connecting {
  readonly opening: Opening | undefined
}

/** How a request is written to its connection. */
export interface Departure {
  readonly httpVersion?: string
  readonly fields: Fields
  readonly headBytes?: number
  /** Bytes of content, where they will not be told one by one. */
  readonly contentBytes?: number
  readonly address?: string | undefined
  readonly port?: number | undefined
  /** The opening of the connection, where it was opened for this request. */
  readonly opening?: Opening | undefined
}

/** What an attempt was when it began. */
export interface Beginning {
  readonly call: number
  readonly attempt: number
  readonly request: HopRequest
  readonly startMs: number
  readonly waited: { readonly ms: number; readonly reason: WaitReason } | null
  readonly isHedge: boolean
  /** Names of the caller's own whose values are masked. */
  readonly own: OwnNames | undefined
}

/** The start of a content, in memory of its own. */
export class Excerpt {
  readonly parts: Uint8Array[] = []
  size = 0
  #left: number

  constructor(maxBytes: number) {
    this.#left = maxBytes
  }

  /** Whether all of it is here. */
  get isWhole(): boolean {
    return this.parts.reduce((sum, { byteLength }) => sum + byteLength, 0) === this.size
  }

  add(part: Uint8Array): void {
    this.size += part.byteLength
    if (this.#left <= 0) return
    const kept = part.slice(0, this.#left)
    this.#left -= kept.byteLength
    this.parts.push(kept)
  }
}

/** Everything of one attempt, from its start to the last byte of the content; made only where somebody observes. */
export class Observation {
  beginning: Beginning
  readonly wallTime: number
  readonly #clock: Clock
  readonly #observers: readonly Observer[]
  readonly #contentBytes: number
  /** Where the request will be, or is, written. */
  connection: Connecting | undefined
  /** The request as it is handed to the connection. */
  outgoing: object | undefined
  departure: Departure | undefined
  received: Received | undefined
  departedMs: number | undefined
  sentMs: number | undefined
  answeredMs: number | undefined
  endedMs: number | undefined
  /** Bytes of the content of the response as they came from the connection, still coded; undefined where nobody counts. */
  codedBytes: number | undefined
  sentContent: Excerpt
  readonly content: Excerpt
  error: string | undefined
  resent = false

  constructor(beginning: Beginning, clock: Clock, observers: readonly Observer[]) {
    this.#contentBytes = Math.max(...observers.map(({ contentBytes }) => contentBytes))
    this.beginning = beginning
    this.wallTime = clock.wallTime()
    this.#clock = clock
    this.#observers = observers
    this.sentContent = new Excerpt(this.#contentBytes)
    this.content = new Excerpt(this.#contentBytes)
    for (const observer of observers) observer.begun(this)
  }

  get nowMs(): number {
    return this.#clock.now()
  }

  /** The header section is being written; a second time where the request is sent again. */
  departed(departure: Departure): void {
    if (this.endedMs !== undefined) return
    this.resent = this.departure !== undefined
    this.departure = departure
    this.departedMs = this.nowMs
    this.sentMs = undefined
    this.sentContent = new Excerpt(this.#contentBytes)
  }

  /** The last byte of the request was written. */
  sent(): void {
    this.sentMs ??= this.nowMs
  }

  /** The header section of the response is there. */
  answered(received: Received): void {
    if (this.endedMs !== undefined) return
    this.received = received
    this.answeredMs = this.nowMs
  }

  came(bytes: number): void {
    this.codedBytes = (this.codedBytes ?? 0) + bytes
  }

  /** Nothing more will come; with an error, it failed. What is no longer wanted has no error. */
  ended(error?: unknown): void {
    if (this.endedMs !== undefined) return
    this.endedMs = this.nowMs
    if (error !== undefined) this.error = traceCode(error)
    for (const observer of this.#observers) this.#tell(observer)
    this.#forget()
  }

  #tell(observer: Observer): void {
    attempted((observation: Observation) => observer.ended(observation), this)
  }

  /** A response or an error that is kept is not to keep what was sent and received. */
  #forget(): void {
    this.beginning = { ...this.beginning, request: { ...this.beginning.request, content: null } }
    this.received = undefined
    this.departure = undefined
    this.connection = undefined
    this.outgoing = undefined
    this.sentContent = new Excerpt(0)
    this.content.parts.length = 0
  }
}
