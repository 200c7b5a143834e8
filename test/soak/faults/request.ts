// Requests of HTTP/1.1 as a raw server reads them.
import type { Duplex } from 'node:stream'

/** A request, or the head of one whose content is still to come. */
export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly fields: Readonly<Record<string, string>>
  readonly content: Buffer
}

/** What is told of a connection. */
export interface Reading {
  /** A head has come; true takes the request before its content has. */
  head(request: RawRequest): boolean
  /** A request has come whole; nothing more is read from the connection until `next` is called. */
  whole(request: RawRequest, next: () => void): void
}

/** Reads one request after the other from a connection. */
export function readRequests(socket: Duplex, reading: Reading): void {
  let received: Buffer = Buffer.alloc(0)
  let head: { readonly request: RawRequest; readonly size: number } | undefined
  let busy = false
  let taken = false
  const look = (): void => {
    while (!busy && !socket.destroyed) {
      if (head === undefined) {
        const end = received.indexOf('\r\n\r\n')
        if (end === -1) return
        head = { request: parsed(received.toString('latin1', 0, end)), size: end + 4 }
        // Busy meanwhile: to write may make more come at once.
        busy = true
        taken = reading.head(head.request)
        busy = taken
      }
      const content = contentAt(received.subarray(head.size), head.request)
      if (content === undefined || busy) return
      const whole = { ...head.request, content: content.bytes }
      received = Buffer.from(received.subarray(head.size + content.size))
      head = undefined
      busy = true
      reading.whole(whole, () => {
        busy = false
        look()
      })
    }
  }
  socket.on('data', (part: Buffer) => {
    // What comes after an early answer is not kept: it lets the connection go.
    if (taken) return
    received = Buffer.concat([received, part])
    look()
  })
}

function parsed(text: string): RawRequest {
  const [line = '', ...rest] = text.split('\r\n')
  const [method = '', path = ''] = line.split(' ')
  const fields: Record<string, string> = Object.create(null)
  for (const field of rest) fields[field.slice(0, field.indexOf(':')).toLowerCase()] = field.slice(field.indexOf(':') + 1).trim()
  return { method, path, fields, content: Buffer.alloc(0) }
}

/** The content at the start of what has come; undefined while it is not whole. */
function contentAt(bytes: Buffer, { fields }: RawRequest): { readonly bytes: Buffer; readonly size: number } | undefined {
  if (fields['transfer-encoding'] !== undefined) return unchunked(bytes)
  const size = Number(fields['content-length'] ?? 0)
  return bytes.length < size ? undefined : { bytes: bytes.subarray(0, size), size }
}

function unchunked(bytes: Buffer): { readonly bytes: Buffer; readonly size: number } | undefined {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at)
    if (end === -1) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16)
    at = end + 2 + size + 2
    if (bytes.length < at) return undefined
    if (size === 0) return { bytes: Buffer.concat(parts), size: at }
    parts.push(bytes.subarray(at - 2 - size, at - 2))
  }
}
