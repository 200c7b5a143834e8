import type { Bytes, Sink, Source, Watcher } from '../types/body.ts'
import { WireBody } from './body.ts'

/** One of those a content is shared by, as far as the content has to know. */
export interface Reader {
  /** Most bytes that it takes; beyond them it fails with {@link Reader.tooMuch}. */
  readonly maxBytes: number
  /** Milliseconds that others wait for it to read on; then it fails with {@link Reader.tooSlow}. */
  readonly patienceMs: number
  /** A failure of the content as this reader is to see it. */
  told(error: unknown): unknown
  tooMuch(): unknown
  tooSlow(): unknown
  /** It has everything, or left. */
  left(): void
}

/** What a share is a part of. */
interface Whole {
  /** The share can take more, or holds nothing up any more. */
  move(): void
  remove(share: Share, reason: unknown): void
}

/** What one reader of a shared content has not taken yet, and its body. */
export class Share implements Source {
  readonly reader: Reader
  readonly body: SharedBody
  readonly #whole: Whole
  readonly #queue: Bytes[] = []
  #queuedBytes = 0
  #takenBytes = 0
  #wants = true
  #draining = false
  #end: { readonly failure?: { readonly error: unknown } } | undefined
  /** Whether it took something since this was last set. */
  hasRead = false

  constructor(reader: Reader, whole: Whole) {
    this.reader = reader
    this.#whole = whole
    this.body = new SharedBody(this)
  }

  /** How much has come that it has not taken. */
  get lagBytes(): number {
    return this.#queuedBytes + this.body.unreadBytes
  }

  /** Whether it would take the next part at once. */
  get isHungry(): boolean {
    return this.#wants && this.#queue.length === 0
  }

  take(part: Bytes): void {
    this.#queue.push(part)
    this.#queuedBytes += part.byteLength
    this.#drain()
  }

  end(failure?: { readonly error: unknown }): void {
    this.#end = failure === undefined ? {} : { failure }
    this.#drain()
  }

  /** Nothing comes for now, because others read slower. */
  hold(isHeld: boolean): void {
    this.body.hold(isHeld && this.isHungry)
  }

  pause(): void {
    this.#wants = false
  }

  resume(): void {
    this.#wants = true
    this.#drain()
    this.#whole.move()
  }

  /** Somebody began to read. */
  begin(): void {
    this.hasRead = true
    this.#whole.move()
  }

  /** The reader left. */
  abort(reason: unknown): void {
    this.#queue.length = 0
    this.#queuedBytes = 0
    this.#wants = false
    this.#leave(reason)
  }

  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    while (this.#wants && this.#queue.length > 0) this.#give(this.#queue.shift() as Bytes)
    this.#draining = false
    if (this.#end === undefined || this.#queue.length > 0 || this.body.done) return
    this.#leave(undefined)
    const { failure } = this.#end
    if (failure === undefined) this.body.end()
    else this.body.fail(this.reader.told(failure.error))
  }

  #give(part: Bytes): void {
    this.hasRead = true
    this.#queuedBytes -= part.byteLength
    this.#takenBytes += part.byteLength
    if (this.#takenBytes > this.reader.maxBytes) this.body.cancel(this.reader.tooMuch())
    else this.body.write(part)
  }

  #leave(reason: unknown): void {
    this.#whole.remove(this, reason)
    this.reader.left()
  }
}

/** A body that knows how much of it waits unread, and when it waits for other readers. */
class SharedBody extends WireBody {
  readonly #share: Share
  #watcher: Watcher | undefined
  #isRead = false
  #isHeld = false
  unreadBytes = 0

  constructor(share: Share) {
    super(share)
    this.#share = share
  }

  override write(part: Bytes): boolean {
    if (!this.#isRead) this.unreadBytes += part.byteLength
    return super.write(part)
  }

  override attach(sink: Sink): void {
    this.#isRead = true
    this.unreadBytes = 0
    super.attach(sink)
    this.#share.begin()
  }

  override cancel(reason: unknown): void {
    this.unreadBytes = 0
    super.cancel(reason)
  }

  override watch(watcher: Watcher): void {
    this.#watcher = watcher
    super.watch(watcher)
    if (this.#isHeld && !this.done) watcher.resting()
  }

  /** Silence is not the fault of the origin while it is held. */
  hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld || this.done) return
    this.#isHeld = isHeld
    if (isHeld) this.#watcher?.resting()
    else if (this.#share.isHungry) this.#watcher?.flowing()
  }
}
