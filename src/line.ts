import type { Cancellation } from './cancellation.ts'
import type { Clock } from './clock.ts'

/** How waiting in a line ends: it is one's turn, it took too long, or the call was cancelled. */
export type Turn = 'called' | 'late' | 'cancelled'

/** A place in a line, between its neighbours. */
interface Place {
  ahead: Place | undefined
  behind: Place | undefined
  readonly leave: (turn: Turn) => void
}

/**
 * Calls that wait for their turn, first come first served; whoever gives up is out of the line at once. Neighbours know
 * one another, so that to call the first and to leave from anywhere take the same time however long the line is.
 */
export class Line {
  #first: Place | undefined
  #last: Place | undefined
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Waits for a turn until `latestMs`, monotonic milliseconds that may be Infinity. Whoever is called has its turn, whatever happens next. */
  wait(clock: Clock, latestMs: number, cancellation: Cancellation): Promise<Turn> {
    if (cancellation.cancelled) return Promise.resolve('cancelled')
    return new Promise((resolve) => {
      const leave = (turn: Turn): void => {
        this.#remove(place)
        stopTimer?.()
        stopListening()
        resolve(turn)
      }
      // Before it is in the line: a clock that throws must leave nobody there.
      const stopTimer = latestMs === Infinity ? undefined : clock.after(Math.max(0, latestMs - clock.now()), () => leave('late'))
      const place: Place = { ahead: this.#last, behind: undefined, leave }
      this.#append(place)
      const stopListening = cancellation.onCancel(() => leave('cancelled'))
    })
  }

  /** Calls the first; false when nobody waits. */
  call(): boolean {
    const first = this.#first
    first?.leave('called')
    return first !== undefined
  }

  #append(place: Place): void {
    if (this.#last === undefined) this.#first = place
    else this.#last.behind = place
    this.#last = place
    this.#length += 1
  }

  #remove({ ahead, behind }: Place): void {
    if (ahead === undefined) this.#first = behind
    else ahead.behind = behind
    if (behind === undefined) this.#last = ahead
    else behind.ahead = ahead
    this.#length -= 1
  }
}
