import type { Socket } from 'node:net'
import { buildConnector, errors } from 'undici'
import type { Clock } from '../clock.ts'

/**
 * Opens connections as undici does, TCP and TLS together within `connectTimeoutMs`. undici's own limit, which is off by
 * up to a second and deaf to an injected clock, stays out of it.
 */
export function connectorOf(connectTimeoutMs: number | false, clock: Clock): buildConnector.connector {
  const connect = buildConnector({ timeout: 0 })
  if (connectTimeoutMs === false) return connect
  return (options, callback) => {
    const settle: buildConnector.Callback = (...result) => {
      stopTimer()
      callback(...result)
    }
    // Declared as void, but undici's connectors return the socket they open.
    const socket = connect(options, settle) as unknown as Socket
    const message = `Connect Timeout Error (timeout: ${connectTimeoutMs}ms)`
    const stopTimer = clock.after(connectTimeoutMs, () => socket.destroy(new errors.ConnectTimeoutError(message)))
  }
}
