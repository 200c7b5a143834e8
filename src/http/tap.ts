import type { Body, Bytes } from '../types/body.ts'
import { WireBody } from './body.ts'

/** What looks at a body on its way to its reader. */
export interface Tap {
  /** Sees each part before the reader does; what it throws is what the body fails with. */
  part?(part: Bytes): void
  end?(): void
  /** The body failed, or was cancelled. */
  fail?(error: unknown): void
}

/** The body, seen by `tap` as its reader takes it; no more waits unread than without. */
export function tapped(body: Body, tap: Tap): Body {
  const out = new WireBody({ pause() {}, resume: () => body.resume(), abort: (reason) => body.cancel(reason) })
  body.attach({
    write(part) {
      try {
        tap.part?.(part)
      } catch (error) {
        out.fail(error)
        body.cancel(error)
        return true
      }
      return out.write(part)
    },
    end() {
      tap.end?.()
      out.end()
    },
    fail(error) {
      tap.fail?.(error)
      out.fail(error)
    },
  })
  return out
}
