/** The directives of one Cache-Control field, by their names in lower case, each with its arguments; null for none. */
export type Directives = ReadonlyMap<string, readonly (string | null)[]>

const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/
const leadingToken = new RegExp(`^${token.source}`)
const wholeToken = new RegExp(`^${token.source}$`)
const tokens = new RegExp(token.source, 'g')
const digits = /^\d+$/
/** A larger number is this one, RFC 9111 §1.2.2. */
const longestSeconds = 2 ** 31
/** What holds wherever it stands in something malformed. */
const restrictive = new Set(['no-store', 'no-cache', 'private'])

/**
 * The directives of a Cache-Control field, RFC 9111 §5.2. What is malformed is read for its words, so that a `no-store`
 * holds whatever stands around it, and an argument that is none of its syntax is an invalid one.
 */
export function parseDirectives(field: string | null): Directives {
  const directives = new Map<string, (string | null)[]>()
  const add = (name: string, argument: string | null): void => {
    const known = directives.get(name)
    if (known === undefined) directives.set(name, [argument])
    else known.push(argument)
  }
  for (const member of field === null ? [] : membersOf(field)) {
    const name = leadingToken.exec(member)?.[0] ?? ''
    const rest = member.slice(name.length)
    const argument = argumentOf(rest)
    if (name !== '') add(name.toLowerCase(), argument ?? (rest === '' ? null : rest))
    if (rest !== '' && (argument === undefined || name === ''))
      for (const word of rest.toLowerCase().match(tokens) ?? []) if (restrictive.has(word)) add(word, null)
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

/** The argument of a directive, RFC 9111 §5.2: a token or a quoted string; undefined for anything else. */
function argumentOf(rest: string): string | undefined {
  if (!rest.startsWith('=')) return undefined
  const argument = rest.slice(1)
  if (wholeToken.test(argument)) return argument
  return /^"((?:[^"\\]|\\.)*)"$/s.exec(argument)?.[1]?.replace(/\\(.)/gs, '$1')
}
