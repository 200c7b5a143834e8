import { Writable } from 'node:stream'
import type { CacheKey, CacheStore, StoredResponse } from '../../src/index.ts'

/** A store that always has a stale response to the path `/x`, which can be validated, and keeps nothing. */
export class StaleStore implements CacheStore {
  readonly #stored: StoredResponse

  constructor(control: string) {
    this.#stored = {
      statusCode: 200,
      statusMessage: 'OK',
      headers: { etag: '"v0"', 'cache-control': control },
      vary: {},
      etag: '"v0"',
      cachedAt: 0,
      staleAt: Date.UTC(2026, 0, 1),
      deleteAt: Number.MAX_SAFE_INTEGER,
      body: [Buffer.from('0123456789')],
    }
  }

  get({ path }: CacheKey): StoredResponse | undefined {
    return path === '/x' ? this.#stored : undefined
  }

  createWriteStream(): Writable {
    return new Writable({ write: (_part, _encoding, done) => done() })
  }

  delete(): void {}
}
