const env = (name: string, value: number): number => Number(process.env[name] ?? value)
const beta = env('BETA', 0.9)
const weight = env('WEIGHT', 0.3)
const grow = env('GROW', 0.1)
const startGrow = env('START', 1)
const countMs = env('COUNT', 4_000)
const burst = env('BURSTP', 1)

export class Pace {
  perMs = 0
  #tokens = 0
  #capacity = 0
  #atMs = 0
  #nextMs = 0
  #spacingMs = 0
  #pausedMs = 1
  #got = 0
  #openedMs = 0
  #fresh = true
  #starting = true
  #known = false
  // quiet counting
  #turnMs = Number.NEGATIVE_INFINITY
  #turn = 0
  #before = 0

  count(nowMs: number): void {
    if (nowMs - this.#turnMs > countMs) {
      this.#before = nowMs - this.#turnMs > 2 * countMs ? 0 : this.#turn
      this.#turn = 0
      this.#turnMs = nowMs
    }
    this.#turn += 1
  }

  quietRate(nowMs: number): number {
    const ms = Math.max(1, nowMs - this.#turnMs)
    return this.#before === 0 ? this.#turn / Math.max(ms, countMs) : Math.max(1, this.#turn + this.#before) / (ms + countMs)
  }

  passed(): void {
    this.#got += 1
  }

  /** A fresh refusal. */
  closed(nowMs: number, quiet: boolean, probe: boolean, openAtMs: number): void {
    if (quiet || !this.#known) {
      const rate = this.quietRate(nowMs)
      this.perMs = this.#known ? Math.max(rate, this.perMs) : rate
      this.#starting = true
      this.#known = true
    } else if (!probe || this.#got > 0) {
      const measured = this.#got / Math.max(1, openAtMs - this.#openedMs)
      this.perMs += weight * (beta * measured - this.perMs)
      this.#starting = false
    }
    if (!probe || this.#got > 0) {
    this.#fresh = true
    this.#got = 0
    }
  }

  opened(nowMs: number, pausedMs: number, spreadMs: number, held: number, openAtMs: number): void {
    this.#pausedMs = Math.max(1, pausedMs)
    if (this.#fresh) { this.#openedMs = openAtMs; this.#fresh = false }
    this.#capacity = Math.max(1, this.perMs * pausedMs * burst)
    this.#tokens = this.#capacity
    this.#atMs = nowMs
    this.#spacingMs = spreadMs / Math.max(this.#capacity, Math.min(held,1))
    this.#nextMs = nowMs
    if (process.env.LOG) console.log('opened', Math.round(nowMs), 'rate', Math.round(this.perMs * 1000), 'held', held, 'cap', Math.round(this.#capacity))
  }

  get full(): boolean {
    return this.#tokens >= this.#capacity
  }

  refill(nowMs: number, limited: boolean): void {
    const ms = nowMs - this.#atMs
    this.#atMs = nowMs
    if (limited && ms > 0) this.perMs *= 1 + (this.#starting ? startGrow : grow) * Math.min(1, ms / this.#pausedMs)
    this.#capacity = Math.max(this.#capacity, this.perMs * this.#pausedMs * burst)
    this.#tokens = Math.min(this.#capacity, this.#tokens + this.perMs * ms)
  }

  take(nowMs: number, random: () => number): boolean {
    if (nowMs < this.#nextMs - 1e-6 || this.#tokens < 1 - 1e-6) return false
    this.#tokens -= 1
    this.#nextMs = nowMs + this.#spacingMs * (0.5 + random())
    return true
  }

  dueMs(nowMs: number): number {
    return Math.max(this.#nextMs, this.#tokens >= 1 ? nowMs : nowMs + (1 - this.#tokens) / this.perMs)
  }
}
