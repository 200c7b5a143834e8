/** Parts of the window; it slides by one at a time, so that it holds nine tenths of its length at the least. */
const bucketCount = 10

/**
 * Counts what happened lately, and how much of it was marked, over a sliding window. Nothing is allocated by counting,
 * and no timer moves the window: whoever counts or asks says what time it is.
 */
export class Window {
  readonly #bucketMs: number
  /** For each bucket how much was counted, and how much of that was marked. */
  readonly #counts = new Uint32Array(2 * bucketCount)
  /** The number of the latest bucket since the start of time. */
  #latest = Number.NEGATIVE_INFINITY
  #all = 0
  #marked = 0

  constructor(windowMs: number) {
    this.#bucketMs = windowMs / bucketCount
  }

  /** What was counted, as of the latest {@link Window.slide}. */
  get all(): number {
    return this.#all
  }

  /** What was marked of it. */
  get marked(): number {
    return this.#marked
  }

  count(marked: boolean, nowMs: number): void {
    this.slide(nowMs)
    const place = 2 * (this.#latest % bucketCount)
    this.#counts[place] = (this.#counts[place] as number) + 1
    this.#all += 1
    if (!marked) return
    this.#counts[place + 1] = (this.#counts[place + 1] as number) + 1
    this.#marked += 1
  }

  /** Forgets what is older than the window. */
  slide(nowMs: number): void {
    const bucket = Math.max(0, Math.floor(nowMs / this.#bucketMs))
    if (bucket <= this.#latest) return
    if (bucket - this.#latest >= bucketCount) this.clear()
    else for (let old = this.#latest + 1; old <= bucket; old += 1) this.#empty(2 * (old % bucketCount))
    this.#latest = bucket
  }

  /** Forgets everything. */
  clear(): void {
    this.#counts.fill(0)
    this.#all = 0
    this.#marked = 0
  }

  #empty(place: number): void {
    this.#all -= this.#counts[place] as number
    this.#marked -= this.#counts[place + 1] as number
    this.#counts[place] = 0
    this.#counts[place + 1] = 0
  }
}
