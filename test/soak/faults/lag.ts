// How long this process was too busy to look at its timers.

const everyMs = 20

/** Counts the milliseconds that its own timer came late. */
export class Lag {
  #lostMs = 0
  #dueMs = performance.now() + everyMs
  readonly #timer = setInterval(() => {
    const nowMs = performance.now()
    this.#lostMs += Math.max(0, nowMs - this.#dueMs)
    this.#dueMs = nowMs + everyMs
  }, everyMs)

  /** Milliseconds lost so far. */
  get lostMs(): number {
    return this.#lostMs + Math.max(0, performance.now() - this.#dueMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
