import dns from 'node:dns'
import type { LookupFunction, Socket } from 'node:net'
import type { buildConnector } from 'undici'
import type { TargetGuard } from '../types/targets.ts'

type Open = (options: buildConnector.Options, callback: buildConnector.Callback) => unknown
type Target = Pick<buildConnector.Options, 'protocol' | 'hostname' | 'port'>
type Looked = { readonly address: string; readonly family: number }

/** The code of the error of a connection that must not be opened. */
export const forbiddenCode = 'ERR_FORBIDDEN_ADDRESS'

/** No address of a target may be connected to; its cause is what a function of the caller threw when asked. */
class ForbiddenAddressError extends Error {
  readonly code = forbiddenCode
}

/**
 * Opens connections with `build(lookup)`, whose lookup gives none but the addresses that `guard` admits: those of a name that
 * are forbidden are not even tried. The address that is connected to in the end is looked at once more.
 */
export function vettedOpen(
  guard: TargetGuard,
  lookup: LookupFunction | undefined,
  build: (lookup: LookupFunction) => Open,
): Open {
  let opening: Target | undefined
  const open = build((hostname, options, callback) => {
    const target = opening
    const admits = (address: string | undefined): boolean => target !== undefined && guard.admits(target, address)
    const all = (error: NodeJS.ErrnoException | null, found?: string | readonly Looked[], family = 0): void => {
      const [admitted, fault] = error ? [[], error] : filtered(listOf(found, family), admits)
      if (fault) callback(fault, '')
      else if (options.all === true) callback(null, admitted)
      else callback(null, admitted[0]?.address ?? '', admitted[0]?.family)
    }
    const look = lookup ?? (dns.lookup as unknown as LookupFunction)
    look(hostname, { ...options, all: true }, all as Parameters<LookupFunction>[2])
  })
  const marked: Open = (target, callback) => {
    // Node looks a host up before the function that connects returns, and passes nothing on but its name.
    opening = target
    try {
      return open(target, callback)
    } finally {
      opening = undefined
    }
  }
  return vetted(guard, marked, true)
}

/** A lookup of the caller's may know of one address only; what it tells is copied, so that what is used is what was checked. */
function listOf(found: string | readonly Looked[] | undefined, family: number): Looked[] {
  if (typeof found === 'string') return [{ address: found, family }]
  return (found ?? []).map((looked) => ({ address: looked.address, family: looked.family }))
}

/**
 * Hands a connection over only if the address of its other end may be connected to. One that shows none, and was not opened to
 * an address by us, may lead anywhere.
 */
export function vetted(guard: TargetGuard, open: Open, isOurs = false): Open {
  return (target, callback) =>
    open(target, (...result) => {
      const [, socket] = result
      const fault = socket ? faultOf(guard, target, socket, isOurs) : undefined
      if (fault === undefined || !socket) return callback(...result)
      socket.on('error', () => {}).destroy()
      callback(fault, null)
    })
}

/** A connection that was lost in the meantime has no address any more, and is a failure of the network. */
function faultOf(guard: TargetGuard, target: Target, socket: Partial<Socket>, isOurs: boolean): Error | undefined {
  const { remoteAddress: address, destroyed } = socket
  const fault = filtered([{ address }], (one) => guard.admits(target, one))[1]
  const isLost = address === undefined && (isOurs || destroyed === true)
  return fault !== undefined && isLost ? failure('ENOTCONN', 'the connection was lost at once') : fault
}

/** The addresses that are admitted, or why there is none. */
function filtered<One extends { readonly address: string | undefined }>(
  addresses: readonly One[],
  admits: (address: One['address']) => boolean,
): readonly [One[], Error | undefined] {
  try {
    const admitted = addresses.filter(({ address }) => admits(address))
    if (admitted.length > 0) return [admitted, undefined]
    // Node fails with an uncaught exception where a lookup tells neither an address nor an error.
    if (addresses.length === 0) return [[], failure('ENOTFOUND', 'the lookup told no address')]
    return [[], new ForbiddenAddressError('no address may be connected to')]
  } catch (cause) {
    return [[], new ForbiddenAddressError('a function of targets threw', { cause })]
  }
}

/** A failure of the network, as the system would tell it. */
function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
