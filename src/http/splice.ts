import { NetworkError } from '../errors/failures.ts'
import type { Body, Bytes, Sink, Source } from '../types/body.ts'
import type { CallFacts } from '../types/exchange.ts'
import { WireBody } from './body.ts'
import type { Stretch } from './partial.ts'

/** Who provides the parts of a body that is spliced. */
export interface Supplier {
  /** The part under way failed, or ended before the whole had come; told once somebody wants to read on. */
  broken(error: unknown): void
  /** No further part is wanted, and the one under way is to be cancelled. */
  over(reason: unknown): void
  /** The call, for an error. */
  facts(): CallFacts
}

/** One body made of several that follow one another: each byte of the representation once, in order, or a failure. */
export class Splice implements Sink, Source {
  /** A silent connection ends a part, and each part has its own watcher. */
  readonly minded: boolean = true
  readonly body: Body = new WireBody(this)
  readonly #supplier: Supplier
  #takenBytes = 0
  #completeBytes: number | undefined
  #part: Body | undefined
  /** Where in the representation the next byte of the part belongs, and where the part ends. */
  #atBytes = 0
  #untilBytes = 0
  #wanted = true
  #broken: { readonly error: unknown } | undefined

  constructor(supplier: Supplier) {
    this.#supplier = supplier
  }

  /** The bytes that were passed on. */
  get takenBytes(): number {
    return this.#takenBytes
  }

  /** Takes the content of this part; of the bytes that were passed on before, none is passed on again. */
  join(part: Body, { fromBytes, untilBytes, completeBytes }: Stretch): void {
    this.#part = part
    this.#atBytes = fromBytes
    this.#untilBytes = untilBytes
    this.#completeBytes = completeBytes
    part.attach(this)
  }

  write(bytes: Bytes): boolean {
    if (this.body.done) return true
    const fromBytes = this.#atBytes
    this.#atBytes += bytes.byteLength
    if (this.#atBytes > this.#untilBytes) {
      this.#refuse('the content is longer than was told')
      return true
    }
    if (this.#atBytes <= this.#takenBytes) return true
    const fresh = fromBytes < this.#takenBytes ? bytes.subarray(this.#takenBytes - fromBytes) : bytes
    this.#takenBytes = this.#atBytes
    return this.body.write(fresh)
  }

  end(): void {
    const isShort = this.#atBytes < (this.#untilBytes === Infinity ? this.#takenBytes : this.#untilBytes)
    if (!isShort && (this.#completeBytes ?? this.#takenBytes) === this.#takenBytes) this.finish()
    else this.fail(new NetworkError('truncated', 'maybe', 'the content ended early', this.#supplier.facts()))
  }

  fail(error: unknown): void {
    this.#part = undefined
    if (this.body.done) return
    if (this.#wanted) this.#supplier.broken(error)
    else this.#broken = { error }
  }

  /** Everything has come. */
  finish(): void {
    this.#part = undefined
    this.body.end()
    this.#supplier.over(undefined)
  }

  pause(): void {
    this.#wanted = false
  }

  resume(): void {
    this.#wanted = true
    const broken = this.#broken
    this.#broken = undefined
    if (broken === undefined) this.#part?.resume()
    else this.#supplier.broken(broken.error)
  }

  abort(reason: unknown): void {
    this.#part = undefined
    this.#broken = undefined
    this.#supplier.over(reason)
  }

  #refuse(summary: string): void {
    this.body.cancel(new NetworkError('protocol', 'maybe', summary, this.#supplier.facts()))
  }
}
