import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { Agent, type buildConnector, Client, type Dispatcher, Pool } from 'undici'
import type { Clock } from '../clock.ts'
import type { Connecting } from '../observation.ts'
import { type Awaiting, ContinueFilter } from './continues.ts'
import { guardSession } from './h2-session.ts'
import { connectObserved, ObservedOpening } from './opening.ts'

/** One sending of a request over a socket, from its first byte on. */
export interface ConnectionUse {
  /** Whether an earlier request was written to the same socket: it may have gone stale since. */
  readonly reused: boolean
  /** Whether no byte has arrived on the socket since the request was written; on HTTP/2, of whatever stream. */
  readonly answeredNothing: boolean
}

/** A connection of steadfetch's own agent; undici renews its socket when that is lost. */
export interface Connection extends Connecting {
  readonly socket: Socket | undefined
  /** Has its openings observed from now on. */
  observed(): this
  /**
   * To be called in each `onRequestStart`, when the socket is known: undici itself sends a request a second time after
   * a GOAWAY or a REFUSED_STREAM. Undefined only outside of a request. `awaiting` is told of each unasked 100 Continue.
   */
  use(awaiting: Awaiting): ConnectionUse | undefined
  /** Gives the connection no further requests; it is closed once those that it has are answered. */
  retire(): void
}

/** What a dispatch handler implements to learn which connection its request goes to. */
export interface ConnectionAware {
  /** Called before `onRequestStart`, by steadfetch's own agent alone. */
  onConnection(connection: Connection): void
}

/** An undici Agent without time limits of its own, whose connections tell their handlers how they are used. */
export function trackingAgent(
  options: Omit<Agent.Options, 'connect' | 'factory'>,
  connect: buildConnector.connector,
  clock: Clock,
): Agent {
  const factory = (origin: string | URL, settings: object): Pool => {
    const client = (url: URL, own: object): Client => new TrackedClient(url, own as ClientSettings, clock, pool)
    const pool: Pool = new Pool(origin, { ...settings, factory: client })
    return pool
  }
  return new Agent({ headersTimeout: 0, bodyTimeout: 0, ...options, connect, factory })
}

/** How a Pool takes a client out of its rotation and closes it once its requests are done: undici has a symbol for it. */
const retireClient = Object.getOwnPropertySymbols(Object.getPrototypeOf(Pool.prototype)).find(
  ({ description }) => description === 'retire client',
)

type ClientSettings = Client.Options & { readonly connect: buildConnector.connector }

/** The socket a client has now, and how often a request was written to it. */
interface Current {
  socket: Socket | undefined
  /** Of a socket of HTTP/1.1. */
  filter: ContinueFilter | undefined
  requests: number
  isObserved: boolean
  /** The latest, where it is observed. */
  opening: ObservedOpening | undefined
}

/**
 * A Client gets the very handler that was given to the Agent, and has one socket at a time: the last one its connector
 * opened. Pool asks for a subclass of Client where it waits for ALPN.
 */
class TrackedClient extends Client implements Connection {
  readonly #current: Current
  readonly #pool: object

  constructor(origin: URL, settings: ClientSettings, clock: Clock, pool: object) {
    const current: Current = { socket: undefined, filter: undefined, requests: 0, isObserved: false, opening: undefined }
    super(origin, { ...settings, connect: noting(settings.connect, current, clock) })
    this.#current = current
    this.#pool = pool
    // Emitted when there is a session, and before the first request is written.
    this.on('connect', () => {
      if (current.socket !== undefined) guardSession(current.socket, clock)
    })
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler & Partial<ConnectionAware>,
  ): boolean {
    handler.onConnection?.(this)
    return super.dispatch(options, handler)
  }

  get socket(): Socket | undefined {
    return this.#current.socket
  }

  get opening(): ObservedOpening | undefined {
    return this.#current.opening
  }

  observed(): this {
    this.#current.isObserved = true
    return this
  }

  use(awaiting: Awaiting): ConnectionUse | undefined {
    const { socket, filter, requests } = this.#current
    if (socket === undefined) return undefined
    filter?.await(awaiting)
    this.#current.requests = requests + 1
    return new Use(socket, requests > 0)
  }

  retire(): void {
    if (retireClient !== undefined) (this.#pool as Record<symbol, (client: Client) => void>)[retireClient]?.(this)
  }
}

class Use implements ConnectionUse {
  readonly reused: boolean
  readonly #socket: Socket
  readonly #bytesBefore: number

  constructor(socket: Socket, reused: boolean) {
    this.reused = reused
    this.#socket = socket
    this.#bytesBefore = bytesOf(socket)
  }

  /** The count outlives the socket. */
  get answeredNothing(): boolean {
    return bytesOf(this.#socket) === this.#bytesBefore
  }
}

/** Whether HTTP/2 was chosen when TLS was set up. */
export function speaksHttp2(socket: Socket): boolean {
  return (socket as TLSSocket).alpnProtocol === 'h2'
}

/** NaN, which equals nothing, for the stream of a foreign connector that does not count. */
function bytesOf(socket: Partial<Socket>): number {
  return socket.bytesRead ?? Number.NaN
}

function noting(connect: buildConnector.connector, current: Current, clock: Clock): buildConnector.connector {
  return (options, callback) => {
    current.opening = current.isObserved ? new ObservedOpening(options.protocol === 'https:', clock) : undefined
    connectObserved(connect, options, current.opening, (...result) => {
      const [, socket] = result
      // Of a failure undici's connectors tell no socket, not even null.
      if (socket) {
        const filter = speaksHttp2(socket) ? undefined : new ContinueFilter(socket)
        Object.assign(current, { socket, filter, requests: 0 })
      }
      callback(...result)
    })
  }
}
