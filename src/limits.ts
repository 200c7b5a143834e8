import type { Clock } from './clock.ts'

/** What is over time at some moment. */
export interface Limited {
  /** Monotonic milliseconds of that moment; may be moved later without notice, and is looked at again then. */
  readonly dueMs: number
  /** Where it stands among the others; kept by {@link Limits}, -1 when it does not. */
  place: number
  /** Tells that the moment it was entered for has come. */
  look(nowMs: number): void
}

/**
 * The time limits of all calls of a client, on one timer of its clock: a timer for each call would be most of what a
 * call costs while it waits. A heap, the earliest on top; calls with the same limit enter it in order, so that entering
 * is one comparison.
 */
export class Limits {
  readonly #clock: Clock
  readonly #heap: Limited[] = []
  /** The moments they were entered for. */
  readonly #dues: number[] = []
  #stopTimer: (() => void) | undefined
  #firesMs = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Enters it, or moves it, for its `dueMs`. */
  enter(limited: Limited): void {
    const { dueMs, place } = limited
    if (place === -1) this.#sift(this.#heap.length, limited, dueMs)
    else if (dueMs < (this.#dues[place] as number)) this.#sift(place, limited, dueMs)
    if (dueMs < this.#firesMs) this.#arm(dueMs)
  }

  /** Takes it out. The timer is left to look again when it fires, unless it would find nothing. */
  leave(limited: Limited): void {
    const { place } = limited
    if (place === -1) return
    limited.place = -1
    const last = this.#heap.pop() as Limited
    const lastDueMs = this.#dues.pop() as number
    if (last !== limited) this.#settle(place, last, lastDueMs)
    if (this.#heap.length === 0) this.#disarm()
  }

  #arm(dueMs: number): void {
    this.#stopTimer?.()
    this.#firesMs = dueMs
    this.#stopTimer = this.#clock.after(Math.max(0, dueMs - this.#clock.now()), () => this.#fire())
  }

  #disarm(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#firesMs = Infinity
  }

  #fire(): void {
    this.#stopTimer = undefined
    this.#firesMs = Infinity
    try {
      this.#lookAt(this.#clock.now())
    } finally {
      // Whatever became of one of them, the others have limits, too.
      const next = this.#dues[0]
      if (next !== undefined && next < this.#firesMs) this.#arm(next)
    }
  }

  #lookAt(nowMs: number): void {
    while (this.#heap.length > 0 && (this.#dues[0] as number) <= nowMs) {
      const first = this.#heap[0] as Limited
      this.leave(first)
      if (first.dueMs <= nowMs) first.look(nowMs)
      else if (first.dueMs < Infinity) this.enter(first)
    }
  }

  /** Puts it in a place from which another one was taken: it belongs above or below. */
  #settle(place: number, limited: Limited, dueMs: number): void {
    const parent = (place - 1) >> 1
    if (place > 0 && dueMs < (this.#dues[parent] as number)) this.#sift(place, limited, dueMs)
    else this.#sink(place, limited, dueMs)
  }

  #sift(from: number, limited: Limited, dueMs: number): void {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      if ((this.#dues[parent] as number) <= dueMs) break
      this.#put(place, this.#heap[parent] as Limited, this.#dues[parent] as number)
      place = parent
    }
    this.#put(place, limited, dueMs)
  }

  #sink(from: number, limited: Limited, dueMs: number): void {
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= this.#dues.length) break
      if ((this.#dues[child + 1] ?? Infinity) < (this.#dues[child] as number)) child += 1
      if ((this.#dues[child] as number) >= dueMs) break
      this.#put(place, this.#heap[child] as Limited, this.#dues[child] as number)
      place = child
    }
    this.#put(place, limited, dueMs)
  }

  #put(place: number, limited: Limited, dueMs: number): void {
    this.#heap[place] = limited
    this.#dues[place] = dueMs
    limited.place = place
  }
}
