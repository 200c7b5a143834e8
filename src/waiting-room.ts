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
  readonly call: Timed
  readonly #room: WaitingRoom<Turn>
  readonly #resolve: (leave: Leave<Turn>) => void

  constructor(room: WaitingRoom<Turn>, call: Timed, dueMs: number, resolve: (leave: Leave<Turn>) => void) {
    this.#room = room
    this.call = call
    this.dueMs = dueMs
    this.#resolve = resolve
  }

  cancel(): void {
    this.leave('cancelled')
  }

  look(): void {
    this.leave('late')
  }

  leave(leave: Leave<Turn>): void {
    this.call.remove(this)
    this.call.limits.leave(this)
    this.#room.strike(this)
    this.#resolve(leave)
  }
}

/** Calls that wait until they are let go, the newest first. */
export class WaitingRoom<Turn> {
  #newest: Guest<Turn> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Waits to be let go, until `latestMs` at most; the deadline of the call ends it anyway. */
  wait(call: Timed, latestMs: number): Promise<Leave<Turn>> {
    if (call.cancelled) return Promise.resolve('cancelled')
    return new Promise((resolve) => {
      const guest = new Guest(this, call, latestMs, resolve)
      guest.older = this.#newest
      if (this.#newest !== undefined) this.#newest.newer = guest
      this.#newest = guest
      this.#size += 1
      if (latestMs < call.deadlineMs) call.limits.enter(guest)
      call.add(guest)
    })
  }

  /** Lets the newest go; nothing happens when nobody waits. */
  call(turn: Turn): void {
    this.#newest?.leave(turn)
  }

  /** Sends away all that cannot wait until `ms`. */
  sendAway(ms: number): void {
    for (let guest = this.#newest; guest !== undefined; guest = guest.older) if (guest.dueMs < ms) guest.leave('late')
  }

  #stop: (() => void) | undefined
  #firesMs = Infinity
  wake(clock: Clock, atMs: number, run: () => void): void {
    if (atMs === this.#firesMs) return
    this.#stop?.()
    this.#stop = undefined
    this.#firesMs = atMs
    if (atMs === Infinity) return
    this.#stop = clock.after(Math.max(0, atMs - clock.now()), () => {
      this.#stop = undefined
      this.#firesMs = Infinity
      run()
    })
  }

  /** Takes one out, which has left. */
  strike(guest: Guest<Turn>): void {
    if (guest.newer === undefined) this.#newest = guest.older
    else guest.newer.older = guest.older
    if (guest.older !== undefined) guest.older.newer = guest.newer
    this.#size -= 1
    if (this.#size === 0) { this.#stop?.(); this.#stop = undefined; this.#firesMs = Infinity }
  }
}
