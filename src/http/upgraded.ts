import type { Duplex } from 'node:stream'
import { ReceivedResponse, type WireFields } from './received.ts'

/** A response that switched protocols (RFC 9110 §15.2.2), and the connection, which nobody but its taker reads. */
export class UpgradedResponse extends ReceivedResponse {
  #socket: Duplex | undefined

  constructor(status: number, url: string, fields: WireFields, socket: Duplex) {
    super(status, '', url, fields, null)
    this.#socket = socket
    // It may be lost before its taker listens; that it is closed then tells enough.
    socket.on('error', () => {})
  }

  /** The connection, which belongs to the caller from now on. */
  take(): Duplex {
    const socket = this.#socket as Duplex
    this.#socket = undefined
    return socket
  }

  override release(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }
}
