/** The directives of Cache-Control, RFC 9111 §5.2: names in lower case, those without an argument with an empty one. */
export type Directives = ReadonlyMap<string, string>

/** One directive: a token, and perhaps a token or a quoted string as its argument. */
const directive = /[\t ]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\t ,"]*)))?[\t ]*(?:,|$)/y
const emptyMember = /[\t ]*(?:,|$)/y

/** What stands for a field that cannot be read: a directive that is not understood may have forbidden everything. */
const unreadable: Directives = new Map([['no-store', '']])

/**
 * The directives of a Cache-Control field. Of one that is given twice the stricter counts: the shorter time, the form
 * without an argument. A field that is malformed forbids to store.
 */
export function parseCacheControl(value: string | null | undefined): Directives {
  const found = new Map<string, string>()
  const text = value ?? ''
  for (let at = 0; at < text.length; ) {
    emptyMember.lastIndex = at
    if (emptyMember.test(text) && emptyMember.lastIndex > at) {
      at = emptyMember.lastIndex
      continue
    }
    directive.lastIndex = at
    const match = directive.exec(text)
    if (match === null) return unreadable
    at = directive.lastIndex
    const [, name = '', quoted, plain] = match
    add(found, name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '')
  }
  return found
}

function add(found: Map<string, string>, name: string, argument: string): void {
  const before = found.get(name)
  if (before === undefined) found.set(name, argument)
  else if (argument === '' || before === '') found.set(name, '')
  else found.set(name, stricter(before, argument))
}

function stricter(one: string, other: string): string {
  return deltaSeconds(one) <= deltaSeconds(other) ? one : other
}

/** Seconds, RFC 9111 §1.2.2; what is none counts as 0, so that it is stale. */
export function deltaSeconds(argument: string): number {
  return /^\d+$/.test(argument) ? Math.min(Number(argument), 2_147_483_648) : 0
}

/** The seconds of a directive; undefined when it is not there. */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const argument = directives.get(name)
  return argument === undefined ? undefined : deltaSeconds(argument)
}
