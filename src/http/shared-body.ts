import type { Bytes, Sink, Source, Watcher } from '../types/body.ts'
import { WireBody } from './body.ts'

/** What it is fed by. */
interface Feeder extends Source {
  /** Whether it would take the next part at once. */
  readonly isHungry: boolean
  /** Somebody began to read. */
  begin(): void
}

/** A body that knows how much of it waits unread, and when it waits for other readers. */
export class SharedBody extends WireBody {
  readonly #share: Feeder
  #watcher: Watcher | undefined
  isRead = false
  #isHeld = false
  unreadBytes = 0

  constructor(share: Feeder) {
    super(share)
    this.#share = share
  }

  override write(part: Bytes): boolean {
    if (!this.isRead) this.unreadBytes += part.byteLength
    return super.write(part)
  }

  override attach(sink: Sink): void {
    if (sink.looksOn !== true) this.#read()
    super.attach(sink)
    if (sink.looksOn !== true) this.#share.begin()
  }

  /** That of what looks on: what it took until now was read by nobody. */
  override begun(): void {
    if (this.isRead) return
    this.#read()
    this.#share.begin()
  }

  override watch(watcher: Watcher): void {
    if (!this.minded) this.#watcher = watcher
    super.watch(watcher)
    if (this.#isHeld && !this.done) this.#watcher?.resting()
  }

  #read(): void {
    this.isRead = true
    this.unreadBytes = 0
  }

  /** Nobody has read it, and what it holds is not kept. */
  forgetUnread(): void {
    this.unreadBytes = 0
    this.forget()
    this.hold(true)
  }

  /** Silence is not the fault of the origin while it is held. */
  hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld || this.done) return
    this.#isHeld = isHeld
    if (isHeld) this.#watcher?.resting()
    else if (this.#share.isHungry) this.#watcher?.flowing()
  }
}
