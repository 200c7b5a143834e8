import type { Body, Bytes, Source } from '../types/body.ts'
import { SharedBody } from './shared-body.ts'

/** One of those a content is shared by, as far as the content has to know. */
export interface Reader {
  /** Most bytes that it takes; beyond them it fails with {@link Reader.tooMuch}. */
  readonly maxBytes: number
  /** Milliseconds that others wait for it to read on; then it fails with {@link Reader.tooSlow}. */
  readonly patienceMs: number
  /** The content once more and for it alone; what it throws is what the body fails with. */
  again(): Promise<Body>
  /** A failure of the content as this reader is to see it. */
  told(error: unknown): unknown
  tooMuch(): unknown
  tooSlow(): unknown
  /** It has everything, or left. */
  left(): void
}

/** What a share is a part of. */
interface Whole {
  /** Whether its source minds its silence. */
  readonly minded: boolean
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
  /** What it reads alone, once the others went on without it. */
  #own: Body | undefined
  #isApart = false
  /** Whether it took something since this was last set. */
  hasRead = false
  /** Since when others wait for it, in monotonic milliseconds. */
  lateMs: number | undefined

  constructor(reader: Reader, whole: Whole) {
    this.reader = reader
    this.#whole = whole
    this.body = new SharedBody(this)
  }

  get minded(): boolean {
    return this.#whole.minded
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
    this.#own?.resume()
    this.#drain()
    this.#whole.move()
  }

  /** Somebody began to read. */
  begin(): void {
    this.hasRead = true
    if (this.#isApart) void this.#readAlone()
    else this.#whole.move()
  }

  /** The reader left. */
  abort(reason: unknown): void {
    this.#own?.cancel(reason)
    this.#clear()
    this.#leave(reason)
  }

  /** The others go on without it; should it be read in the end, that is from the start. */
  setApart(): void {
    this.#isApart = true
    this.#clear()
    this.body.forgetUnread()
    this.#leave(undefined)
  }

  async #readAlone(): Promise<void> {
    const { body } = this
    try {
      const own = await this.reader.again()
      if (body.done) own.cancel(undefined)
      else {
        this.#own = own
        own.attach({ write: (part) => body.write(part), end: () => body.end(), fail: (error) => body.fail(error) })
      }
    } catch (error) {
      body.fail(error)
    }
  }

  #clear(): void {
    this.#queue.length = 0
    this.#queuedBytes = 0
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
