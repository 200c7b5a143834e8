import type { Socket } from 'node:net'
import { isFieldName } from '../http/fields.ts'
import { type WireFields, wireFields } from '../http/received.ts'

/** Who waits for a response on a socket, and is told of each `100 Continue` that comes before it. */
export interface Awaiting {
  onContinue(status: number, fields: WireFields): void
}

/** A status line of an informational response, RFC 9112 §4; nothing of HTTP comes after the one that switches protocols. */
const interim = /^HTTP\/1\.[01] 1(?!01)\d\d[ \r\n]/
/** One that tells to go on, RFC 9110 §15.2.1. */
const goOn = /^HTTP\/1\.[01] (100)/
/** A start that is shorter may still become one; it would if it went on like this. */
const sample = 'HTTP/1.1 102 '
/** The first digit of a status code, and where it stands. */
const digitAt = 9
const one = 0x31
const [cr, lf] = [0x0d, 0x0a]
/** Longest head that is looked through, as much as Node.js allows for the fields of any response. */
const maxHeadBytes = 16_384

/**
 * What is read from a socket of HTTP/1.1 without the `100 Continue` responses that nobody asked for: a server may send them
 * (RFC 9110 §15.2), but undici destroys the socket. Only the first bytes of a response are looked at, and never its content.
 */
export class ContinueFilter {
  readonly #socket: Socket
  readonly #read: Socket['read']
  #awaiting: Awaiting | undefined
  /** What was read, and is not to be parsed yet: the start of a head, or what came together with an earlier one. */
  #held: Buffer | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    this.#read = socket.read
    socket.read = (size) => {
      for (;;) {
        const chunk = this.#read.call(socket, size) as Buffer | null
        if (this.#awaiting === undefined) return chunk
        const next = this.#head(chunk, this.#awaiting)
        // Newer lines of Node.js give part after part, and who gets null comes back for new ones alone.
        if (next !== null || chunk === null) return next
      }
    }
    // A request that was given up closed it, and is not to be kept with it.
    socket.once('close', () => {
      this.#awaiting = undefined
      this.#held = undefined
    })
  }

  /** To be called when a request is written: what is read next is the head of a response to it. */
  await(awaiting: Awaiting): void {
    this.#awaiting = awaiting
  }

  /** What is to be parsed next: one informational response, or the start of the final one; null when it is not there yet. */
  #head(chunk: Buffer | null, awaiting: Awaiting): Buffer | null {
    const held = this.#held
    let rest = held === undefined || chunk === null ? (chunk ?? held) : Buffer.concat([held, chunk])
    this.#held = undefined
    while (rest !== undefined && rest.length > 0 && !this.#socket.destroyed) {
      const length = interimLength(rest)
      if (length === 0) {
        this.#awaiting = undefined
        if (!isForeign(rest)) return rest
        this.#socket.destroy(Object.assign(new Error('the answer is one of another protocol'), { code: 'HPE_INVALID_CONSTANT' }))
        return null
      }
      if (length === undefined) break
      const head = rest.subarray(0, length)
      rest = rest.subarray(length)
      const status = goOn.exec(head.toString('latin1', 0, sample.length))?.[1]
      if (status === undefined) {
        this.#held = rest
        return head
      }
      awaiting.onContinue(Number(status), fieldsIn(head))
    }
    this.#held = rest
    return null
  }
}

/** Whether it begins like RTSP or ICE, which undici's parser takes for HTTP. */
function isForeign(bytes: Buffer): boolean {
  return bytes[0] === 0x52 || bytes[0] === 0x49
}

/** How many bytes at the start are an informational response; undefined when that is to be seen, 0 for anything else. */
function interimLength(bytes: Buffer): number | undefined {
  if (bytes.length > digitAt && bytes[digitAt] !== one) return 0
  const line = bytes.toString('latin1', 0, sample.length)
  if (!interim.test(line + sample.slice(line.length))) return 0
  for (let end = bytes.indexOf(lf); end !== -1 && end < maxHeadBytes; end = bytes.indexOf(lf, end + 1)) {
    if (bytes[end + 1] === lf) return end + 2
    if (bytes[end + 1] === cr && bytes[end + 2] === lf) return end + 3
  }
  return bytes.length < maxHeadBytes ? undefined : 0
}

/** The fields of a head that no parser will see; malformed ones are skipped. */
function fieldsIn(head: Buffer): WireFields {
  const raw: string[] = []
  for (const line of head.toString('latin1').split(/\r?\n/)) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0))
    const value = line.slice(colon + 1).trim()
    if (isFieldName(name) && !/[^\t -~\x80-\xff]/.test(value)) raw.push(name, value)
  }
  return wireFields(raw)
}
