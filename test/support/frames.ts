import { createServer, type TLSSocket } from 'node:tls'
import { identity, type SecureServer, secured } from './tls.ts'

/** Error codes of HTTP/2, RFC 9113 §7. */
export const codes = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  ENHANCE_YOUR_CALM: 0xb,
  HTTP_1_1_REQUIRED: 0xd,
} as const

/** The largest identifier of a stream: a GOAWAY with it only says that the end is near, RFC 9113 §6.8. */
export const lastOfAll = 2 ** 31 - 1

const types = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7 }
const flags = { ack: 1, endStream: 1, endHeaders: 4 }
const prefaceLength = 24

/** One HTTP/2 connection of a {@link frameServer}, whose frames a test writes one by one. */
export interface FrameSession {
  readonly socket: TLSSocket
  /** The place of this connection among those of the server, from 1. */
  readonly number: number
  /** A response header section with status 200, and nothing after it. */
  head(stream: number, length?: number): void
  data(stream: number, content: string, end: boolean): void
  /** A whole response. */
  answer(stream: number, content: string): void
  reset(stream: number, code: number): void
  goaway(lastStream: number, code: number): void
}

/** A server of HTTP/2 that does what no library would; `respond` is called for each request once it is whole. */
export async function frameServer(
  respond: (session: FrameSession, stream: number, index: number) => void,
): Promise<SecureServer<unknown>> {
  const requests: string[] = []
  let sessions = 0
  const server = createServer({ ...identity, ALPNProtocols: ['h2'] }, (socket) => {
    sessions += 1
    const session = sessionOf(socket, sessions)
    reading(socket, (stream) => {
      requests.push(`${session.number}:${stream}`)
      respond(session, stream, requests.length)
    })
  })
  return secured(server, requests)
}

function sessionOf(socket: TLSSocket, number: number): FrameSession {
  const send = (type: number, flag: number, stream: number, content: Buffer): void => {
    if (!socket.destroyed) socket.write(frame(type, flag, stream, content))
  }
  return {
    socket,
    number,
    head(stream, length) {
      // HPACK (RFC 7541): `:status: 200` is entry 8 of the static table, content-length entry 28.
      const digits = Buffer.from(String(length))
      const field = length === undefined ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0f, 28 - 15, digits.length]), digits])
      send(types.headers, flags.endHeaders, stream, Buffer.concat([Buffer.from([0x88]), field]))
    },
    data(stream, content, end) {
      send(types.data, end ? flags.endStream : 0, stream, Buffer.from(content))
    },
    answer(stream, content) {
      this.head(stream)
      this.data(stream, content, true)
    },
    reset(stream, code) {
      send(types.reset, 0, stream, words(code))
    },
    goaway(lastStream, code) {
      send(types.goaway, 0, 0, words(lastStream, code))
    },
  }
}

/** Answers settings and pings, and tells of each request that has ended. */
function reading(socket: TLSSocket, ended: (stream: number) => void): void {
  let received = Buffer.alloc(0)
  let atPreface = true
  socket.write(frame(types.settings, 0, 0, Buffer.alloc(0)))
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    if (atPreface && received.length >= prefaceLength) {
      received = received.subarray(prefaceLength)
      atPreface = false
    }
    while (!atPreface && received.length >= 9 && received.length >= 9 + received.readUIntBE(0, 3)) {
      const length = received.readUIntBE(0, 3)
      const [type, flag, stream] = [received[3], received[4] as number, received.readUInt32BE(5)]
      const content = received.subarray(9, 9 + length)
      received = received.subarray(9 + length)
      if (type === types.settings && (flag & flags.ack) === 0) socket.write(frame(types.settings, flags.ack, 0, Buffer.alloc(0)))
      if (type === types.ping && (flag & flags.ack) === 0) socket.write(frame(types.ping, flags.ack, 0, content))
      if ((type === types.headers || type === types.data) && (flag & flags.endStream) !== 0) ended(stream)
    }
  })
}

function frame(type: number, flag: number, stream: number, content: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(content.length, 0, 3)
  head[3] = type
  head[4] = flag
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, content])
}

function words(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length)
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * index)
  return bytes
}
