import type { Limited } from '../../src/limits.ts'

/** What keeps when it was looked at. */
export class Entry implements Limited {
  dueMs: number
  place: number = -1
  /** The moments it was looked at. */
  readonly looks: number[] = []
  /** What it does when it is looked at. */
  onLook: (() => void) | undefined

  constructor(dueMs: number) {
    this.dueMs = dueMs
  }

  look(nowMs: number): void {
    this.looks.push(nowMs)
    this.onLook?.()
  }
}
