import type { LookupFunction, Socket } from 'node:net'
import type { ConnectionOptions, SecureContext } from 'node:tls'
import type { Link } from './link.ts'

/** A request as a transport gets it; any function of fetch's shape can take it as its `init`. */
export interface TransportInit {
  readonly method: string
  /** Field names in lower case, values already valid. */
  readonly headers: Record<string, string>
  readonly body: string | Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array<ArrayBuffer>> | null
  /** Redirects are followed by steadfetch, never by a transport. */
  readonly redirect: 'manual'
  /** Set with a stream body, as fetch demands. */
  readonly duplex?: 'half'
  /** Aborted when the attempt is over time, or the call is cancelled. */
  readonly signal: AbortSignal
}

/** Sends one request and resolves to the response once its header section is there. */
export type Transport = (target: string, init: TransportInit) => Promise<Response>

/** What steadfetch needs of an undici dispatcher; every undici Agent, Pool, Client and ProxyAgent is one. */
export interface DispatcherLike {
  dispatch(options: never, handler: never): boolean
}

/** An informational response, RFC 9110 §15.2. */
export interface Information {
  readonly status: number
  readonly headers: Headers
  /** The links of its Link fields (RFC 8297 §2), parsed when first asked for. */
  readonly links: readonly Link[]
}

/** What tls.connect and net.connect call the same; their documentation tells more. */
type TlsOptions = Pick<
  ConnectionOptions,
  | 'ca'
  | 'cert'
  | 'key'
  | 'passphrase'
  | 'pfx'
  | 'crl'
  | 'ciphers'
  | 'ecdhCurve'
  | 'sigalgs'
  | 'minVersion'
  | 'maxVersion'
  | 'servername'
  | 'rejectUnauthorized'
  | 'checkServerIdentity'
>

/** How connections are opened: the options of tls.connect and net.connect that make sense for a client of HTTP. */
export interface ConnectOptions extends Readonly<TlsOptions> {
  /** Offers HTTP/2 in the TLS handshake (RFC 9113 §3.2). Default true. */
  readonly allowH2?: boolean
  /** The path of a Unix domain socket, or the name of a Windows pipe, to connect to instead of the host of the target. */
  readonly socketPath?: string
  /** The local IP address to connect from. */
  readonly localAddress?: string
  /** The version of IP to use; 0, the default, for both. */
  readonly family?: 0 | 4 | 6
  /** Tries the addresses of a host in turn (RFC 8305). Default: Node's. */
  readonly autoSelectFamily?: boolean
  /** Milliseconds one address is tried before the next, at least 10. */
  readonly autoSelectFamilyAttemptTimeout?: number
  /** Resolves host names instead of dns.lookup. */
  readonly lookup?: LookupFunction
  /** Sends TCP keep-alive probes. Default true. */
  readonly keepAlive?: boolean
  /** Milliseconds of silence before the first of them. Default 60,000. */
  readonly keepAliveInitialDelay?: number
  /** TLS sessions kept for resumption; 0 keeps none. Default 100. */
  readonly maxCachedSessions?: number
}

/** Where a {@link Connector} is to connect to. */
export interface ConnectTarget {
  readonly hostname: string
  /** The host with its port, where that is not the default of the scheme. */
  readonly host?: string
  /** `'https:'` asks for a socket on which TLS is set up. */
  readonly protocol: string
  /** Empty for the default of the scheme. */
  readonly port: string
  readonly servername?: string
  readonly localAddress?: string | null
}

/** Opens a connection and calls back, once; every connector of undici is one. */
export type Connector = (target: ConnectTarget, callback: ConnectorCallback) => void

/** Takes the socket, or the reason why there is none. */
export type ConnectorCallback = (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void

/** The `connect` option after validation: certificates and keys are in the secure context. */
export type ResolvedConnect =
  | (Readonly<Record<string, unknown>> & {
      readonly allowH2?: boolean
      readonly localAddress?: string
      readonly secureContext?: SecureContext
    })
  | Connector
