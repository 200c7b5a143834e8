/** RFC 8259 §3, §6 and §7. */
const literals = ['true', 'false', 'null']
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const quote = 0x22
const backslash = 0x5c
const firstPrintable = 0x20
const space = /[ \t\n\r]*/y

/** What may come next. */
type Expected = 'value' | 'value or end' | 'name' | 'name or end' | 'colon' | 'comma or end' | 'nothing'

/** Where text stops to be JSON (RFC 8259), as an offset in it; undefined for JSON. To be asked after JSON.parse has failed. */
export function jsonErrorAt(text: string): number | undefined {
  const open: ('[' | '{')[] = []
  let expected: Expected = 'value'
  let at = 0
  const after = (): Expected => (open.length === 0 ? 'nothing' : 'comma or end')
  for (;;) {
    at = skipped(space, text, at)
    const next = text[at]
    if (next === undefined) return expected === 'nothing' ? undefined : at
    if (expected === 'nothing') return at
    if (expected === 'colon') {
      if (next !== ':') return at
      at += 1
      expected = 'value'
    } else if (next === closing(open.at(-1)) && expected.endsWith('or end')) {
      open.pop()
      at += 1
      expected = after()
    } else if (expected === 'comma or end') {
      if (next !== ',') return at
      at += 1
      expected = open.at(-1) === '{' ? 'name' : 'value'
    } else if (expected.startsWith('name')) {
      const { end, whole } = readString(text, at)
      if (!whole) return end
      at = end
      expected = 'colon'
    } else if (next === '[' || next === '{') {
      open.push(next)
      at += 1
      expected = next === '[' ? 'value or end' : 'name or end'
    } else {
      const { end, whole } = next === '"' ? readString(text, at) : readScalar(text, at)
      if (!whole) return end
      at = end
      expected = after()
    }
  }
}

function closing(opening: '[' | '{' | undefined): string | undefined {
  if (opening === undefined) return undefined
  return opening === '[' ? ']' : '}'
}

/** How far a value goes, and whether it is a whole one; if not, where it stops to be one. */
interface Piece {
  readonly end: number
  readonly whole: boolean
}

function readScalar(text: string, at: number): Piece {
  const literal = literals.find((word) => text.startsWith(word, at))
  const end = literal === undefined ? skipped(number, text, at) : at + literal.length
  return { end, whole: end > at }
}

/** Character by character: a pattern would take a time, or a stack, that grows with the text. */
function readString(text: string, start: number): Piece {
  if (text[start] !== '"') return { end: start, whole: false }
  for (let at = start + 1; at < text.length; ) {
    const code = text.charCodeAt(at)
    if (code === quote) return { end: at + 1, whole: true }
    const end = code === backslash ? skipped(escaped, text, at) : at + 1
    if (code < firstPrintable || end === at) return { end: at, whole: false }
    at = end
  }
  return { end: text.length, whole: false }
}

function skipped(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}
