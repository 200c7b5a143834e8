import { redactUrl } from '../errors/redact.ts'
import { isForbiddenPort } from '../http/ports.ts'
import { hasUserinfo, isHttp } from '../http/target.ts'
import { bare, checkKeys, checkNumber, invalidOption, type NumberRule } from '../policy/checks.ts'
import type { EndpointsConfig, EndpointsOptions } from '../types/protection.ts'

const defaults = { ejectAfter: 5, ejectMs: 30_000, maxEjectMs: 300_000, maxEjectedRatio: 0.5 }
const rules: Readonly<Record<keyof typeof defaults, NumberRule>> = {
  ejectAfter: { min: 1, integer: true },
  ejectMs: { min: 1 },
  maxEjectMs: { min: 1 },
  maxEjectedRatio: { min: 0, max: 1 },
}

/**
 * The endpoints of a client, or those of its parent.
 *
 * @throws TypeError for what is no list of distinct http or https origins, and for an invalid number.
 */
export function resolveEndpoints(
  owner: string,
  given: readonly (string | URL)[] | EndpointsOptions | false | undefined,
  inherited: EndpointsConfig | undefined,
): EndpointsConfig | undefined {
  if (given === undefined) return inherited
  if (given === false) return undefined
  const options: EndpointsOptions = Array.isArray(given) ? { origins: given } : (given as EndpointsOptions)
  checkKeys(`${owner}: endpoints`, options, ['origins', ...Object.keys(rules)])
  const own = bare(options)
  for (const name of Object.keys(rules) as (keyof typeof rules)[]) {
    checkNumber(`${owner}: endpoints`, name, own[name], rules[name])
  }
  if (!Array.isArray(own.origins) || own.origins.length === 0) {
    throw invalidOption(owner, 'endpoints.origins', 'a list of origins that is not empty', own.origins)
  }
  const origins = own.origins.map((origin) => originOf(owner, origin))
  if (new Set(origins).size < origins.length) throw new TypeError(`${owner}: endpoints.origins names an origin twice`)
  const numbers = Object.entries(own).filter(([, value]) => value !== undefined)
  return bare({ ...defaults, ...Object.fromEntries(numbers), origins })
}

function originOf(owner: string, given: unknown): string {
  const url = URL.parse(String(given))
  const demand = 'an http or https origin without a path'
  // Beside an origin there may be credentials in it.
  const shown = /[?#@]/.test(String(given)) ? redactUrl(String(given)) : given
  if (url === null || !isHttp(url)) throw invalidOption(owner, 'every one of endpoints.origins', demand, shown)
  if (hasUserinfo(url)) throw new TypeError(`${owner}: endpoints.origins must not have credentials in them`)
  if (isForbiddenPort(url))
    throw new TypeError(`${owner}: endpoints.origins has the forbidden port ${url.port} (Fetch standard §2.9)`)
  if (`${url.origin}/` !== url.href) throw invalidOption(owner, 'every one of endpoints.origins', demand, shown)
  return url.origin
}
