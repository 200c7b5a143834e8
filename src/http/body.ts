import type { Body, Bytes, Sink, Source, Watcher } from '../types/body.ts'
import { deafToFlow } from './watchers.ts'

/** How much may wait unread before the source is paused; a shorter body ends, and frees its connection, unread. */
const highWaterBytes = 131_072

/**
 * A body on its way. Parts wait here until a sink is attached and go straight through afterwards; the source is paused
 * while enough is waiting.
 */
export class WireBody implements Body {
  #source: Source | undefined
  #parts: Bytes[] | undefined
  #waitingBytes = 0
  #sink: Sink | undefined
  #watcher: Watcher | undefined
  #paused = false
  #done = false
  #failure: { readonly error: unknown } | undefined

  constructor(source: Source) {
    this.#source = source
  }

  get done(): boolean {
    return this.#done
  }

  get minded(): boolean {
    return this.#source?.minded === true
  }

  write(part: Bytes): boolean {
    if (this.#done) return true
    const wantsMore = this.#sink === undefined ? this.#keep(part) : this.#sink.write(part)
    if (wantsMore) this.#watcher?.flowing()
    else this.#pause()
    return wantsMore
  }

  end(): void {
    if (this.#done) return
    const sink = this.#sink
    this.#close()
    sink?.end()
  }

  fail(error: unknown): void {
    if (this.#done) return
    this.#failure = { error }
    const sink = this.#sink
    this.#close()
    sink?.fail(this.#shown(error))
  }

  takeAll(): readonly Bytes[] | undefined {
    if (!this.#done || this.#failure !== undefined) return undefined
    const parts = this.#parts ?? []
    this.#parts = undefined
    return parts
  }

  attach(sink: Sink): void {
    if (!this.#done) this.#sink = sink
    if (sink.looksOn !== true) this.begun()
    const parts = this.#parts
    this.#parts = undefined
    let wantsMore = true
    if (parts !== undefined) for (const part of parts) wantsMore = sink.write(part)
    if (this.#failure !== undefined) sink.fail(this.#shown(this.#failure.error))
    else if (this.#done) sink.end()
    else if (wantsMore) this.resume()
    else this.#pause()
  }

  begun(): void {
    this.#source?.begun?.()
  }

  resume(): void {
    if (!this.#paused || this.#done) return
    this.#paused = false
    this.#watcher?.flowing()
    this.#source?.resume()
  }

  cancel(reason: unknown): void {
    if (this.#done) return
    const source = this.#source
    this.#parts = undefined
    this.fail(reason)
    source?.abort(reason)
  }

  watch(given: Watcher): void {
    const watcher = this.minded ? deafToFlow(given) : given
    this.#watcher = watcher
    if (this.#done) watcher.ended(this.#failure?.error)
    else if (!this.#paused) watcher.flowing()
  }

  /** Lets go of what nobody has read, for its source begins anew. */
  forget(): void {
    this.#parts = undefined
    this.#waitingBytes = 0
    this.#sink?.anew?.()
  }

  #shown(error: unknown): unknown {
    return this.#watcher === undefined ? error : this.#watcher.shown(error)
  }

  #keep(part: Bytes): boolean {
    if (this.#parts === undefined) this.#parts = [part]
    else this.#parts.push(part)
    this.#waitingBytes += part.byteLength
    return this.#waitingBytes < highWaterBytes
  }

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#watcher?.resting()
    this.#source?.pause()
  }

  #close(): void {
    this.#done = true
    this.#source = undefined
    // A sink holds what it took: a response that was read is not to keep its content.
    this.#sink = undefined
    this.#watcher?.ended(this.#failure?.error)
  }
}
