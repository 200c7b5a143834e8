import type { HealthConfig, OriginHealth } from '../types/health.ts'
import { Window } from './window.ts'

/** Most different results that are told apart per origin; a server may make up statuses. */
const maxResults = 64
const others = 'other'

/** What became of the requests to one origin lately, by status or by the code of the failure. */
export class Tally {
  readonly #config: HealthConfig
  readonly #origin: string
  /** Failures of the origin are marked. */
  readonly #all: Window
  readonly #results = new Map<string, Window>()
  #failing = false

  constructor(config: HealthConfig, origin: string) {
    this.#config = config
    this.#origin = origin
    this.#all = new Window(config.windowMs)
  }

  /** Whether it is to be remembered. */
  get busy(): boolean {
    return this.#failing
  }

  /** Counts what a request came to; tells whether that made the origin one that fails, or one that does so no more. */
  count(result: string, failing: boolean, nowMs: number): 'origin.failing' | 'origin.recovered' | undefined {
    this.#all.count(failing, nowMs)
    this.#windowOf(result).count(failing, nowMs)
    const { all, marked } = this.#all
    const { failureRatio, minVolume } = this.#config
    // What is lost at half the ratio is not found again with the next failure.
    const isFailing = this.#failing
      ? marked >= (failureRatio * all) / 2 && marked > 0
      : marked >= failureRatio * all && all >= minVolume
    if (isFailing === this.#failing) return undefined
    this.#failing = isFailing
    return isFailing ? 'origin.failing' : 'origin.recovered'
  }

  /** What was counted within the window. */
  health(nowMs: number): OriginHealth {
    this.#all.slide(nowMs)
    const { all, marked } = this.#all
    const results = [...this.#results].map(([result, window]) => {
      window.slide(nowMs)
      return { result, count: window.all, ratio: all === 0 ? 0 : window.all / all }
    })
    return {
      origin: this.#origin,
      failing: this.#failing,
      windowMs: this.#config.windowMs,
      requests: all,
      failures: marked,
      failureRatio: all === 0 ? 0 : marked / all,
      results: results.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count),
    }
  }

  #windowOf(result: string): Window {
    const name = this.#results.has(result) || this.#results.size < maxResults ? result : others
    const known = this.#results.get(name)
    if (known !== undefined) return known
    const window = new Window(this.#config.windowMs)
    this.#results.set(name, window)
    return window
  }
}
