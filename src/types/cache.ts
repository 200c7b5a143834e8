import type { Readable, Writable } from 'node:stream'

/** Options of the HTTP cache, RFC 9111. */
export interface CacheOptions {
  /** Where responses are kept: any store of undici's contract. Default: memory of its own, within the limits below. */
  readonly store?: CacheStore
  /**
   * Whether the cache serves many users, as a proxy does: `private` responses and those to authenticated requests are
   * then not stored (RFC 9111 §3.5). Default false: a private cache, which keeps the responses to different credentials apart.
   */
  readonly shared?: boolean
  /**
   * How long a response that tells neither is fresh, as a part of the time since its Last-Modified and for a day at most
   * (RFC 9111 §4.2.2); `false` for not at all. Default 0.1.
   */
  readonly heuristicRatio?: number | false
  /** Most bytes of one response that the default store keeps. Default 5 MiB. */
  readonly maxEntryBytes?: number
  /** Most bytes that the default store keeps. Default 100 MiB. */
  readonly maxBytes?: number
  /** Most responses that the default store keeps. Default 1,000. */
  readonly maxEntries?: number
}

/** What a response is stored under; the method is always GET. */
export interface CacheKey {
  readonly origin: string
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** The fields of the request by which Vary selects; credentials stand as hashes. */
  readonly headers?: Record<string, string | string[]>
}

/** What is stored of a response beside its content. Times are epoch milliseconds. */
export interface CacheValue {
  readonly statusCode: number
  readonly statusMessage: string
  readonly headers: Record<string, string | string[]>
  /** What the request must have in its fields to be answered by it; null where the field must be absent. */
  readonly vary?: Record<string, string | string[] | null>
  readonly etag?: string
  readonly cacheControlDirectives?: object
  /** When the origin made or validated it, by its Age. */
  readonly cachedAt: number
  /** From when on it is stale. */
  readonly staleAt: number
  /** From when on it is of no use. */
  readonly deleteAt: number
}

/** The content of a stored response, in any form that a store may give it. */
export type StoredContent =
  | Readable
  | Iterable<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Uint8Array
  | Iterable<string>
  | AsyncIterable<string>
  | string

/** A stored response. */
export interface StoredResponse extends CacheValue {
  readonly body?: StoredContent
}

/** Keeps responses: the contract of undici's cache stores, MemoryCacheStore and SqliteCacheStore among them. */
export interface CacheStore {
  get(key: CacheKey): StoredResponse | Promise<StoredResponse | undefined> | undefined
  /** Where the content is to be written; it is stored once the stream is ended, and not if it is destroyed. */
  createWriteStream(key: CacheKey, value: CacheValue): Writable | undefined
  /** Forgets all responses of the target, whatever the method. */
  delete(key: CacheKey): void | Promise<void>
}

/** A {@link CacheOptions} after validation. */
export interface CacheConfig {
  readonly store: CacheStore
  readonly shared: boolean
  readonly heuristicRatio: number | false
}

/** The `cache` of a RequestInit, Fetch standard §2.2.5. */
export type CacheMode = 'default' | 'no-store' | 'reload' | 'no-cache' | 'force-cache' | 'only-if-cached'
