import type { PauseOptions } from '../types/policy.ts'
import { WaitingRoom } from '../waiting-room.ts'
import { backoffMs, jittered, retryDefaults } from './backoff.ts'
import { Pace } from './pace.ts'

/** The releases of held calls are spread over this part of the pause, but not over more than the limit. */
const spreadRatio = 0.2
const spreadLimitMs = 5_000

/** A response that asks for a pause. */
export interface PauseRequest {
  readonly status: number
  /** Its Retry-After; undefined when there is none. */
  readonly askedMs: number | undefined
  /** How often the gate had been closed when its request was sent. */
  readonly sentAtClosing: number
  readonly policy: PauseOptions
}

/** What a call must do at the gate. */
export type Admission = 'go' | 'wait' | 'probe' | 'follow probe' | 'later'

/**
 * The gate of one origin. A response that asks for a pause closes it; when the pause is over one call goes first as a
 * probe, and its answer opens the gate for the others or closes it again. Holds state and decides; waits for nothing.
 */
export class Gate {
  #openAtMs = Number.NEGATIVE_INFINITY
  #pausedMs = 0
  #awaitingProbe = false
  #probing = false
  #strikes = 0
  #closings = 0
  #status = 0
  readonly room = new WaitingRoom<'go' | 'probe'>()
  readonly pace = new Pace()
  #paced = false
  get held(): number { return this.room.size }

  /** Whether a pause is on, or its probe is still due. */
  get busy(): boolean {
    return this.#awaitingProbe || this.held > 0
  }

  /** Whether nothing is the matter: no pause is on, none was asked for by the latest answers. */
  get quiet(): boolean {
    return !this.#awaitingProbe && !this.#paced && this.#strikes === 0
  }

  /** The status that closed it last. */
  get status(): number {
    return this.#status
  }

  /** How often it has been closed; a response to a request sent before the last closing is old news. */
  get closings(): number {
    return this.#closings
  }

  admit(nowMs: number, random: () => number): Admission {
    if (nowMs < this.#openAtMs) return 'wait'
    if (!this.#awaitingProbe) {
      if (!this.#paced) return 'go'
      this.pace.refill(nowMs, this.held > 0)
      if (this.held === 0 && this.pace.full) { this.#paced = false; return 'go' }
      return this.pace.take(nowMs, random) ? 'go' : 'later'
    }
    if (this.#probing) return 'follow probe'
    this.#probing = true
    return 'probe'
  }

  /** Milliseconds until the pause is over. */
  remainingMs(nowMs: number): number {
    return Math.max(0, this.#openAtMs - nowMs)
  }

  /**
   * Closes the gate: for as long as the origin asked, but not beyond `maxWaitMs`, so that one answer with a Retry-After
   * of a day does not cut the service off for a day; else for a back-off that grows while its answers stay the same.
   */
  dueMs(nowMs: number): number {
    if (nowMs < this.#openAtMs) return this.#openAtMs
    if (!this.#awaitingProbe) return this.pace.dueMs(nowMs)
    return Infinity
  }

  close({ status, askedMs, sentAtClosing, policy }: PauseRequest, nowMs: number, random: () => number): void {
    const oldNews = sentAtClosing !== this.#closings
    if (oldNews && askedMs === undefined) return
    if (!oldNews) this.#strikes += 1
    const { maxWaitMs = retryDefaults.maxWaitMs } = policy
    const boundMs = askedMs === undefined ? undefined : Math.min(askedMs, maxWaitMs)
    const waitMs = boundMs === undefined ? backoffMs(this.#strikes, policy, random) : jittered(boundMs, random)
    const openAtMs = nowMs + waitMs
    if (oldNews && nowMs + (process.env.RATCHET ? waitMs : boundMs as number) <= this.#openAtMs) return
    if (!oldNews) this.pace.closed(nowMs, !this.#awaitingProbe && !this.#paced, this.#awaitingProbe, openAtMs)
    this.#openAtMs = openAtMs
    this.#pausedMs = waitMs
    this.#status = status
    this.#awaitingProbe = true
    this.#closings += 1
    this.endProbe()
  }

  /** An answer that asks for no pause opens the gate, unless it is older than the closing. */
  open(sentAtClosing: number, nowMs: number): void {
    if (sentAtClosing !== this.#closings) return
    this.pace.passed()
    if (this.#awaitingProbe) {
      this.pace.opened(nowMs, this.#pausedMs, this.spreadMs(() => 1), this.held, this.#openAtMs)
      this.#paced = true
    }
    this.#awaitingProbe = false
    if (this.#paced && this.held === 0) { this.pace.refill(nowMs, false); if (this.pace.full) this.#paced = false }
    this.#strikes = 0
    this.endProbe()
  }

  /** The probe came to nothing: the next call in line takes its place. */
  endProbe(): void {
    this.#probing = false
  }

  /** How long a released call waits, so that the held ones do not arrive together. */
  spreadMs(random: () => number): number {
    return random() * Math.min(spreadLimitMs, spreadRatio * this.#pausedMs)
  }
}
