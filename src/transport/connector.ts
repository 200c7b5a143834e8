import type { Socket } from 'node:net'
import { buildConnector, errors } from 'undici'
import type { Clock } from '../clock.ts'
import { outOfScope } from '../deadline.ts'
import type { ResolvedConnect } from '../types/transport.ts'

type Open = (options: buildConnector.Options, callback: buildConnector.Callback) => unknown

/**
 * Opens connections as undici does, and returns the socket that is being opened as its connectors do; or with the caller's connector, TCP and TLS together within `connectTimeoutMs`.
 * undici's own limit, which is off by up to a second and deaf to an injected clock, stays out of it.
 */
export function connectorOf(
  connect: ResolvedConnect | undefined,
  connectTimeoutMs: number | false,
  clock: Clock,
): buildConnector.connector {
  const open = typeof connect === 'function' ? (connect as Open) : undicisConnector(connect)
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
      return opening
    } catch (error) {
      stopTimer()
      throw error
    }
  }
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
