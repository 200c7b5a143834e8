import type { Challenge } from '../types/challenge.ts'

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
/** A parameter; its value a token or a quoted string. White space around `=` is bad but read, RFC 9110 §11.2. */
const parameter = new RegExp(`[\\t ]*(${token})[\\t ]*=[\\t ]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))[\\t ]*(?=,|$)`, 'y')
const scheme = new RegExp(`[\\t ]*(${token})(?=[\\t ]|,|$)`, 'y')
const token68 = /[\t ]+([A-Za-z0-9\-._~+/]+=*)[\t ]*(?=,|$)/y
const separator = /[\t ]*,/y

/**
 * The challenges of a WWW-Authenticate or Proxy-Authenticate field, RFC 9110 §11.6.1; what comes after something that is
 * none is left out.
 */
export function parseChallenges(value: string | null | undefined): Challenge[] {
  const text = value ?? ''
  const found: { scheme: string; token?: string; parameters: Record<string, string> }[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match !== null) at = pattern.lastIndex
    return match
  }
  while (at < text.length) {
    if (take(separator) !== null) continue
    const latest = found.at(-1)
    const pair = latest === undefined ? null : take(parameter)
    if (latest !== undefined && pair !== null) {
      const [, name = '', quoted, plain] = pair
      latest.parameters[name.toLowerCase()] ??= quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''
      continue
    }
    const named = take(scheme)?.[1]
    if (named === undefined) break
    const challenge = { scheme: named.toLowerCase(), parameters: Object.create(null) as Record<string, string> }
    const isPair = new RegExp(parameter.source, 'y')
    isPair.lastIndex = at
    const whole = isPair.test(text) ? undefined : take(token68)?.[1]
    found.push(whole === undefined ? challenge : { ...challenge, token: whole })
  }
  return found
}
