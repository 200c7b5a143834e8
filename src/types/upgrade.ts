import type { Duplex } from 'node:stream'
import type { CallOptions, FieldsInit } from './call-options.ts'

/** The second argument of {@link SteadFetch.upgrade}. */
export interface UpgradeInit extends Omit<CallOptions, 'errors' | 'expectContinue'> {
  /** What to switch to, such as `'websocket'`; several, by preference, with commas between them (RFC 9110 §7.8). */
  readonly protocol: string
  /** Fields of the request; `Upgrade` and `Connection` are set by steadfetch. */
  readonly headers?: FieldsInit
  /** Ends the call while it waits; the connection is the caller's own matter afterwards. */
  readonly signal?: AbortSignal | null
}

/** A connection that speaks another protocol from now on. */
export interface Upgraded {
  readonly status: number
  /** What was switched to, as the server writes it. */
  readonly protocol: string
  readonly headers: Headers
  /** The connection; what came together with the response is what it gives first. The caller closes it. */
  readonly socket: Duplex
}
