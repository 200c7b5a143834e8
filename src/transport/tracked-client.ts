import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { Agent, type buildConnector, Client, type Dispatcher, errors, Pool } from 'undici'
import type { Clock } from '../clock.ts'
import type { Connecting } from '../observation.ts'
import type { ConnectionUse } from './connection-use.ts'
import { Use } from './connection-use.ts'
import type { Connect } from './connector.ts'
import { type Awaiting, ContinueFilter } from './continues.ts'
import { guardSession } from './h2-session.ts'
import { connectObserved, ObservedOpening } from './opening.ts'

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
  /** To be called when a request ends that has not begun: with the last of them the opening of the connection ends, too. */
  abandon(handler: object): void
  /** Whether its socket of HTTP/1.1 has failed: what ends at that moment was cut short. */
  readonly broken: boolean
  /** Gives the connection no further requests; it is closed once those that it has are answered. */
  retire(): void
}

/** What a dispatch handler implements to learn which connection its request goes to. */
export interface ConnectionAware {
  /** Called before `onRequestStart`, by steadfetch's own agent alone. */
  onConnection(connection: Connection): void
}

/** An undici Agent without time limits of its own, whose connections tell their handlers how they are used. */
export function trackingAgent(options: Omit<Agent.Options, 'connect' | 'factory'>, connect: Connect, clock: Clock): Agent {
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

type ClientSettings = Client.Options & { readonly connect: Connect }

/** The socket a client has now, and how often a request was written to it; `filter` of one of HTTP/1.1. */
interface Current {
  socket: Socket | undefined
  filter: ContinueFilter | undefined
  requests: number
  /** Ends the opening of the next socket, while that is under way. */
  stopOpening: (() => void) | undefined
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
  /** The latest request that has not begun. */
  #latest: object | 'given up' | undefined
  readonly #pool: Pool
  /** The requests that wait for the connection to be opened, while there are any. */
  #waiting: Set<object> | undefined

  constructor(origin: URL, settings: ClientSettings, clock: Clock, pool: Pool) {
    const current: Current = {
      ...{ socket: undefined, filter: undefined, requests: 0, stopOpening: undefined, isObserved: false, opening: undefined },
    }
    super(origin, {
      ...settings,
      connect: noting(
        wanted(settings.connect, () => this.#isForgotten),
        current,
        clock,
      ),
    })
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
    if (this.#current.socket?.destroyed !== false) this.#waiting = (this.#waiting ?? new Set()).add(handler)
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

  /** Whether the only request it has was given up. */
  get #isForgotten(): boolean {
    return this.#latest === 'given up' && this.stats.size === 1
  }

  use(awaiting: Awaiting): ConnectionUse | undefined {
    const { socket, filter, requests } = this.#current
    if (socket === undefined) return undefined
    this.#leave(awaiting)
    this.#latest = undefined
    filter?.await(awaiting)
    this.#current.requests = requests + 1
    return new Use(socket, requests > 0)
  }

  abandon(handler: object): void {
    if (this.#latest === handler) this.#latest = 'given up'
    // Those in the line of the pool wait for it, too.
    const isWanted = !this.#leave(handler) || this.#waiting !== undefined || this.#pool.stats.queued > 0
    if (!isWanted) this.#current.stopOpening?.()
  }

  /** Whether the request was one of those that wait. */
  #leave(handler: object): boolean {
    const wasWaiting = this.#waiting?.delete(handler) === true
    if (this.#waiting?.size === 0) this.#waiting = undefined
    return wasWaiting
  }

  get broken(): boolean {
    const { socket, filter } = this.#current
    return filter !== undefined && Boolean(socket?.errored)
  }

  retire(): void {
    if (retireClient !== undefined) (this.#pool as unknown as Record<symbol, (client: Client) => void>)[retireClient]?.(this)
  }
}

/**
 * A connector that opens nothing for a request that was given up while it waited for its turn: else a line of such requests
 * takes the connect limit of each, one after the other, and whoever comes later, or closes the client, waits for them all.
 */
function wanted(connect: Connect, isForgotten: () => boolean): Connect {
  return (options, callback, follow) => {
    if (!isForgotten()) return connect(options, callback, follow)
    queueMicrotask(() => callback(new errors.RequestAbortedError(), null))
    return () => {}
  }
}

/** Whether HTTP/2 was chosen when TLS was set up. */
export function speaksHttp2(socket: Socket): boolean {
  return (socket as TLSSocket).alpnProtocol === 'h2'
}

/** Node leaves a socket open whose TLS has failed, and undici would wait for its close for ever. */
function destroyed(this: Socket): void {
  this.destroy()
}

function noting(connect: Connect, current: Current, clock: Clock): buildConnector.connector {
  return (options, callback) => {
    let isOpening = true
    current.opening = current.isObserved ? new ObservedOpening(options.protocol === 'https:', clock) : undefined
    const stop = connectObserved(connect, options, current.opening, (...result) => {
      isOpening = false
      current.stopOpening = undefined
      const [, socket] = result
      // Of a failure undici's connectors tell no socket, not even null.
      if (socket) {
        socket.on('error', destroyed)
        const filter = speaksHttp2(socket) ? undefined : new ContinueFilter(socket)
        Object.assign(current, { socket, filter, requests: 0 })
      }
      callback(...result)
    })
    if (isOpening) current.stopOpening = stop
  }
}
