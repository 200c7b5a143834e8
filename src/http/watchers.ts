import type { Watcher } from '../types/body.ts'

const nothing = (): void => {}

/** The watcher of a body, but for its flow: that is somebody else's matter. */
export function deafToFlow(watcher: Watcher): Watcher {
  return {
    shown: (error) => watcher.shown(error),
    streaming: () => watcher.streaming(),
    flowing: nothing,
    resting: nothing,
    ended: (reason) => watcher.ended(reason),
  }
}

/** What the watcher of a body has to know of the one beneath it. */
export function ofFlowAlone(watcher: Watcher): Watcher {
  return {
    shown: (error) => error,
    streaming: nothing,
    flowing: () => watcher.flowing(),
    resting: () => watcher.resting(),
    ended: nothing,
  }
}
