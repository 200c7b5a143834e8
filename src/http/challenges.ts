import type { Challenge } from '../types/credentials.ts'

/** RFC 9110 §5.6.2. */
const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
/** RFC 9110 §11.2; an unquoted value may be more than a token, for many servers send URLs so. */
const parameter = new RegExp(`(${token})[\\t ]*=[\\t ]*(?:"((?:[^"\\\\]|\\\\.)*)(?:"|\\\\?$)[^\\t ,]*|([^\\t ,]*))`, 'sy')
/** A scheme, and the token68 that makes up the whole of its challenge. */
const scheme = new RegExp(`(${token})(?:[\\t ]+([0-9A-Za-z\\-._~+/]+=*)(?=[\\t ]*(?:,|$)))?`, 'y')
const separators = /[\t ,]*/y
const anything = /[^,]*/y

/**
 * The challenges of a WWW-Authenticate or a Proxy-Authenticate field, or of several joined by commas (RFC 9110 §11.6.1). What
 * is no challenge is passed over, and of two parameters with one name the first counts.
 */
export function parseChallenges(field: string | null | undefined): Challenge[] {
  const text = field ?? ''
  const challenges: Challenge[] = []
  let params: Record<string, string> | undefined
  let place = 0
  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = place
    const found = pattern.exec(text)
    if (found !== null) place = pattern.lastIndex
    return found
  }
  for (;;) {
    next(separators)
    if (place >= text.length) return challenges
    const pair = next(parameter)
    const named = pair === null ? next(scheme) : null
    if (pair !== null) put(params, pair)
    else if (named === null) next(anything)
    else {
      params = Object.create(null) as Record<string, string>
      const [, name, token68] = named
      challenges.push({ scheme: (name as string).toLowerCase(), ...(token68 === undefined ? {} : { token68 }), params })
    }
  }
}

/** A parameter before any scheme belongs to nothing. */
function put(params: Record<string, string> | undefined, [, name, quoted, plain]: RegExpExecArray): void {
  const key = (name as string).toLowerCase()
  if (params === undefined || key in params) return
  params[key] = quoted === undefined ? (plain as string) : quoted.replace(/\\(.)/gs, '$1')
}
