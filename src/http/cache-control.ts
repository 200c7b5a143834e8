/** The directives of one Cache-Control field, by their names in lower case, each with its arguments; null for none. */
export type Directives = ReadonlyMap<string, readonly (string | null)[]>

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+/
const digits = /^\d+$/
/** A larger number is this one, RFC 9111 §1.2.2. */
const longestSeconds = 2 ** 31

/**
 * The directives of a Cache-Control field, RFC 9111 §5.2. What is malformed is read for its name, so that a `no-store`
 * holds whatever stands behind it, and an argument that is none of its syntax is an invalid one.
 */
export function parseDirectives(field: string | null): Directives {
  const directives = new Map<string, (string | null)[]>()
  if (field === null) return directives
  for (const member of membersOf(field)) {
    const name = token.exec(member)?.[0]
    if (name === undefined) continue
    const argument = argumentOf(member.slice(name.length))
    const known = directives.get(name.toLowerCase())
    if (known === undefined) directives.set(name.toLowerCase(), [argument])
    else known.push(argument)
  }
  return directives
}

/** The seconds of a directive; undefined when it is absent. Of several the fewest count, and what is no number is 0. */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const given = directives.get(name)
  return given === undefined ? undefined : Math.min(...given.map((argument) => deltaSeconds(argument) ?? 0))
}

/** A number of whole seconds, RFC 9111 §1.2.2; undefined for anything else. */
export function deltaSeconds(text: string | null): number | undefined {
  return text !== null && digits.test(text) ? Math.min(Number(text), longestSeconds) : undefined
}

/** Splits at the commas outside of quoted strings; a quote that is never closed is none. */
function membersOf(field: string): readonly string[] {
  const members: string[] = []
  let start = 0
  let index = 0
  let closes = true
  while (index <= field.length) {
    const character = field[index]
    if (character === '"' && closes) {
      const end = closingQuote(field, index)
      closes = end !== -1
      if (closes) index = end
    } else if (character === ',' || character === undefined) {
      members.push(field.slice(start, index).trim())
      start = index + 1
    }
    index += 1
  }
  return members
}

function closingQuote(field: string, opening: number): number {
  for (let index = opening + 1; index < field.length; index += 1) {
    if (field[index] === '\\') index += 1
    else if (field[index] === '"') return index
  }
  return -1
}

/** What follows the name: nothing, or an argument, which may be quoted; empty where it is neither. */
function argumentOf(rest: string): string | null {
  if (rest === '') return null
  if (!rest.startsWith('=')) return ''
  const argument = rest.slice(1)
  const quoted = /^"((?:[^"\\]|\\.)*)"$/s.exec(argument)?.[1]
  return quoted === undefined ? argument : quoted.replace(/\\(.)/gs, '$1')
}
