import type { LookupFunction, Socket } from 'node:net'
import { buildConnector, errors } from 'undici'
import type { Clock } from '../clock.ts'
import { outOfScope } from '../deadline.ts'
import type { TargetGuard } from '../types/targets.ts'
import type { ResolvedConnect } from '../types/transport.ts'
import { vetted, vettedOpen } from './vetting.ts'

type Open = (options: buildConnector.Options, callback: buildConnector.Callback) => unknown

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
): buildConnector.connector {
  const open = openerOf(connect, targets?.looksAtAddresses === true ? targets : undefined)
  if (connectTimeoutMs === false) return (options, callback) => outOfScope(() => open(options, callback))
  return (options, callback) => {
    let opening: unknown
    const settle: buildConnector.Callback = (...result) => {
      stopTimer()
      if (!expired) callback(...result)
      else if (result[1] !== null) letGo(result[1])
    }
    let expired = false
    const stopTimer = clock.after(connectTimeoutMs, () => {
      expired = true
      callback(new errors.ConnectTimeoutError(`Connect Timeout Error (timeout: ${connectTimeoutMs}ms)`), null)
      letGo(opening)
    })
    try {
      opening = outOfScope(() => open(options, settle))
    } catch (error) {
      stopTimer()
      throw error
    }
  }
}

function openerOf(connect: ResolvedConnect | undefined, guard: TargetGuard | undefined): Open {
  if (typeof connect === 'function') return guard === undefined ? (connect as Open) : vetted(guard, connect as Open)
  if (guard === undefined) return undicisConnector(connect)
  const lookup = connect?.lookup as LookupFunction | undefined
  return vettedOpen(guard, lookup, (admitted) => undicisConnector({ ...connect, lookup: admitted }))
}

function undicisConnector(connect: Exclude<ResolvedConnect, Open> | undefined): Open {
  if (connect === undefined) return buildConnector({ timeout: 0 })
  const { localAddress = null, ...options } = connect
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
