import type { Cancellable } from './cancellation.ts'
import type { Clock } from './clock.ts'
import type { Limited } from './limits.ts'
import type { Timed } from './timed.ts'

/** How waiting ends: the call is let go, cannot wait any longer, or was cancelled. */
export type Leave<Turn> = Turn | 'late' | 'cancelled'

/** One call in the room. Its time limit stands among those of all calls of its client, and has no timer of its own. */
class Guest<Turn> implements Cancellable, Limited {
  older: Guest<Turn> | undefined
  newer: Guest<Turn> | undefined
  place = -1
  readonly dueMs: number
  readonly #call: Timed
  readonly #strike: (guest: Guest<Turn>) => void
  readonly #resolve: (leave: Leave<Turn>) => void

  constructor(call: Timed, dueMs: number, strike: (guest: Guest<Turn>) => void, resolve: (leave: Leave<Turn>) => void) {
    this.#call = call
    this.dueMs = dueMs
    this.#strike = strike
    this.#resolve = resolve
    // The deadline of the call cancels it, and needs no second entry.
    if (dueMs < call.deadlineMs) call.limits.enter(this)
    call.add(this)
  }

  cancel(): void {
    this.leave('cancelled')
  }

  look(): void {
    this.leave('late')
  }

  leave(leave: Leave<Turn>): void {
    this.#call.remove(this)
    this.#call.limits.leave(this)
    this.#strike(this)
    this.#resolve(leave)
  }
}

/** Calls that wait until they are let go; one timer wakes whoever lets them go. A list, so that leaving is cheap anywhere. */
export class WaitingRoom<Turn> {
  #newest: Guest<Turn> | undefined
  #oldest: Guest<Turn> | undefined
  #size = 0
  #stopTimer: (() => void) | undefined
  #firesMs = Infinity

  /** How many wait. */
  get size(): number {
    return this.#size
  }

  /** Waits to be let go, until `latestMs` at most. */
  wait(call: Timed, latestMs: number): Promise<Leave<Turn>> {
    if (call.cancelled) return Promise.resolve('cancelled')
    return new Promise((resolve) => {
      const guest = new Guest<Turn>(call, latestMs, this.#strike, resolve)
      guest.older = this.#newest
      if (this.#newest === undefined) this.#oldest = guest
      else this.#newest.newer = guest
      this.#newest = guest
      this.#size += 1
    })
  }

  /** Lets the newest or the oldest go; whoever has a turn has it, whatever happens next. */
  call(turn: Turn, whom: 'newest' | 'oldest'): void {
    const guest = whom === 'newest' ? this.#newest : this.#oldest
    guest?.leave(turn)
  }

  /** Sends away whoever cannot wait until `ms`. */
  sendAway(ms: number): void {
    for (let guest = this.#newest; guest !== undefined; guest = guest.older) if (guest.dueMs < ms) guest.leave('late')
  }

  /** Calls `run` at `atMs` instead of at what was said before, unless nobody waits by then; never at Infinity. */
  wake(clock: Clock, atMs: number, run: () => void): void {
    if (atMs === this.#firesMs) return
    this.#disarm()
    if (atMs === Infinity || this.#size === 0) return
    this.#firesMs = atMs
    this.#stopTimer = clock.after(Math.max(0, atMs - clock.now()), () => {
      this.#disarm()
      run()
    })
  }

  #disarm(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#firesMs = Infinity
  }

  readonly #strike = (guest: Guest<Turn>): void => {
    if (guest.newer === undefined) this.#newest = guest.older
    else guest.newer.older = guest.older
    if (guest.older === undefined) this.#oldest = guest.newer
    else guest.older.newer = guest.newer
    this.#size -= 1
    if (this.#size === 0) this.#disarm()
  }
}
