import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'
import type { Clock } from '../clock.ts'
import type { Opening } from '../observation.ts'
import type { Attempt } from '../types/exchange.ts'
import type { Connect } from './connector.ts'

/** The opening of a connection that somebody observes. */
export class ObservedOpening implements Opening {
  readonly startMs: number
  readonly isSecure: boolean
  readonly #clock: Clock
  isOpen = false
  isLost = false
  lookupMs: number | undefined
  connectMs: number | undefined
  secureMs: number | undefined

  constructor(isSecure: boolean, clock: Clock) {
    this.startMs = clock.now()
    this.isSecure = isSecure
    this.#clock = clock
  }

  /** Follows the socket that is being opened; a connector of the caller's need not tell it. */
  follow(socket: unknown): void {
    const { once } = Object(socket) as Partial<Socket>
    if (typeof once !== 'function') return
    const opening = socket as Socket
    opening.once('lookup', (error) => {
      this.lookupMs = this.#clock.now()
      this.isLost = Boolean(error)
    })
    opening.once('connect', () => {
      this.connectMs = this.#clock.now()
    })
  }

  /** There is a connection. */
  opened(): void {
    this.isOpen = true
    if (this.isSecure) this.secureMs = this.#clock.now()
    else this.connectMs ??= this.#clock.now()
  }
}

/** Opens a connection, and tells `opening` how far it has come; gives what ends it. */
export function connectObserved(
  connect: Connect,
  options: buildConnector.Options,
  opening: ObservedOpening | undefined,
  callback: buildConnector.Callback,
): () => void {
  if (opening === undefined) return connect(options, callback)
  const opened: buildConnector.Callback = (...result) => {
    if (result[1]) opening.opened()
    callback(...result)
  }
  return connect(options, opened, (socket) => opening.follow(socket))
}

/** Opens a connection for one attempt alone. */
export function connectFor(
  { observation }: Attempt,
  { connect, clock }: { readonly connect: Connect; readonly clock: Clock },
  options: buildConnector.Options,
  callback: buildConnector.Callback,
): () => void {
  const opening = observation && new ObservedOpening(options.protocol === 'https:', clock)
  if (observation !== undefined) observation.connection = { opening }
  return connectObserved(connect, options, opening, callback)
}
