/** A body whose parts come when the test says so; what comes after it was cancelled is lost. */
export interface Arriving {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>
  /** Whether nobody wants the rest. */
  readonly cancelled: boolean
  part(text: string): void
  end(): void
  fail(error: Error): void
}

/** Makes one; `onCancel` is told when nobody wants the rest. */
export function arriving(onCancel: () => void = () => {}): Arriving {
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined
  let cancelled = false
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(made) {
      controller = made
    },
    cancel() {
      cancelled = true
      onCancel()
      controller = undefined
    },
  })
  return {
    body,
    get cancelled() {
      return cancelled
    },
    part: (text) => controller?.enqueue(new TextEncoder().encode(text)),
    end: () => controller?.close(),
    fail: (error) => controller?.error(error),
  }
}
