import type { CacheConfig } from '../types/cache.ts'
import type { Keyring } from './keyring.ts'
import type { Origins } from './origins.ts'

/** What a request at a cache has to do with. */
export interface CacheSurroundings {
  readonly config: CacheConfig
  readonly origins: Origins
  /** The credentials that are added below the cache. */
  readonly keyring: Keyring | undefined
}

/** Most targets whose invalidation is remembered; a request from before one that is forgotten counts as overtaken. */
const maxInvalidated = 64

/** What a cache has under way at one origin. */
export class CacheActivity {
  /** The stored responses that are validated while they answer. */
  readonly validating: Set<string> = new Set()
  readonly #invalidated = new Map<string, number>()
  #changes = 0
  #floor = 0

  get busy(): boolean {
    return this.validating.size > 0
  }

  /** How often something was invalidated. */
  get changes(): number {
    return this.#changes
  }

  /** A response to an earlier request is not to be stored any more. */
  invalidated(path: string): void {
    this.#changes += 1
    this.#invalidated.delete(path)
    this.#invalidated.set(path, this.#changes)
    const oldest = this.#invalidated.entries().next().value
    if (this.#invalidated.size <= maxInvalidated || oldest === undefined) return
    this.#invalidated.delete(oldest[0])
    this.#floor = oldest[1]
  }

  /** Whether the target was not invalidated since there had been so many changes. */
  isCurrent(path: string, changes: number): boolean {
    return changes >= this.#floor && changes >= (this.#invalidated.get(path) ?? 0)
  }
}
