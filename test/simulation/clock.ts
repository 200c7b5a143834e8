import type { Clock } from '../../src/clock.ts'

interface Event {
  readonly atMs: number
  /** Events of one moment run in the order in which they were entered. */
  readonly order: number
  /** Undefined once it was cancelled. */
  run: (() => void) | undefined
  /** Whether it touches no promise, so that nothing has to settle after it. */
  readonly quiet: boolean
}

/** Virtual wall time begins here, in epoch milliseconds; a multiple of every limiter's window. */
const epochMs = Date.UTC(2026, 0, 1)
/** After so many loud events Node's own event loop gets a turn, so that it can look after memory. */
const eventsPerTurn = 1_000

/** Time of the simulated world, in milliseconds from 0: it stands still while code runs, and jumps from event to event. */
export class VirtualClock implements Clock {
  #nowMs = 0
  #entered = 0
  readonly #heap: Event[] = []

  readonly now = (): number => this.#nowMs
  readonly wallTime = (): number => epochMs + this.#nowMs

  readonly after = (ms: number, run: () => void): (() => void) => {
    const event = this.#enter(ms, run, false)
    return () => {
      event.run = undefined
    }
  }

  /** Runs `run` after `ms`; it may enter other events, but settle no promise. */
  quietly(ms: number, run: () => void): void {
    this.#enter(ms, run, true)
  }

  /** Goes from event to event until `over` says so, or none is left; every promise settles before the next event. */
  run(over: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let turns = 0
      const turn = (): void => {
        try {
          if (over() || !this.#step()) {
            resolve()
            return
          }
        } catch (error) {
          reject(error)
          return
        }
        turns += 1
        // A tick that a microtask asked for runs after the last microtask, and is much cheaper than a turn of the loop.
        if (turns % eventsPerTurn === 0) setImmediate(turn)
        else queueMicrotask(() => process.nextTick(turn))
      }
      setImmediate(turn)
    })
  }

  /** Runs events up to the first that may settle promises; false when none is left. */
  #step(): boolean {
    for (;;) {
      const event = this.#pop()
      if (event === undefined) return false
      const { run } = event
      if (run === undefined) continue
      this.#nowMs = event.atMs
      event.run = undefined
      run()
      if (!event.quiet) return true
    }
  }

  #enter(ms: number, run: () => void, quiet: boolean): Event {
    if (!(ms >= 0)) throw new RangeError(`the clock cannot wait for ${ms} ms`)
    const event: Event = { atMs: this.#nowMs + ms, order: this.#entered, run, quiet }
    this.#entered += 1
    const heap = this.#heap
    let place = heap.length
    while (place > 0) {
      const parent = heap[(place - 1) >> 1] as Event
      if (isBefore(parent, event)) break
      heap[place] = parent
      place = (place - 1) >> 1
    }
    heap[place] = event
    return event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (heap.length === 0 || last === undefined) return first
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, heap[child] as Event)) child += 1
      if (isBefore(last, heap[child] as Event)) break
      heap[place] = heap[child] as Event
      place = child
    }
    heap[place] = last
    return first
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
