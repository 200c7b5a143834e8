import type { VirtualClock } from './clock.ts'

/** Tells a request that its work is done, or that there was no room for it. */
export type Served = (served: boolean) => void

/** How a station works. */
export interface StationOptions {
  readonly clock: VirtualClock
  /** How many requests it works on at once. */
  readonly workers: number
  /** How many more may wait; the next one is turned away. */
  readonly queueLimit: number
  /** Milliseconds of work of the next request. */
  readonly serviceMs: () => number
}

/** Workers behind one queue, first come, first served; work that nobody waits for any longer is done all the same. */
export class Station {
  readonly #options: StationOptions
  #workers: number
  #busy = 0
  #queue: Served[] = []
  #head = 0

  constructor(options: StationOptions) {
    this.#options = options
    this.#workers = options.workers
  }

  /** Requests that wait for a worker. */
  get waiting(): number {
    return this.#queue.length - this.#head
  }

  /** Requests that are being worked on. */
  get busy(): number {
    return this.#busy
  }

  /** Fewer workers end what they are at first; more begin at once. */
  staff(workers: number): void {
    this.#workers = workers
    this.#advance()
  }

  arrive(served: Served): void {
    if (this.#busy < this.#workers) this.#begin(served)
    else if (this.waiting < this.#options.queueLimit) this.#queue.push(served)
    else served(false)
  }

  #begin(served: Served): void {
    this.#busy += 1
    this.#options.clock.quietly(this.#options.serviceMs(), () => {
      this.#busy -= 1
      served(true)
      this.#advance()
    })
  }

  #advance(): void {
    while (this.waiting > 0 && this.#busy < this.#workers) {
      const next = this.#queue[this.#head] as Served
      this.#head += 1
      if (this.#head > 1_000 && this.#head * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#head)
        this.#head = 0
      }
      this.#begin(next)
    }
  }
}
