import type { Cancellation } from './cancellation.ts'
import type { Clock } from './clock.ts'

/** How waiting in a line ends: it is one's turn, it took too long, or the call was cancelled. */
export type Turn = 'called' | 'late' | 'cancelled'

/** Calls that wait for their turn, first come first served; whoever gives up is out of the line at once. */
export class Line {
  readonly #waiting = new Set<(turn: Turn) => void>()

  get length(): number {
    return this.#waiting.size
  }

  /** Waits for a turn until `latestMs`, monotonic milliseconds that may be Infinity. Whoever is called has its turn, whatever happens next. */
  wait(clock: Clock, latestMs: number, cancellation: Cancellation): Promise<Turn> {
    if (cancellation.cancelled) return Promise.resolve('cancelled')
    return new Promise((resolve) => {
      const settle = (turn: Turn): void => {
        this.#waiting.delete(settle)
        stopTimer?.()
        stopListening()
        resolve(turn)
      }
      this.#waiting.add(settle)
      const stopTimer = latestMs === Infinity ? undefined : clock.after(Math.max(0, latestMs - clock.now()), () => settle('late'))
      const stopListening = cancellation.onCancel(() => settle('cancelled'))
    })
  }

  /** Calls the first; false when nobody waits. */
  call(): boolean {
    const [first] = this.#waiting
    first?.('called')
    return first !== undefined
  }
}
