import type { Clock } from './clock.ts'

type Listener = (reason: unknown) => void

/**
 * The one way to stop an exchange or an attempt: by the caller's signal, by a time limit, by its parent.
 * Cheaper than an AbortController, which is made only for transports that ask for a signal.
 */
export class Cancellation {
  #cancelled = false
  #reason: unknown
  #controller: AbortController | undefined
  readonly #listeners = new Set<Listener>()
  readonly #ties: (() => void)[] = []

  get cancelled(): boolean {
    return this.#cancelled
  }

  /** Why it was cancelled: the caller's own reason, or one of our errors. */
  get reason(): unknown {
    return this.#reason
  }

  /** The same cancellation as an AbortSignal, made on first use. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#cancelled) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  cancel(reason: unknown): void {
    if (this.#cancelled) return
    this.#cancelled = true
    this.#reason = reason
    this.untie()
    this.#controller?.abort(reason)
    for (const listener of this.#listeners) listener(reason)
    this.#listeners.clear()
  }

  /** Calls `listener` when cancelled, at once if that has happened; returns how to stop listening. */
  onCancel(listener: Listener): () => void {
    if (this.#cancelled) {
      listener(this.#reason)
      return () => {}
    }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Is cancelled when `parent` is, until untied. */
  followParent(parent: Cancellation): void {
    this.tie(parent.onCancel((reason) => this.cancel(reason)))
  }

  /** Is cancelled with the reason of `signal`, until untied. */
  followSignal(signal: AbortSignal): void {
    if (signal.aborted) {
      this.cancel(signal.reason)
      return
    }
    const onAbort = (): void => this.cancel(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    this.tie(() => signal.removeEventListener('abort', onAbort))
  }

  /** Keeps `release` to be called once by {@link untie}: a timer to clear, a listener to remove. */
  tie(release: () => void): void {
    if (this.#cancelled) release()
    else this.#ties.push(release)
  }

  /** Lets go of everything that could still cancel it. */
  untie(): void {
    for (const release of this.#ties.splice(0)) release()
  }
}

/** Waits `ms` on the clock; resolves to false as soon as the cancellation fires. */
export function wait(clock: Clock, ms: number, cancellation: Cancellation): Promise<boolean> {
  if (cancellation.cancelled) return Promise.resolve(false)
  return new Promise((resolve) => {
    const stopTimer = clock.after(ms, () => {
      stopListening()
      resolve(true)
    })
    const stopListening = cancellation.onCancel(() => {
      stopTimer()
      resolve(false)
    })
  })
}
