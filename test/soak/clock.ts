// The clock of the clients of the soak: that of the machine, which counts what was asked of it.
import type { Clock } from 'steadfetch'

/** Knows how many timers are neither cancelled nor have fired. */
export class CountingClock implements Clock {
  #armed = 0

  get armed(): number {
    return this.#armed
  }

  now(): number {
    return performance.now()
  }

  wallTime(): number {
    return Date.now()
  }

  after(ms: number, run: () => void): () => void {
    let isArmed = true
    const disarm = (): void => {
      if (isArmed) this.#armed -= 1
      isArmed = false
    }
    this.#armed += 1
    const timer = setTimeout(() => {
      disarm()
      run()
    }, ms)
    return () => {
      disarm()
      clearTimeout(timer)
    }
  }
}
