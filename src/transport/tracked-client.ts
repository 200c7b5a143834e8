import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { Agent, type buildConnector, Client, type Dispatcher, errors, Pool } from 'undici'
import type { Clock } from '../clock.ts'
import { type Awaiting, ContinueFilter } from './continues.ts'
import { guardSession } from './h2-session.ts'

/** One sending of a request over a socket, from its first byte on. */
export interface ConnectionUse {
  /** Whether an earlier request was written to the same socket: it may have gone stale since. */
  readonly reused: boolean
  /** Whether no byte has arrived on the socket since the request was written; on HTTP/2, of whatever stream. */
  readonly answeredNothing: boolean
}

/** A connection of steadfetch's own agent; undici renews its socket when that is lost. */
export interface Connection {
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
  /** Whether nobody waits for an answer any more: a request that waits for its connection cannot be called back. */
  readonly givenUp: boolean
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
}

/**
 * A Client gets the very handler that was given to the Agent, and has one socket at a time: the last one its connector
 * opened. Pool asks for a subclass of Client where it waits for ALPN.
 */
class TrackedClient extends Client implements Connection {
  readonly #current: Current
  #latest: Partial<ConnectionAware> | undefined
  readonly #pool: object

  constructor(origin: URL, settings: ClientSettings, clock: Clock, pool: object) {
    const current: Current = { socket: undefined, filter: undefined, requests: 0 }
    super(origin, { ...settings, connect: wanted(noting(settings.connect, current), () => this.#isForgotten) })
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
    this.#latest = handler
    handler.onConnection?.(this)
    return super.dispatch(options, handler)
  }

  /** Whether the only request it has was given up. */
  get #isForgotten(): boolean {
    return this.#latest?.givenUp === true && this.stats.size === 1
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

/**
 * A connector that opens nothing for a request that was given up while it waited for its turn: else a line of such requests
 * takes the connect limit of each, one after the other, and whoever comes later, or closes the client, waits for them all.
 */
function wanted(connect: buildConnector.connector, isForgotten: () => boolean): buildConnector.connector {
  return (options, callback) => {
    if (isForgotten()) queueMicrotask(() => callback(new errors.RequestAbortedError(), null))
    else connect(options, callback)
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

function noting(connect: buildConnector.connector, current: Current): buildConnector.connector {
  return (options, callback) => {
    connect(options, (...result) => {
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
