import type { Transform } from 'node:stream'
import { BodyError } from '../errors/body-error.ts'
import { WireBody } from '../http/body.ts'
import type { Body, Bytes, Sink, Source } from '../types/body.ts'
import type { Attempt } from '../types/exchange.ts'
import { codingsOf, decoderOf, isKnownCoding } from './codings.ts'

/** Most codings one after the other; each can blow its input up by a factor of a thousand. */
export const maxCodings = 5
/** Content that grows by more than this ratio is no content but an attack, once it has grown beyond the grace. */
const maxGrowthRatio = 250
const growthGraceBytes = 8_388_608

/** A body and where its coded parts go in. */
export interface Decoding {
  readonly input: Sink
  readonly body: Body
}

/**
 * A body without its content codings (RFC 9110 §8.4); one with an unknown coding stays as it is, as fetch leaves it.
 * Undefined when there are more codings than can be good.
 */
export function decoding(wire: Source, contentEncoding: string, attempt: Attempt): Decoding | undefined {
  const codings = codingsOf(contentEncoding)
  const known = codings.every(isKnownCoding)
  if (known && codings.length > maxCodings) return undefined
  let source = wire
  let input: Sink | undefined
  for (const coding of known ? [...codings].reverse() : []) {
    const unpacking: Unpacking = new Unpacking(source, coding, attempt)
    if (source instanceof Unpacking) source.sink = unpacking
    input ??= unpacking
    source = unpacking
  }
  const body = new WireBody(source)
  if (source instanceof Unpacking) source.sink = body
  return { input: input ?? body, body }
}

const nowhere: Sink = { write: () => true, end() {}, fail() {} }

/** Takes one coding off: coded parts go in, decoded ones go to its sink, as fast as that takes them. */
class Unpacking implements Sink, Source {
  sink: Sink = nowhere
  readonly #source: Source
  readonly #coding: string
  readonly #attempt: Attempt
  #decoder: Transform | undefined
  #codedBytes = 0
  #decodedBytes = 0
  #over = false
  /** Whether the coded content has come to its end, and whether what brought it has. */
  #isDecoded = false
  #isEnded = false

  constructor(source: Source, coding: string, attempt: Attempt) {
    this.#source = source
    this.#coding = coding
    this.#attempt = attempt
  }

  write(part: Bytes): boolean {
    if (this.#over) return true
    if (this.#isDecoded) return this.#endEarly()
    this.#decoder ??= this.#start(part[0] ?? 0)
    this.#codedBytes += part.byteLength
    const wantsMore = this.#decoder.write(part)
    if (!wantsMore) this.#source.pause()
    return wantsMore
  }

  /** Content of no bytes at all is taken as it is, in whatever coding. */
  end(): void {
    this.#isEnded = true
    if (this.#decoder === undefined || this.#isDecoded) this.sink.end()
    else this.#decoder.end()
  }

  fail(error: unknown): void {
    if (this.#over) return
    this.#stop()
    this.sink.fail(error)
  }

  pause(): void {
    this.#decoder?.pause()
  }

  resume(): void {
    this.#decoder?.resume()
  }

  abort(reason: unknown): void {
    this.#stop()
    this.#source.abort(reason)
  }

  #start(firstByte: number): Transform {
    const decoder = decoderOf(this.#coding, firstByte)
    decoder.on('data', (part: Bytes) => this.#pass(part))
    decoder.on('drain', () => this.#source.resume())
    decoder.on('end', () => this.#finish())
    decoder.on('error', (cause) => {
      this.#refuse(new BodyError('decode', `the content is no valid ${this.#coding}`, this.#attempt.facts(), cause))
    })
    return decoder
  }

  /** What comes behind the coded content is none, and might have no end of its own. */
  #endEarly(): true {
    this.#over = true
    this.sink.end()
    this.#source.abort(undefined)
    return true
  }

  /** Content is whole only once what brought it is: it may have been cut short, or a coding around this one may be broken. */
  #finish(): void {
    this.#isDecoded = true
    if (this.#isEnded) this.sink.end()
    // A decoder that has come to its end asks for nothing more.
    else this.#source.resume()
  }

  #pass(part: Bytes): void {
    if (this.#over) return
    this.#decodedBytes += part.byteLength
    const { maxDecodedBytes } = this.#attempt
    if (maxDecodedBytes !== false && this.#decodedBytes > maxDecodedBytes) {
      const summary = `the decoded content is larger than ${maxDecodedBytes} bytes`
      this.#refuse(new BodyError('too large', summary, this.#attempt.facts()))
    } else if (maxDecodedBytes !== false && this.#growsTooMuch()) {
      const summary = `the content grows by more than ${maxGrowthRatio} times when decoded`
      this.#refuse(new BodyError('too large', summary, this.#attempt.facts()))
    } else this.sink.write(part)
  }

  #growsTooMuch(): boolean {
    return this.#decodedBytes > growthGraceBytes && this.#decodedBytes > maxGrowthRatio * this.#codedBytes
  }

  #refuse(error: BodyError): void {
    if (this.#over) return
    this.abort(error)
    this.sink.fail(error)
  }

  #stop(): void {
    this.#over = true
    this.#decoder?.destroy()
  }
}
