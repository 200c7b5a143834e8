import type { SteadInit } from './types/options.ts'

/** What a call without a second argument asks for. */
export const nothing: SteadInit = Object.freeze({ __proto__: null }) as SteadInit

/** Members of RequestInit that change nothing here, but must be what the Fetch standard allows, §5.3. */
const checkedMembers = ['mode', 'credentials', 'cache', 'referrer', 'referrerPolicy', 'window', 'duplex', 'priority'] as const

/**
 * The second argument of a call, own properties only; a Request gives its members.
 *
 * @throws TypeError for what is no object, and for a member that is not allowed.
 */
export function readInit(init: unknown): SteadInit {
  if (init === undefined || init === null) return nothing
  if (typeof init !== 'object' && typeof init !== 'function') {
    throw new TypeError(`the second argument of fetch must be an object, got ${typeof init}`)
  }
  if (isRequest(init)) return initOf(init)
  const own = { __proto__: null, ...init } as SteadInit & Record<string, unknown>
  checkMembers(own)
  return own
}

/** A Request of this platform, or of another copy of it. */
export function isRequest(input: unknown): input is Request {
  if (input instanceof Request) return true
  return (
    typeof input === 'object' &&
    input !== null &&
    !(input instanceof URL) &&
    'url' in input &&
    'method' in input &&
    'headers' in input
  )
}

/** A Request in the place of an init has its members in its prototype. */
function initOf({ method, headers, body, signal, redirect, integrity, cache }: Request): SteadInit {
  return { __proto__: null, method, headers, body, signal, redirect, integrity, cache, duplex: 'half' } as SteadInit
}

/** The platform knows its own rules best; it is asked only where one of these members is given. */
function checkMembers(own: Record<string, unknown>): void {
  let given: Record<string, unknown> | undefined
  for (const name of checkedMembers) {
    if (own[name] === undefined) continue
    given ??= {}
    given[name] = own[name]
  }
  if (given !== undefined) new Request('http://localhost/', given)
}
