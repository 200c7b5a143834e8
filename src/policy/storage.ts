import { Recording } from '../http/recording.ts'
import { tapped } from '../http/tap.ts'
import type { Body } from '../types/body.ts'
import type { CacheConfig, CacheKey, CacheStore, CacheValue, StoredResponse } from '../types/cache.ts'
import { directivesOf } from './reuse.ts'
import { isUsable } from './stored.ts'

/** A store as a cache uses it: what it throws, or rejects with, is as if it had nothing. */
export class Storage {
  readonly #store: CacheStore
  readonly #shared: boolean

  constructor({ store, shared }: CacheConfig) {
    this.#store = store
    this.#shared = shared
  }

  /** The stored response to a request like this; undefined when there is none, at once where the store tells at once. */
  find(key: CacheKey): StoredResponse | undefined | Promise<StoredResponse | undefined> {
    try {
      const found = this.#store.get(key)
      return found instanceof Promise ? this.#later(found) : this.#usable(found)
    } catch {
      return undefined
    }
  }

  async #later(found: Promise<StoredResponse | undefined>): Promise<StoredResponse | undefined> {
    try {
      return this.#usable(await found)
    } catch {
      return undefined
    }
  }

  /** A store may be used by private caches as well. */
  #usable(found: StoredResponse | undefined): StoredResponse | undefined {
    if (!isUsable(found)) return undefined
    return this.#shared && directivesOf(found).has('private') ? undefined : found
  }

  /** How a response is stored while its content is read; undefined when the store does not want it. */
  recording(key: CacheKey, value: CacheValue, isWanted: () => boolean): Recording | undefined {
    try {
      const out = this.#store.createWriteStream(key, value)
      return out === undefined || out === null ? undefined : new Recording(out, isWanted)
    } catch {
      return undefined
    }
  }

  /** Forgets all that is stored of the target. */
  async forget(key: CacheKey): Promise<void> {
    try {
      await this.#store.delete(key)
    } catch {
      // It is as good as forgotten where the store cannot be asked either.
    }
  }
}

/** The body as its reader gets it, recorded on the way; one without content is stored at once. */
export function recorded(body: Body | null, recording: Recording): Body | null {
  if (body !== null) return tapped(body, recording)
  recording.end()
  return null
}
