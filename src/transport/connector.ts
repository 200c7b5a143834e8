import type { LookupFunction, Socket } from 'node:net'
import { buildConnector, errors } from 'undici'
import type { Clock } from '../clock.ts'
import { outOfScope } from '../deadline.ts'
import type { TargetGuard } from '../types/targets.ts'
import type { ResolvedConnect } from '../types/transport.ts'
import { vetted, vettedOpen } from './vetting.ts'

type Open = (options: buildConnector.Options, callback: buildConnector.Callback) => unknown

/** Opens a connection; what it gives ends the opening, as if it had failed. `follow` is told what is being opened, where that is known. */
export type Connect = (
  options: buildConnector.Options,
  callback: buildConnector.Callback,
  follow?: (socket: unknown) => void,
) => () => void

/**
 * Opens connections as undici does, or with the caller's connector, TCP and TLS together within `connectTimeoutMs`.
 * undici's own limit, which is off by up to a second and deaf to an injected clock, stays out of it. With `targets` only the
 * addresses that they admit are connected to.
 */
export function connectorOf(
  connect: ResolvedConnect | undefined,
  connectTimeoutMs: number | false,
  clock: Clock,
  targets?: TargetGuard,
): Connect {
  const open = openerOf(connect, targets?.looksAtAddresses === true ? targets : undefined)
  return (options, callback, follow) => {
    let opening: unknown
    let over = false
    let stopTimer: (() => void) | undefined
    const settle: buildConnector.Callback = (...result) => {
      stopTimer?.()
      if (over) letGo(result[1])
      else {
        over = true
        callback(...result)
      }
    }
    const end = (error: Error): void => {
      if (over) return
      over = true
      stopTimer?.()
      callback(error, null)
      letGo(opening)
    }
    if (connectTimeoutMs !== false) {
      const late = `Connect Timeout Error (timeout: ${connectTimeoutMs}ms)`
      stopTimer = clock.after(connectTimeoutMs, () => end(new errors.ConnectTimeoutError(late)))
    }
    try {
      opening = outOfScope(() => open(options, settle))
      follow?.(opening)
    } catch (error) {
      over = true
      stopTimer?.()
      throw error
    }
    return () => end(new errors.RequestAbortedError('nobody waits for the connection any more'))
  }
}

function openerOf(connect: ResolvedConnect | undefined, guard: TargetGuard | undefined): Open {
  if (typeof connect === 'function') return guard === undefined ? (connect as Open) : vetted(guard, connect as Open)
  if (guard === undefined) return undicisConnector(connect)
  const lookup = connect?.lookup as LookupFunction | undefined
  return vettedOpen(guard, lookup, (admitted) => undicisConnector({ ...connect, lookup: admitted }))
}

/** Node reads these from whatever it is given, so that somebody's Object.prototype would have a say in where a request goes. */
const unset = Object.fromEntries(
  [
    'localAddress',
    'socketPath',
    'fd',
    'localPort',
    'family',
    'hints',
    'lookup',
    'signal',
    'onread',
    'ca',
    'cert',
    'key',
    'pfx',
    'secureContext',
  ].map((name) => [name, undefined]),
)

function undicisConnector(connect: Exclude<ResolvedConnect, Open> | undefined): Open {
  const { localAddress = null, ...options } = { ...unset, ...connect } as Exclude<ResolvedConnect, Open>
  const open = buildConnector({ ...options, timeout: 0 } as buildConnector.BuildOptions)
  // undici replaces the local address of the options by that of each connection, which a Pool has no way to set.
  return (target, callback) => open({ ...target, localAddress }, callback)
}

/** undici's connectors return the socket they are opening, although their type says nothing of it. */
function letGo(socket: unknown): void {
  const { destroy } = Object(socket) as Partial<Socket>
  if (typeof destroy !== 'function') return
  const open = socket as Socket
  open.on('error', () => {})
  open.destroy()
}
