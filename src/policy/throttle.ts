import type { ThrottleConfig } from '../types/protection.ts'
import { Window } from './window.ts'

/** The chance is halved this often at most; then it is none. */
const mostHalvings = 10

/**
 * The adaptive throttle of one origin, after "Handling Overload" of the SRE book: of the requests of a window, those
 * refused here included, too few were accepted, so a part of the next ones is refused. An origin that has come back
 * would be throttled until its bad time has left the window; so each success halves the chance, each rejection undoes
 * that once. Requests count once they have an outcome: many under way are no sign of anything.
 */
export class Throttle {
  readonly #config: ThrottleConfig
  /** Requests; those accepted are marked. */
  readonly #window: Window
  /** Successes more than rejections lately. */
  #halvings = 0

  constructor(config: ThrottleConfig) {
    this.#config = config
    this.#window = new Window(config.windowMs)
  }

  /** Whether nothing has been rejected lately, so that nothing is to be refused. */
  get calm(): boolean {
    return this.#window.marked === this.#window.all
  }

  /** Whether it is to be remembered: it may refuse something. */
  get busy(): boolean {
    return !this.calm && this.#window.all >= this.#config.minVolume
  }

  /** The chance that a call is refused: 0-1. */
  refusalRatio(nowMs: number): number {
    const { multiplier, maxRatio, minVolume } = this.#config
    this.#window.slide(nowMs)
    const { all, marked } = this.#window
    if (all < minVolume || this.#halvings === mostHalvings) return 0
    const ratio = Math.max(0, (all - multiplier * marked) / (all + 1))
    return Math.min(maxRatio, ratio) / 2 ** this.#halvings
  }

  /** Counts a request that the origin accepted. */
  accepted(nowMs: number): void {
    this.#window.count(true, nowMs)
    this.#halvings = Math.min(mostHalvings, this.#halvings + 1)
  }

  /** Counts one that it rejected. */
  rejected(nowMs: number): void {
    this.#window.count(false, nowMs)
    this.#halvings = Math.max(0, this.#halvings - 1)
  }

  /** Counts one that was refused here, which says nothing about the origin. */
  refused(nowMs: number): void {
    this.#window.count(false, nowMs)
  }
}
