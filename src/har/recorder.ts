import { eventsOf } from '../events.ts'
import { Observation, type Observer } from '../observation.ts'
import { checkKeys, checkMembers, given } from '../policy/checks.ts'
import type { Har, HarEntry, HarOptions, HarRecorder } from '../types/har.ts'
import type { SteadFetch } from '../types/options.ts'
import { entryOf } from './entry.ts'

/** The version of the package, which the archive tells. */
export const version = '0.1.0'

const defaults: Required<HarOptions> = { content: false, maxContentBytes: 65_536, maxEntries: 1_000 }

/**
 * Records every attempt of a client, and of those that were extended from it, as an entry of an HTTP archive (HAR 1.2):
 * retries, redirects, hedges, polls and validations, each with what was sent, what came and where the time went. Secrets are
 * masked as they are in errors, the values of all cookies too. What a cache answers is no entry: nothing was sent.
 *
 * @throws TypeError for what is no client of steadfetch, and for an unknown or an invalid option.
 */
export function recordHar(client: SteadFetch, options: HarOptions = {}): HarRecorder {
  const events = eventsOf(client)
  if (events === undefined) throw new TypeError('recordHar: the client must be a fetch that createFetch made')
  const recorder = new Recorder(resolved(options))
  const stop = events.observe(recorder)
  return { archive: () => recorder.archive(), clear: () => recorder.clear(), stop }
}

/** Entries in the order of their start; an attempt under way becomes one at its end. */
class Recorder implements Observer {
  readonly contentBytes: number
  readonly #withContent: boolean
  readonly #maxEntries: number
  /** By the order of their start. */
  readonly #records = new Map<number, Observation | HarEntry>()
  /** An attempt that has ended is not kept. */
  readonly #places = new WeakMap<Observation, number>()
  #latest = 0

  constructor({ content, maxContentBytes, maxEntries }: Required<HarOptions>) {
    this.contentBytes = content ? maxContentBytes : 0
    this.#withContent = content
    this.#maxEntries = maxEntries
  }

  begun(observation: Observation): void {
    this.#latest += 1
    this.#places.set(observation, this.#latest)
    this.#records.set(this.#latest, observation)
    this.#records.delete(this.#latest - this.#maxEntries)
  }

  ended(observation: Observation): void {
    const place = this.#places.get(observation) ?? 0
    if (this.#records.has(place)) this.#records.set(place, entryOf(observation, this.#withContent))
  }

  clear(): void {
    this.#records.clear()
  }

  /** A copy, which is the caller's to change. */
  archive(): Har {
    const entries = Array.from(this.#records.values(), (record) =>
      record instanceof Observation ? entryOf(record, this.#withContent) : structuredClone(record),
    )
    return { log: { version: '1.2', creator: { name: 'steadfetch', version }, entries } }
  }
}

function resolved(options: HarOptions): Required<HarOptions> {
  checkKeys('recordHar', options, Object.keys(defaults))
  const own = { ...defaults, ...given(options) }
  const count = { min: 1, integer: true }
  checkMembers('recordHar', own, { content: 'flag', maxContentBytes: count, maxEntries: count })
  return own
}
