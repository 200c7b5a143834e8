/** Calls in the order of their start: when, what it took, and what became of them. */
export class Calls {
  /** Milliseconds of virtual time. */
  readonly startMs: number[] = []
  /** Milliseconds of virtual time; undefined while a call is under way. */
  readonly endMs: (number | undefined)[] = []
  readonly succeeded: boolean[] = []
  /** Requests sent for each. */
  readonly requests: number[] = []
  /** Requests sent in each second of the run. */
  readonly sentBySecond: number[] = []
  /** Calls under way. */
  pending = 0

  /** Enters a call; returns its number. */
  start(nowMs: number): number {
    this.pending += 1
    this.endMs.push(undefined)
    this.succeeded.push(false)
    this.requests.push(0)
    return this.startMs.push(nowMs) - 1
  }

  sent(call: number, nowMs: number): void {
    this.requests[call] = (this.requests[call] as number) + 1
    const second = Math.floor(nowMs / 1_000)
    this.sentBySecond[second] = (this.sentBySecond[second] ?? 0) + 1
  }

  end(call: number, succeeded: boolean, nowMs: number): void {
    this.pending -= 1
    this.endMs[call] = nowMs
    this.succeeded[call] = succeeded
  }
}
