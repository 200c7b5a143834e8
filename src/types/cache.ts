import type { Bytes } from './body.ts'

/** What a stored response is found by: a method, a target, and the fields it may vary by. */
export interface CacheKey {
  readonly origin: string
  readonly method: string
  readonly path: string
  /** The fields of the request, credentials as a digest only. */
  readonly headers?: Record<string, string>
}

/** A response as a {@link CacheStore} keeps it, but for its content. Times are milliseconds of wall time. */
export interface CacheValue {
  readonly statusCode: number
  readonly statusMessage: string
  readonly headers: Record<string, string | string[]>
  /** What the fields named by Vary were in the request; null for one that was absent. */
  readonly vary?: Record<string, string | string[] | null>
  readonly etag?: string
  readonly cacheControlDirectives?: object
  /** When its age was 0. */
  readonly cachedAt: number
  readonly staleAt: number
  readonly deleteAt: number
}

/** Content in any form a store may give it. */
export type StoredContent = Uint8Array | string | Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>

/** What a {@link CacheStore} found. */
export interface CacheHit extends CacheValue {
  readonly body?: StoredContent | undefined
}

/** Takes the content of a response that is stored; what was written counts once `end` was called. */
export interface CacheWriter {
  readonly writableLength: number
  write(part: Bytes): boolean
  end(): void
  destroy(): void
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** Keeps responses: undici's contract, so that its MemoryCacheStore and SqliteCacheStore are two. */
export interface CacheStore {
  get(key: CacheKey): CacheHit | Promise<CacheHit | undefined> | undefined
  createWriteStream(key: CacheKey, value: CacheValue): CacheWriter | undefined
  /** Forgets all responses of the target, of whatever method. */
  delete(key: CacheKey): void | Promise<void>
}

/** Options of `cache`. */
export interface CacheOptions {
  /** Keeps the responses; it is not to be shared with another kind of client. Default: the memory of the process, within the bounds below. */
  readonly store?: CacheStore
  /** Whether it answers for many users, as a gateway does (RFC 9111 §1.1). Default false: private. */
  readonly shared?: boolean
  /** The part of the time since Last-Modified for which a response without a lifetime is fresh, 0-1; `false` for none (RFC 9111 §4.2.2). Default 0.1, at most a day. */
  readonly heuristicRatio?: number | false
  /** Milliseconds for which a stale response is used when its origin fails, whatever the response says, unless it forbids it (RFC 5861 §4). Default 0. */
  readonly staleIfErrorMs?: number
  /** Most bytes of content of one response in the default store. Default 5 MiB. */
  readonly maxEntryBytes?: number
  /** Most bytes of content in the default store. Default 100 MiB. */
  readonly maxBytes?: number
  /** Most responses in the default store. Default 1,024. */
  readonly maxEntries?: number
}

/** A {@link CacheOptions} after validation. */
export interface CacheConfig {
  readonly store: CacheStore
  readonly shared: boolean
  readonly heuristicRatio: number
  readonly staleIfErrorMs: number
}

/** The `cache` member of RequestInit, Fetch standard §5.4. */
export type CacheMode = 'default' | 'no-store' | 'reload' | 'no-cache' | 'force-cache' | 'only-if-cached'
