/** Each bucket reaches this much further than the one before it: an answer is at most that far off. */
const growth = 1.15
/** From a millisecond to some ten minutes. */
const buckets = 96
/** Beyond so many times all are worth half: old times are forgotten. */
const memory = 2_000

/** The distribution of response times, the latest thousands of them; of fixed size. */
export class ResponseTimes {
  readonly #counts = new Float64Array(buckets)
  #total = 0

  /** How many are remembered. */
  get count(): number {
    return this.#total
  }

  /** Adds a time in milliseconds. */
  add(ms: number): void {
    const bucket = ms <= 1 ? 0 : Math.min(buckets - 1, Math.ceil(Math.log(ms) / Math.log(growth)))
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
    this.#total += 1
    if (this.#total >= memory) this.#forgetHalf()
  }

  /** Milliseconds within which that part of the answers came, 0-1; 0 when none is known. */
  percentile(part: number): number {
    let left = part * this.#total
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count
      if (left <= 0 && count > 0) return growth ** bucket
    }
    return 0
  }

  #forgetHalf(): void {
    for (const [bucket, count] of this.#counts.entries()) this.#counts[bucket] = count / 2
    this.#total /= 2
  }
}
