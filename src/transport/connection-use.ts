import type { Socket } from 'node:net'

/** One sending of a request over a socket, from its first byte on. */
export interface ConnectionUse {
  /** Whether an earlier request was written to the same socket: it may have gone stale since. */
  readonly reused: boolean
  /** Whether no byte has arrived on the socket since the request was written; on HTTP/2, of whatever stream. */
  readonly answeredNothing: boolean
}

/** Most requests under way have one, so that it is one number and a socket: below 0 where that was not used before. */
export class Use implements ConnectionUse {
  readonly #socket: Socket
  readonly #bytesBefore: number

  constructor(socket: Socket, reused: boolean) {
    const bytes = bytesOf(socket)
    this.#socket = socket
    this.#bytesBefore = reused ? bytes : -1 - bytes
  }

  get reused(): boolean {
    return this.#bytesBefore >= 0
  }

  /** The count outlives the socket. */
  get answeredNothing(): boolean {
    const bytes = bytesOf(this.#socket)
    return this.#bytesBefore === (this.reused ? bytes : -1 - bytes)
  }
}

/** NaN, which equals nothing, for the stream of a foreign connector that does not count. */
function bytesOf(socket: Partial<Socket>): number {
  return socket.bytesRead ?? Number.NaN
}
