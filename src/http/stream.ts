import type { Body, Bytes, Sink } from '../types/body.ts'
import type { ByteStream } from '../types/exchange.ts'
import { WireBody } from './body.ts'

/** How much a stream reads ahead of its consumer. */
const highWaterMark = 65_536

const nothing = (): void => {}

/** Passes a body on to a byte stream; the Streams standard §4.7 says what a source owes its controller. */
class StreamSink implements Sink {
  readonly #controller: ReadableByteStreamController

  constructor(controller: ReadableByteStreamController) {
    this.#controller = controller
  }

  /** A copy, for the stream takes the memory of a part away, which others may share. */
  write(part: Bytes): boolean {
    if (part.byteLength > 0) this.#controller.enqueue(new Uint8Array(part))
    return (this.#controller.desiredSize ?? 0) > 0
  }

  end(): void {
    try {
      this.#controller.close()
    } catch {
      // A reader asked for elements of several bytes and got half of one: the stream has failed by itself.
      return
    }
    // A reader with a buffer of its own gets it back empty, Streams standard §4.7.4.
    ;(this.#controller.byobRequest as unknown as ReadableStreamBYOBRequest | null)?.respond(0)
  }

  fail(error: unknown): void {
    this.#controller.error(error)
  }
}

/** The body as the byte stream of a Response. */
export function streamOf(body: Body): ByteStream {
  const stream = new ReadableStream(
    {
      type: 'bytes',
      start: (controller) => body.attach(new StreamSink(controller)),
      pull: () => body.resume(),
      cancel: (reason) => body.cancel(reason),
    },
    { highWaterMark },
  )
  return stream as ByteStream
}

/** Reads a stream only as fast as its body is read. */
class Pump {
  readonly #reader: ReadableStreamDefaultReader<Bytes>
  readonly body: Body
  readonly #told: ((error: unknown) => unknown) | undefined
  #wanted = false
  #reading = false

  constructor(stream: ByteStream, told: ((error: unknown) => unknown) | undefined) {
    this.#told = told
    this.#reader = stream.getReader()
    this.body = new WireBody(this)
    this.resume()
  }

  pause(): void {
    this.#wanted = false
  }

  resume(): void {
    this.#wanted = true
    if (!this.#reading) this.#run().catch(nothing)
  }

  abort(reason: unknown): void {
    this.#wanted = false
    this.#reader.cancel(reason).catch(nothing)
  }

  async #run(): Promise<void> {
    this.#reading = true
    try {
      while (this.#wanted && !this.body.done) {
        const { done, value } = await this.#reader.read()
        if (done) this.body.end()
        else if (value instanceof Uint8Array) this.body.write(value)
        else this.body.cancel(new TypeError('the body is a stream of something other than Uint8Array'))
      }
    } catch (error) {
      this.body.fail(this.#told === undefined ? error : this.#told(error))
    }
    this.#reading = false
  }
}

/** A stream as a body; `told` says what its failure is told as. */
export function bodyOf(stream: ByteStream, told?: (error: unknown) => unknown): Body {
  return new Pump(stream, told).body
}
