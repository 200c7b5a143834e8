import { Writable } from 'node:stream'
import type { CacheKey, CacheStore, CacheValue, StoredResponse } from '../types/cache.ts'

/** What the store may keep. */
export interface StoreLimits {
  readonly maxEntryBytes: number
  readonly maxBytes: number
  readonly maxEntries: number
}

/** What an entry is counted for beside its content and its fields. */
const overheadBytes = 1_024

interface Entry {
  readonly target: string
  readonly method: string
  readonly response: StoredResponse & { readonly body: readonly Buffer[] }
  readonly bytes: number
}

/** Responses in memory, within limits: the one unused for longest goes first. Knows no time; what it keeps is of its limits. */
export class MemoryStore implements CacheStore {
  readonly #limits: StoreLimits
  readonly #targets = new Map<string, Set<Entry>>()
  /** All entries, the one unused for longest first. */
  readonly #entries = new Set<Entry>()
  #bytes = 0

  constructor(limits: StoreLimits) {
    this.#limits = limits
  }

  /** Bytes that are kept now. */
  get bytes(): number {
    return this.#bytes
  }

  /** Responses that are kept now. */
  get size(): number {
    return this.#entries.size
  }

  /** Of several that match the latest, RFC 9111 §4. */
  get(key: CacheKey): StoredResponse | undefined {
    const found = this.#find(key)
    if (found === undefined) return undefined
    this.#entries.delete(found)
    this.#entries.add(found)
    return found.response
  }

  createWriteStream(key: CacheKey, value: CacheValue): Writable {
    const { maxEntryBytes } = this.#limits
    const parts: Buffer[] = []
    let bytes = overheadBytes + JSON.stringify([key.path, value.headers, value.vary]).length
    return new Writable({
      write: (part: Buffer, _encoding, done) => {
        bytes += part.byteLength
        if (bytes > maxEntryBytes) return done(new RangeError('the response is larger than maxEntryBytes'))
        parts.push(part)
        done()
      },
      final: (done) => {
        this.#keep(key, { ...value, body: parts }, bytes)
        done()
      },
    })
  }

  delete(key: CacheKey): void {
    for (const entry of this.#targets.get(targetOf(key)) ?? []) this.#remove(entry)
  }

  #keep(key: CacheKey, response: Entry['response'], bytes: number): void {
    const previous = this.#find(key)
    if (previous !== undefined) this.#remove(previous)
    const entry = { target: targetOf(key), method: key.method, response, bytes }
    const variants = this.#targets.get(entry.target) ?? new Set()
    this.#targets.set(entry.target, variants.add(entry))
    this.#entries.add(entry)
    this.#bytes += bytes
    for (const oldest of this.#entries) {
      if (this.#bytes <= this.#limits.maxBytes && this.#entries.size <= this.#limits.maxEntries) break
      this.#remove(oldest)
    }
  }

  #find(key: CacheKey): Entry | undefined {
    let latest: Entry | undefined
    for (const entry of this.#targets.get(targetOf(key)) ?? []) {
      if (entry.method !== key.method || !isSelected(entry.response, key)) continue
      if (latest === undefined || entry.response.cachedAt >= latest.response.cachedAt) latest = entry
    }
    return latest
  }

  #remove(entry: Entry): void {
    const variants = this.#targets.get(entry.target)
    variants?.delete(entry)
    if (variants?.size === 0) this.#targets.delete(entry.target)
    if (this.#entries.delete(entry)) this.#bytes -= entry.bytes
  }
}

function targetOf({ origin, path }: CacheKey): string {
  return origin + path
}

/** Whether a request with these fields is answered by the response, RFC 9111 §4.1. */
function isSelected({ vary }: StoredResponse, { headers }: CacheKey): boolean {
  return Object.entries(vary ?? {}).every(([name, value]) => {
    return value === (headers !== undefined && Object.hasOwn(headers, name) ? headers[name] : null)
  })
}
