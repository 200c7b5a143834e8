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
}
