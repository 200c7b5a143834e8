import { protections } from './options/protection.ts'
import { callKeys } from './options/resolve.ts'
import type { CallOptions } from './types/call-options.ts'
import type { SteadInit } from './types/options.ts'

/** The second argument of a call, read once. */
export class CallInit {
  readonly method: unknown = undefined
  readonly headers: SteadInit['headers'] = undefined
  readonly body: unknown = undefined
  readonly json: unknown = undefined
  readonly signal: AbortSignal | null | undefined = undefined
  readonly redirect: unknown = undefined
  readonly integrity: unknown = undefined
  readonly cache: string | undefined = undefined
  readonly duplex: unknown = undefined
  /** The options that only this call has; undefined when it has none. */
  readonly options: CallOptions | undefined = undefined
}

type Writable = { -readonly [Key in keyof CallInit]: CallInit[Key] } & Record<string, unknown>

/** What a call without a second argument asks for. */
export const nothing: CallInit = Object.freeze(new CallInit())

/** What is used here. */
const used = ['method', 'headers', 'body', 'json', 'signal', 'redirect', 'integrity', 'cache', 'duplex']
/** What must be as the Fetch standard allows, §5.3; most of it changes nothing here. */
const checked = ['mode', 'credentials', 'cache', 'referrer', 'referrerPolicy', 'window', 'duplex', 'priority']
const usedMembers = new Set(used)
const checkedMembers = new Set(checked)
const options = new Set<string>(callKeys)
const clientOptions = new Set([...protections, 'cookies', 'targets'])

/**
 * The second argument of a call, own properties only; a Request gives its members.
 *
 * @throws TypeError for what is no object, and for a member that is not allowed.
 */
export function readInit(init: unknown): CallInit {
  if (init === undefined || init === null) return nothing
  if (typeof init !== 'object' && typeof init !== 'function') {
    throw new TypeError(`the second argument of fetch must be an object, got ${typeof init}`)
  }
  return isRequest(init) ? initOf(init) : ownMembers(init as Record<string, unknown>)
}

function ownMembers(init: Record<string, unknown>): CallInit {
  const own = new CallInit() as Writable
  let ofCall: Record<string, unknown> | undefined
  let toCheck: Record<string, unknown> | undefined
  for (const name of Object.keys(init)) {
    const value = init[name]
    if (value === undefined) continue
    if (usedMembers.has(name)) own[name] = value
    if (options.has(name)) {
      ofCall ??= Object.create(null) as Record<string, unknown>
      ofCall[name] = value
    } else if (checkedMembers.has(name)) {
      toCheck ??= Object.create(null) as Record<string, unknown>
      toCheck[name] = value
    } else if (clientOptions.has(name)) throw new TypeError(`fetch: ${name} is an option of a client; use extend({ ${name} })`)
  }
  // The platform knows its own rules best; it is asked only where one of these members is given.
  if (toCheck !== undefined) checkMembers(toCheck)
  own.options = ofCall
  return own
}

/** The message of the platform would show the value, and `credentials` may hold some. */
function checkMembers(members: Record<string, unknown>): void {
  try {
    // Members that are given here are not looked for in somebody's Object.prototype.
    new Request('http://localhost/', { __proto__: null, method: 'GET', body: null, signal: null, ...members } as RequestInit)
  } catch {
    const names = Object.keys(members).join(', ')
    throw new TypeError(`fetch: ${names}: the Fetch standard (§5.3) does not allow what is given`)
  }
}

/** A Request of this platform, or of another copy of it. */
export function isRequest(input: unknown): input is Request {
  if (typeof input !== 'object' || input === null) return false
  if (input instanceof Request) return true
  return !(input instanceof URL) && 'url' in input && 'method' in input && 'headers' in input
}

/** A Request in the place of an init has its members in its prototype. */
function initOf({ method, headers, body, signal, redirect, integrity, cache }: Request): CallInit {
  return Object.assign(new CallInit(), { method, headers, body, signal, redirect, integrity, cache, duplex: 'half' })
}
