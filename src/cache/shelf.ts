import { restored, storing } from '../http/storing.ts'
import { isBodiless } from '../status/table.ts'
import type { CacheConfig, CacheKey, CacheValue, CacheWriter } from '../types/cache.ts'
import type { HopRequest, Received } from '../types/exchange.ts'
import { varyingBy } from './key.ts'
import { isStorable } from './storable.ts'
import { type Exchanged, Stored, storedFields, storedValue, updatedFields } from './stored.ts'

/** A stored response and what it is stored under. */
export interface Found {
  readonly stored: Stored
  readonly key: CacheKey
}

/** The store of a cache, in which only whole responses are found; one that fails is one that holds nothing. */
export class Shelf {
  readonly #config: CacheConfig

  constructor(config: CacheConfig) {
    this.#config = config
  }

  /** What is stored for the request; a response to GET answers HEAD as well. */
  async find(key: CacheKey): Promise<Found | undefined> {
    for (const method of key.method === 'HEAD' ? ['GET', 'HEAD'] : [key.method]) {
      const ofMethod = { ...key, method }
      try {
        const hit = await this.#config.store.get(ofMethod)
        if (hit !== undefined) return { stored: new Stored(hit), key: ofMethod }
      } catch {
        return undefined
      }
    }
    return undefined
  }

  /** Forgets what is stored of the target. */
  async forget(key: CacheKey): Promise<void> {
    try {
      await this.#config.store.delete(key)
    } catch {
      // A store that cannot forget cannot be helped here; the call has its answer.
    }
  }

  /** The response, stored as it is read; undefined when it is not to be stored. */
  keep({ fields }: HopRequest, key: CacheKey, received: Received, times: Exchanged): Received | undefined {
    if (!isStorable(fields, received, this.#config)) return undefined
    const { status: statusCode, statusText: statusMessage } = received
    const status = { statusCode, statusMessage, vary: varyingBy(key, received) }
    const writer = this.#writer(key, storedValue(status, storedFields(received), times, this.#config))
    return writer === undefined ? undefined : storing(received, writer)
  }

  /** The stored response with what a newer one without content says of it (RFC 9111 §4.3.4), and stored so as it is read. */
  freshened({ stored, key }: Found, newer: Received, times: Exchanged): Received {
    const { hit } = stored
    const fields = updatedFields(stored, newer)
    const status = { status: hit.statusCode, statusText: hit.statusMessage, url: newer.url }
    const whole = restored(status, fields, hit.body, isBodiless(key.method, hit.statusCode))
    const writer = this.#writer(key, storedValue(hit, fields, times, this.#config))
    return writer === undefined ? whole : storing(whole, writer)
  }

  #writer(key: CacheKey, value: CacheValue): CacheWriter | undefined {
    try {
      return this.#config.store.createWriteStream(key, value)
    } catch {
      return undefined
    }
  }
}
