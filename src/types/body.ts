/** Bytes in memory of their own. */
export type Bytes = Uint8Array<ArrayBuffer>

/** What delivers a body: a connection, or a stream. */
export interface Source {
  pause(): void
  resume(): void
  /** The rest is not wanted. */
  abort(reason: unknown): void
  /** Whether it minds its own silence, and does something about it: then that is no matter of whoever watches the body. */
  readonly minded?: boolean
  /** Somebody began to read, who takes it all from here. */
  begun?(): void
}

/** What takes a body, part by part. */
export interface Sink {
  /** Takes the next part; false when enough is waiting, until the source is resumed. */
  write(part: Bytes): boolean
  end(): void
  fail(error: unknown): void
  /** Whether it only looks on: that it takes parts does not mean that anybody reads them. */
  readonly looksOn?: boolean
  /** What it took is void: everything comes once more, from the start. Only what looks on is told so. */
  anew?(): void
}

/** Who wants to know how a body is getting on. */
export interface Watcher {
  /** An error as the reader is to see it. */
  shown(error: unknown): unknown
  /** A part has come, or its flow goes on after a pause. */
  flowing(): void
  /** The caller takes it as a stream. */
  streaming(): void
  /** No part is expected: enough is waiting to be read. */
  resting(): void
  /** The body has ended; with a reason, it failed or was cancelled. */
  ended(reason?: unknown): void
}

/** The body of a response between its connection and its reader: whoever reads it attaches a sink. */
export interface Body extends Sink {
  /** Whether everything has come, or nothing more will. */
  readonly done: boolean
  /** Whether its source minds its silence. */
  readonly minded: boolean
  /** Everything, if it is there and nobody has taken it; else undefined. */
  takeAll(): readonly Bytes[] | undefined
  /** Gives what has come, and everything that comes, to `sink`; once only. */
  attach(sink: Sink): void
  /** Somebody began to read what comes of it. */
  begun(): void
  resume(): void
  /** The rest is not wanted; a sink that waits fails with the reason. */
  cancel(reason: unknown): void
  watch(watcher: Watcher): void
}
