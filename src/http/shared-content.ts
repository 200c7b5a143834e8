import type { Clock } from '../clock.ts'
import type { Body, Bytes, Sink } from '../types/body.ts'
import { type Reader, Share } from './share.ts'

/** Milliseconds that others wait for one to begin to read. */
const unreadPatienceMs = 50

/**
 * One content for several readers, each of which reads at its own pace. It is read at the pace of the fastest, but never
 * more than `maxBytes`, and the part that went beyond, ahead of the slowest: parts are kept once, by reference.
 */
export class SharedContent implements Sink {
  readonly #source: Body
  readonly #maxBytes: number
  readonly #clock: Clock
  readonly #onOver: () => void
  readonly #shares = new Set<Share>()
  /** Everything so far, while that is not more than may be kept anyway. */
  #history: Bytes[] | undefined = []
  #totalBytes = 0
  #writing = false
  #stopped = false
  #stopTimer: (() => void) | undefined
  #over = false

  constructor(source: Body, maxBytes: number, clock: Clock, onOver: () => void) {
    this.#source = source
    this.#maxBytes = maxBytes
    this.#clock = clock
    this.#onOver = onOver
  }

  get minded(): boolean {
    return this.#source.minded
  }

  /** Whether one who comes now can still get everything. */
  get admits(): boolean {
    return this.#history !== undefined && !this.#over
  }

  /** How much is kept for those who read it later, or come later. */
  get keptBytes(): number {
    return Math.max(this.#lagBytes, this.#history === undefined ? 0 : this.#totalBytes)
  }

  /** Begins to read, for the readers it has by now. */
  start(): void {
    this.#source.attach(this)
  }

  /** The body of one more reader. */
  add(reader: Reader): Body {
    const share = new Share(reader, this)
    this.#shares.add(share)
    for (const part of this.#history ?? []) share.take(part)
    this.move()
    return share.body
  }

  write(part: Bytes): boolean {
    this.#totalBytes += part.byteLength
    if (this.#totalBytes > this.#maxBytes) this.#history = undefined
    this.#history?.push(part)
    this.#writing = true
    for (const share of [...this.#shares]) share.take(part)
    this.#writing = false
    const flows = this.#flows()
    this.#stopped = !flows
    return flows
  }

  end(): void {
    this.#end(undefined)
  }

  fail(error: unknown): void {
    this.#end({ error })
  }

  /** Goes on, where a reader made that possible. */
  move(): void {
    if (this.#over || this.#writing || !this.#stopped || !this.#flows()) return
    this.#stopped = false
    this.#source.resume()
  }

  /** A reader is gone; the last one takes the source along. */
  remove(share: Share, reason: unknown): void {
    if (!this.#shares.delete(share) || this.#over) return
    if (this.#shares.size > 0) this.move()
    else this.#source.cancel(reason)
  }

  get #lagBytes(): number {
    let lag = 0
    for (const { lagBytes } of this.#shares) if (lagBytes > lag) lag = lagBytes
    return lag
  }

  /** Whether somebody wants more, and nobody is too far behind. */
  #flows(): boolean {
    const late = [...this.#shares].filter((share) => this.#isLate(share))
    for (const share of this.#shares) share.hold(late.length > 0)
    const isWaitedFor = late.length > 0 && [...this.#shares].some(({ isHungry, lagBytes }) => isHungry && lagBytes === 0)
    if (!isWaitedFor) this.#disarm()
    else if (this.#stopTimer === undefined) this.#arm(late)
    return late.length === 0 && [...this.#shares].some(({ isHungry }) => isHungry)
  }

  #isLate({ lagBytes }: Share): boolean {
    return lagBytes > 0 && lagBytes >= this.#maxBytes
  }

  /** Those who are too far behind are waited for while they read on at all, those who have not begun for a moment. */
  #arm(late: readonly Share[]): void {
    const nowMs = this.#clock.now()
    for (const share of late) {
      if (share.hasRead || share.lateMs === undefined) share.lateMs = nowMs
      share.hasRead = false
    }
    const dueMs = Math.min(...late.map(dueMsOf))
    this.#stopTimer = this.#clock.after(Math.max(0, dueMs - nowMs), () => {
      this.#stopTimer = undefined
      for (const share of late) if (!share.hasRead && dueMsOf(share) <= dueMs) letGo(share)
      this.move()
    })
  }

  #disarm(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    for (const share of this.#shares) share.lateMs = undefined
  }

  #end(failure: { readonly error: unknown } | undefined): void {
    this.#over = true
    this.#history = undefined
    this.#disarm()
    for (const share of [...this.#shares]) {
      share.hold(false)
      share.end(failure)
    }
    this.#onOver()
  }
}

function dueMsOf({ lateMs = Infinity, body, reader }: Share): number {
  return lateMs + (body.isRead ? reader.patienceMs : unreadPatienceMs)
}

/** What nobody has read a byte of can be had anew; who has read a part would get one that does not fit. */
function letGo(share: Share): void {
  if (share.body.isRead) share.body.cancel(share.reader.tooSlow())
  else share.setApart()
}
