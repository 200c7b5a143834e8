import type { TransportInit } from '../../src/index.ts'
import { settle } from './fake-clock.ts'

/** A request that waits for the test to answer it. */
export interface Held {
  readonly target: string
  readonly init: TransportInit
  readonly atMs: number
  /** Whether it has its answer, or none is wanted any more. */
  readonly over: boolean
  answer(response?: Response): Promise<void>
  fail(error: unknown): Promise<void>
}

/** A transport whose requests are answered by hand; what is aborted is under way no longer. */
export class HeldTransport {
  readonly #now: () => number
  /** All requests, in the order they were sent. */
  readonly sent: Held[] = []
  /** Requests without an answer, and how many there were at most. */
  underWay = 0
  most = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** The paths that were asked for, in order. */
  get paths(): string[] {
    return this.sent.map(({ target }) => new URL(target).pathname)
  }

  readonly send = (target: string, init: TransportInit): Promise<Response> =>
    new Promise((resolve, reject) => {
      this.underWay += 1
      this.most = Math.max(this.most, this.underWay)
      let over = false
      const end = (how: () => void) => async (): Promise<void> => {
        if (!over) this.underWay -= 1
        over = true
        how()
        await settle()
      }
      init.signal?.addEventListener('abort', () => void end(() => reject(init.signal?.reason))(), { once: true })
      this.sent.push({
        target,
        init,
        atMs: this.#now(),
        get over() {
          return over
        },
        answer: (response = new Response('ok')) => end(() => resolve(response))(),
        fail: (error) => end(() => reject(error))(),
      })
    })
}
