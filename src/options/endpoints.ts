import { isForbiddenPort } from '../http/ports.ts'
import { hasUserinfo, isHttp } from '../http/target.ts'
import { textOf } from '../http/text.ts'
import { bare, checkKeys, checkMembers, given, invalidOption, type Rule } from '../policy/checks.ts'
import type { EndpointsConfig, EndpointsOptions } from '../types/protection.ts'

const defaults = { ejectAfter: 5, ejectMs: 30_000, maxEjectMs: 300_000, maxEjectedRatio: 0.5 }
const rules: Readonly<Record<keyof typeof defaults, Rule>> = {
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
  asked: readonly (string | URL)[] | EndpointsOptions | false | undefined,
  inherited: EndpointsConfig | undefined,
): EndpointsConfig | undefined {
  if (asked === undefined) return inherited
  if (asked === false) return undefined
  const options: EndpointsOptions = Array.isArray(asked) ? { origins: asked } : (asked as EndpointsOptions)
  checkKeys(`${owner}: endpoints`, options, ['origins', ...Object.keys(rules)])
  const own = bare(options)
  checkMembers(`${owner}: endpoints`, own as unknown as Record<string, unknown>, rules)
  if (!Array.isArray(own.origins) || own.origins.length === 0) {
    throw invalidOption(owner, 'endpoints.origins', 'a list of origins that is not empty', own.origins)
  }
  const origins = own.origins.map((origin) => originOf(owner, origin))
  if (new Set(origins).size < origins.length) throw new TypeError(`${owner}: endpoints.origins names an origin twice`)
  return bare({ ...defaults, ...given(own), origins })
}

function originOf(owner: string, origin: unknown): string {
  const text = textOf(`${owner}: every one of endpoints.origins`, origin)
  const url = URL.parse(text)
  const demand = 'an http or https origin without a path'
  if (url === null || !isHttp(url)) throw invalidOption(owner, 'every one of endpoints.origins', demand, origin)
  if (hasUserinfo(url)) throw new TypeError(`${owner}: endpoints.origins must not have credentials in them`)
  if (isForbiddenPort(url))
    throw new TypeError(`${owner}: endpoints.origins has the forbidden port ${url.port} (Fetch standard §2.9)`)
  if (`${url.origin}/` !== url.href) throw invalidOption(owner, 'every one of endpoints.origins', demand, origin)
  return url.origin
}
