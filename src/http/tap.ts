import type { Body, Bytes, Watcher } from '../types/body.ts'
import { WireBody } from './body.ts'
import { deafToFlow, ofFlowAlone } from './watchers.ts'

/** What looks at a body on its way to its reader. */
export interface Tap {
  /** Sees each part before the reader does; what it throws is what the body fails with. */
  part?(part: Bytes): void
  /** Everything has come; what it throws is what the body fails with. */
  end?(): void
  /** The body failed, or was cancelled; once, and not after its end. */
  fail?(error: unknown): void
  /** Nobody has read what came so far, and everything comes once more. */
  anew?(): void
}

/** Whether anything is to come, and whether somebody waits for it, is known of the body beneath. */
class Tapped extends WireBody {
  readonly #body: Body

  constructor(body: Body) {
    super({
      pause() {},
      resume: () => body.resume(),
      abort: (reason) => body.cancel(reason),
      begun: () => body.begun(),
    })
    this.#body = body
  }

  override watch(watcher: Watcher): void {
    super.watch(deafToFlow(watcher))
    this.#body.watch(ofFlowAlone(watcher))
  }
}

/** The body, seen by `tap` as it comes; no more waits unread than without. */
export function tapped(body: Body, tap: Tap): Body {
  const out = new Tapped(body)
  let isOver = false
  const fail = (error: unknown): void => {
    if (isOver) return
    isOver = true
    tap.fail?.(error)
    out.fail(error)
    body.cancel(error)
  }
  body.attach({
    looksOn: true,
    anew() {
      tap.anew?.()
      out.forget()
    },
    write(part) {
      // What had been waiting is given in one go, whatever became of its beginning.
      if (isOver) return true
      try {
        tap.part?.(part)
      } catch (error) {
        fail(error)
        return true
      }
      return out.write(part)
    },
    end() {
      try {
        if (!isOver) tap.end?.()
      } catch (error) {
        fail(error)
      }
      isOver = true
      out.end()
    },
    fail,
  })
  return out
}
