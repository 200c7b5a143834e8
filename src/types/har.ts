import type { WaitReason } from './trace.ts'

/** An HTTP archive, HAR 1.2: what browsers, proxies and clients of HTTP exchange about requests. */
export interface Har {
  readonly log: HarLog
}

/** The one member of an archive. */
export interface HarLog {
  readonly version: '1.2'
  readonly creator: { readonly name: string; readonly version: string }
  /** In the order in which the requests were sent. */
  readonly entries: readonly HarEntry[]
  readonly comment?: string
}

/** One attempt: a request as it was sent, and what came back. */
export interface HarEntry {
  /** The wall time of its start, ISO 8601. */
  readonly startedDateTime: string
  /** Milliseconds from its start to the end of the content; the sum of the timings that are not -1, without `ssl`. */
  readonly time: number
  readonly request: HarRequest
  readonly response: HarResponse
  readonly cache: object
  readonly timings: HarTimings
  /** The address of the server, or of a proxy, where the connection is our own. */
  readonly serverIPAddress?: string
  /** The local port of that connection; Chrome DevTools look for it under the other name. */
  readonly connection?: string
  readonly _connectionId?: string
  /** The kind that Chrome DevTools filter by. */
  readonly _resourceType: 'fetch'
  /** The number of the call within the process, as events tell it. */
  readonly _call: number
  /** Its place among the attempts of the call, from 1. */
  readonly _attempt: number
  /** Milliseconds waited before it, which `time` does not count, and why. */
  readonly _waitMs?: number
  readonly _waitReason?: WaitReason
  /** It was sent beside another attempt that took long. */
  readonly _hedge?: true
  /** It was sent twice, see {@link AttemptTrace.resent}; the timings are those of the second time. */
  readonly _resent?: true
  /** The code of its failure; of that of its content, where there is a status. */
  readonly _error?: string
  /** It had not come to its end when the archive was made: what is known by then. */
  readonly _underWay?: true
}

/** The request of an entry. */
export interface HarRequest {
  readonly method: string
  /** With the values of credential-like query parameters masked. */
  readonly url: string
  /** `'HTTP/1.1'` or `'HTTP/2.0'`; `'unknown'` where a transport or dispatcher of the caller's does not tell. */
  readonly httpVersion: string
  readonly cookies: readonly HarCookie[]
  /** The fields as they were sent, secrets masked; where a transport or dispatcher of the caller's sent them, as it got them. */
  readonly headers: readonly HarPair[]
  readonly queryString: readonly HarPair[]
  readonly postData?: HarPostData
  /** Bytes of the header section; -1 where that is not known, as on HTTP/2. */
  readonly headersSize: number
  /** Bytes of content that were sent; -1 where that is not known. */
  readonly bodySize: number
}

/** The response of an entry; its status is 0 where none came. */
export interface HarResponse {
  readonly status: number
  readonly statusText: string
  readonly httpVersion: string
  readonly cookies: readonly HarCookie[]
  readonly headers: readonly HarPair[]
  readonly content: HarContent
  /** Where its Location leads, as an absolute URL with secrets masked; empty without one. */
  readonly redirectURL: string
  readonly headersSize: number
  /** Bytes of content as it came, still coded; -1 where that is not known. */
  readonly bodySize: number
  /** The code of the failure, and the same size, under the names of Chrome DevTools. */
  readonly _error?: string
  readonly _transferSize?: number
}

/** The content of a response. */
export interface HarContent {
  /** Bytes that a reader got, decoded. */
  readonly size: number
  /** Bytes that the coding saved. */
  readonly compression?: number
  readonly mimeType: string
  /** The start of it, secret members masked; with `content: true` alone. */
  readonly text?: string
  readonly comment?: string
}

/** The content of a request; with `content: true` alone. */
export interface HarPostData {
  readonly mimeType: string
  readonly text: string
  readonly comment?: string
}

/** A field, or a query parameter. */
export interface HarPair {
  readonly name: string
  readonly value: string
}

/** A cookie, its value masked. */
export interface HarCookie extends HarPair {
  readonly path?: string
  readonly domain?: string
  readonly expires?: string
  readonly httpOnly?: boolean
  readonly secure?: boolean
  readonly sameSite?: string
}

/** Where the time of an attempt went, in milliseconds; -1 for what does not apply, as on a connection that was there already. */
export interface HarTimings {
  /** Waiting for a connection. */
  readonly blocked: number
  readonly dns: number
  /** TCP and TLS. */
  readonly connect: number
  /** TLS; a part of `connect`. */
  readonly ssl: number
  readonly send: number
  /** To the header section of the response. */
  readonly wait: number
  readonly receive: number
}

/** Options of {@link recordHar}. */
export interface HarOptions {
  /** Keeps the start of contents that are text, with the values of secret-like members of JSON and forms masked. Default false. */
  readonly content?: boolean
  /** Most bytes kept of each content. Default 65,536. */
  readonly maxContentBytes?: number
  /** Most entries; the oldest is dropped for a new one. Default 1,000. */
  readonly maxEntries?: number
}

/** Records the attempts of a client. */
export interface HarRecorder {
  /** What was recorded so far, as an object of its own; attempts under way are in it with what is known by then. */
  archive(): Har
  /** Forgets what was recorded so far. */
  clear(): void
  /** Records no further attempts; those under way are recorded to their end. */
  stop(): void
}
