/** Time as steadfetch sees it. Every wait of the library goes through {@link Clock.after}. */
export interface Clock {
  /** Monotonic time in milliseconds; only differences mean anything. */
  now(): number
  /** Milliseconds since the Unix epoch, used for HTTP dates alone. */
  wallTime(): number
  /** Runs `run` once after `ms` milliseconds and returns a function that cancels it. */
  after(ms: number, run: () => void): () => void
}

/** The chance of the machine, a number from 0 up to but not including 1. */
export const systemRandom: () => number = Math.random

/** The longest delay one Node.js timer can hold; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1

/** The clock of the machine. Delays beyond 2^31 ms are kept by renewing the timer. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(ms, run) {
    if (ms > longestTimerMs) return afterLong(ms, run)
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

function afterLong(ms: number, run: () => void): () => void {
  let stop = systemClock.after(longestTimerMs, () => {
    stop = systemClock.after(ms - longestTimerMs, run)
  })
  return () => stop()
}
