import type { PauseOptions } from '../types/policy.ts'
import { WaitingRoom } from '../waiting-room.ts'
import { backoffMs, jittered, retryDefaults } from './backoff.ts'
import { Pace } from './pace.ts'

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
export type Admission = 'go' | 'probe' | 'wait'

/** That a held call may go, and how often the gate had been closed by then: it may be closed again before the call goes. */
export interface Turn {
  readonly probe: boolean
  readonly closing: number
}

/**
 * The gate of one origin. A response that asks for a pause closes it; when the pause is over one call goes first as a
 * probe, and its answer opens the gate for the others, at the origin's pace, or closes it again. Holds state and
 * decides; waits for nothing.
 */
export class Gate {
  #openAtMs = Number.NEGATIVE_INFINITY
  #pausedMs = 0
  #awaitingProbe = false
  #probing = false
  #paced = false
  #newestFirst = false
  #strikes = 0
  #closings = 0
  #status = 0
  readonly #pace = new Pace()
  /** Calls held back at this moment. */
  readonly room: WaitingRoom<Turn> = new WaitingRoom()

  /** Whether a pause is on, its probe is still due, or calls are held. */
  get busy(): boolean {
    return this.#awaitingProbe || this.room.size > 0
  }

  /** Whether nothing is the matter: no pause is on, none was asked for by the latest answers, all calls go at once. */
  get quiet(): boolean {
    return !this.#awaitingProbe && !this.#paced && this.#strikes === 0
  }

  /** Whether a call would have to wait now: for the end of the pause, or for the answer to the probe. */
  holds(nowMs: number): boolean {
    return nowMs < this.#openAtMs || (this.#awaitingProbe && this.#probing)
  }

  /** The status that closed it last. */
  get status(): number {
    return this.#status
  }

  /** How often it has been closed; a response to a request sent before the last closing is old news. */
  get closings(): number {
    return this.#closings
  }

  /** Counts a call that passes while all is quiet, and so has nothing to ask. */
  pass(nowMs: number): void {
    this.#pace.count(nowMs)
  }

  /** What the next call must do; `waiting` tells whether it stands for all those that are held. */
  admit(nowMs: number, random: () => number, waiting: boolean): Admission {
    if (nowMs < this.#openAtMs || this.#probing || (this.#paced && !this.#inPace(nowMs, random, waiting))) return 'wait'
    this.#pace.count(nowMs)
    this.#probing = this.#awaitingProbe
    return this.#probing ? 'probe' : 'go'
  }

  /** Monotonic milliseconds at which the next held call may go; Infinity while its probe is under way. */
  dueMs(nowMs: number): number {
    if (nowMs < this.#openAtMs) return this.#openAtMs
    return this.#probing ? Infinity : this.#paced ? this.#pace.dueMs(nowMs) : nowMs
  }

  /**
   * Whether the newest of the held calls goes first. The order of arrival is kept while all of them will soon be gone;
   * beyond that the oldest have mostly been given up by those who asked, and would only make the others late, too.
   */
  get newestFirst(): boolean {
    if (this.room.size <= 1) this.#newestFirst = false
    else if (this.#paced && !this.#pace.orderly(this.room.size)) this.#newestFirst = true
    return this.#newestFirst
  }

  /** Milliseconds until the pause is over. */
  remainingMs(nowMs: number): number {
    return Math.max(0, this.#openAtMs - nowMs)
  }

  /**
   * Closes the gate: for as long as the origin asked, but not beyond `maxWaitMs`, so that one answer with a Retry-After
   * of a day does not cut the service off for a day; else for a back-off that grows while its answers stay the same.
   */
  close({ status, askedMs, sentAtClosing, policy }: PauseRequest, nowMs: number, random: () => number): void {
    const oldNews = sentAtClosing !== this.#closings
    if (oldNews && askedMs === undefined) return
    const { maxWaitMs = retryDefaults.maxWaitMs } = policy
    const boundMs = askedMs === undefined ? 0 : Math.min(askedMs, maxWaitMs)
    // Of many answers that ask for the same, the one with the longest jitter is not to count.
    if (oldNews && nowMs + boundMs <= this.#openAtMs) return
    if (!oldNews) this.#strikes += 1
    const waitMs = askedMs === undefined ? backoffMs(this.#strikes, policy, random) : jittered(boundMs, random)
    this.#openAtMs = nowMs + waitMs
    this.#pausedMs = waitMs
    if (!oldNews && this.#paced) this.#pace.learn(this.#openAtMs)
    else if (!oldNews && !this.#awaitingProbe) this.#pace.guess(nowMs, waitMs)
    this.#status = status
    this.#awaitingProbe = true
    this.#paced = false
    this.#closings += 1
    this.endProbe()
  }

  /** An answer that asks for no pause opens the gate, unless it is older than the closing, or a pause is on; tells whether one is over. */
  open(sentAtClosing: number, nowMs: number): boolean {
    if (sentAtClosing !== this.#closings || nowMs < this.#openAtMs) return false
    const hasEnded = this.#awaitingProbe
    this.#pace.passed()
    if (this.#awaitingProbe) {
      this.#pace.open(nowMs, this.#openAtMs, this.#pausedMs)
      this.#paced = true
    }
    this.#awaitingProbe = false
    this.#strikes = 0
    this.endProbe()
    this.#rest(nowMs)
    return hasEnded
  }

  /** The probe came to nothing: the next call in line takes its place. */
  endProbe(): void {
    this.#probing = false
  }

  #inPace(nowMs: number, random: () => number, waiting: boolean): boolean {
    return this.#rest(nowMs) || this.#pace.take(nowMs, random, waiting)
  }

  /** Whether the pace is not needed any more. */
  #rest(nowMs: number): boolean {
    if (this.#paced && this.room.size === 0 && this.#pace.idle(nowMs)) this.#paced = false
    return !this.#paced
  }
}
