import type { Clock } from './clock.ts'

/** Whatever is stopped when that which it belongs to is cancelled. */
export interface Cancellable {
  cancel(reason: unknown): void
}

/**
 * The one way to stop an exchange or an attempt: by the caller's signal, by a time limit, by what it belongs to.
 * Cheaper than an AbortController, which is made only for transports that ask for a signal. Most have one member at a
 * time, so a set is made only for a second one.
 */
export class Cancellation implements Cancellable {
  #cancelled: { readonly reason: unknown; readonly isAbort: boolean } | undefined
  #only: Cancellable | undefined
  #others: Set<Cancellable> | undefined
  #stopFollowing: (() => void) | undefined

  get cancelled(): boolean {
    return this.#cancelled !== undefined
  }

  /** Why it was cancelled: the caller's own reason, or one of our errors. */
  get reason(): unknown {
    return this.#cancelled?.reason
  }

  /** Whether it was the caller's signal that cancelled it; the reason may be any error then, even one of ours. */
  get aborted(): boolean {
    return this.#cancelled?.isAbort === true
  }

  /** A signal that is aborted together with this. */
  toSignal(): AbortSignal {
    const controller = new AbortController()
    this.add({ cancel: (reason) => controller.abort(reason) })
    return controller.signal
  }

  cancel(reason: unknown): void {
    this.#cancel(reason, false)
  }

  #cancel(reason: unknown, isAbort: boolean): void {
    if (this.#cancelled !== undefined) return
    this.#cancelled = { reason, isAbort }
    this.unfollow()
    const only = this.#only
    const others = this.#others
    this.#only = undefined
    this.#others = undefined
    only?.cancel(reason)
    if (others !== undefined) for (const member of others) member.cancel(reason)
  }

  /** Has `member` cancelled together with this, at once if that has happened. */
  add(member: Cancellable): void {
    if (this.#cancelled !== undefined) member.cancel(this.#cancelled.reason)
    else if (this.#only === undefined) this.#only = member
    else {
      this.#others ??= new Set()
      this.#others.add(member)
    }
  }

  /** Lets go of a member that has come to its end. */
  remove(member: Cancellable): void {
    if (this.#only === member) this.#only = undefined
    else this.#others?.delete(member)
  }

  /** Calls `listener` when cancelled, at once if that has happened; returns how to stop listening. */
  onCancel(listener: (reason: unknown) => void): () => void {
    const member = { cancel: listener }
    this.add(member)
    return () => this.remove(member)
  }

  /** Is cancelled with the reason of `signal`, until {@link unfollow}. */
  follow(signal: AbortSignal): void {
    if (signal.aborted) {
      this.#cancel(signal.reason, true)
      return
    }
    const onAbort = (): void => this.#cancel(signal.reason, true)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#stopFollowing = () => signal.removeEventListener('abort', onAbort)
  }

  /** Lets go of the caller's signal. */
  unfollow(): void {
    this.#stopFollowing?.()
    this.#stopFollowing = undefined
  }
}

/** What the caller's own function comes to; undefined when the cancellation fires first. */
export function unlessCancelled<Value>(work: Promise<Value>, cancellation: Cancellation): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const stopListening = cancellation.onCancel(() => resolve(undefined))
    const settle = async (): Promise<void> => {
      try {
        resolve(await work)
      } catch (error) {
        reject(error)
      }
      stopListening()
    }
    void settle()
  })
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
