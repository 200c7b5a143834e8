/** What a strict reading of RFC 9112 makes of the bytes of one connection, from the beginning of a response on. */
export type Reading =
  | {
      readonly kind: 'response'
      readonly status: number
      readonly phrase: string
      readonly fields: readonly (readonly [string, string])[]
      readonly content: Buffer
      /** Where the response ends in the bytes; what follows is surplus. */
      readonly end: number
    }
  /** More was to come when the connection ended. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly why: string }

interface Head {
  readonly status: number
  readonly phrase: string
  readonly fields: readonly (readonly [string, string])[]
  readonly end: number
}

const incomplete = { kind: 'incomplete' } as const
const malformed = (why: string) => ({ kind: 'malformed', why }) as const

/**
 * Reads the final response, RFC 9112 §2 and §6: written for these tests, without regard to speed, and so plain that it
 * can be compared with the RFC line by line. The bytes are all that ever come; then the connection ends.
 */
export function readResponse(bytes: Buffer, method: string): Reading {
  // Empty lines before a response are passed over, RFC 9112 §2.2.
  let at = /^[\r\n]*/.exec(bytes.toString('latin1'))?.[0].length ?? 0
  for (;;) {
    const head = unreadHead(bytes, at) ?? readHead(bytes, at)
    if ('kind' in head) return head
    // Informational responses come before the final one; a switch of protocols was not asked for.
    if (head.status === 101) return malformed('switch of protocols')
    if (head.status >= 200) return readContent(bytes, head, method)
    at = head.end
  }
}

/** Nobody looks at what a 100 Continue says: only its end counts. */
function unreadHead(bytes: Buffer, start: number): Head | undefined {
  const [head] = /^HTTP\/1\.[01] 100[ \r\n][\s\S]*?\n\r?\n/.exec(bytes.toString('latin1', start)) ?? []
  return head === undefined ? undefined : { status: 100, phrase: '', fields: [], end: start + head.length }
}

function readHead(bytes: Buffer, start: number): Head | Reading {
  const end = bytes.indexOf('\r\n\r\n', start)
  if (end === -1) return incomplete
  const [statusLine = '', ...lines] = bytes.toString('latin1', start, end).split('\r\n')
  // Node.js' parser takes these versions for the ones that they were called once; nothing but the connection depends on it.
  const [, status, phrase = ''] = /^HTTP\/(?:0\.9|1\.[01]|2\.0) (\d{3})(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(statusLine) ?? []
  if (status === undefined || Number(status) < 100) return malformed('status line')
  const fields: [string, string][] = []
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? []
    if (name === undefined || value === undefined) return malformed('field line')
    fields.push([name.toLowerCase(), value.replace(/^[\t ]+|[\t ]+$/g, '')])
  }
  return { status: Number(status), phrase, fields, end: end + 4 }
}

/** RFC 9112 §6.3. */
function readContent(bytes: Buffer, head: Head, method: string): Reading {
  const whole = (content: Buffer, end: number): Reading => ({ kind: 'response', ...head, content, end })
  const { status, end } = head
  const codings = valuesOf(head, 'transfer-encoding')
  const lengths = valuesOf(head, 'content-length')
  if (codings.length > 0 && lengths.length > 0) return malformed('length and transfer coding')
  if (lengths.some((length) => !/^\d{1,15}$/.test(length) || length !== lengths[0])) return malformed('length')
  if (method === 'HEAD' || status === 204 || status === 304) return whole(Buffer.alloc(0), end)
  if (codings.length > 0) {
    if (codings.join().toLowerCase() !== 'chunked') return malformed('transfer coding')
    return readChunks(bytes, end, whole)
  }
  const [length] = lengths
  if (length === undefined) return whole(bytes.subarray(end), bytes.length)
  const last = end + Number(length)
  return last > bytes.length ? incomplete : whole(bytes.subarray(end, last), last)
}

/** RFC 9112 §7.1. */
function readChunks(bytes: Buffer, start: number, whole: (content: Buffer, end: number) => Reading): Reading {
  const parts: Buffer[] = []
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return incomplete
    const [, size] = /^([0-9a-f]{1,12})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/i.exec(bytes.toString('latin1', at, lineEnd)) ?? []
    if (size === undefined) return malformed('chunk size')
    const from = lineEnd + 2
    const to = from + Number.parseInt(size, 16)
    if (to === from) return readTrailers(bytes, from, Buffer.concat(parts), whole)
    if (to + 2 > bytes.length) return incomplete
    if (bytes.toString('latin1', to, to + 2) !== '\r\n') return malformed('chunk end')
    parts.push(bytes.subarray(from, to))
    at = to + 2
  }
}

function readTrailers(bytes: Buffer, start: number, content: Buffer, whole: (content: Buffer, end: number) => Reading): Reading {
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return incomplete
    if (lineEnd === at) return whole(content, at + 2)
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/.test(bytes.toString('latin1', at, lineEnd))) {
      return malformed('trailer line')
    }
    at = lineEnd + 2
  }
}

function valuesOf({ fields }: Head, wanted: string): string[] {
  return fields.flatMap(([name, value]) => (name === wanted ? value.split(',').map((part) => part.trim()) : []))
}
