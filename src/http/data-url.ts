import { MIMEType } from 'node:util'
import type { Bytes } from '../types/body.ts'

/** What a data: URL holds: its media type, serialised, and its bytes. */
export interface DataUrl {
  readonly type: string
  readonly bytes: Bytes
}

/** What content without a valid media type is taken for, RFC 2397 §2. */
const defaultType = 'text/plain;charset=US-ASCII'
const surroundingSpace = /^[\t\n\f\r ]+|[\t\n\f\r ]+$/g
const base64Mark = /; *base64$/i

/** The type and the bytes of a data: URL, undefined where it has no comma or is no base64; Fetch standard §6. */
export function parseDataUrl(url: URL): DataUrl | undefined {
  const [text] = url.href.slice(url.protocol.length).split('#', 1) as [string]
  const comma = text.indexOf(',')
  if (comma === -1) return undefined
  const head = text.slice(0, comma).replace(surroundingSpace, '')
  const content = percentDecoded(text.slice(comma + 1))
  const bytes = base64Mark.test(head) ? base64Decoded(content) : content
  return bytes && { type: typeOf(head.replace(base64Mark, '')), bytes }
}

/** MIMEType parses and serialises as the MIME Sniffing standard §4.4 and §4.5 says. */
function typeOf(text: string): string {
  try {
    return new MIMEType(text.startsWith(';') ? `text/plain${text}` : text).toString()
  } catch {
    return defaultType
  }
}

/** URL standard §1.3. */
function percentDecoded(text: string): Bytes {
  const source = new TextEncoder().encode(text)
  const target = new Uint8Array(source.length)
  let length = 0
  for (let index = 0; index < source.length; index += 1) {
    const byte = source[index] as number
    const decoded = byte === 0x25 ? hexPair(source, index + 1) : undefined
    if (decoded !== undefined) index += 2
    target[length] = decoded ?? byte
    length += 1
  }
  return target.slice(0, length)
}

function hexPair(source: Bytes, index: number): number | undefined {
  const pair = String.fromCharCode(source[index] ?? 0, source[index + 1] ?? 0)
  return /^[0-9a-f]{2}$/i.test(pair) ? Number.parseInt(pair, 16) : undefined
}

/** Infra standard §7, "forgiving-base64 decode", which is what atob does. */
function base64Decoded(text: Bytes): Bytes | undefined {
  try {
    return new Uint8Array(Buffer.from(atob(Buffer.from(text).toString('latin1')), 'latin1'))
  } catch {
    return undefined
  }
}
