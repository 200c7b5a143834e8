import { Agent, type Dispatcher, fetch } from 'undici'
import type { Open } from './client.ts'
import { fetchLike } from './fetch-like.ts'

/** The fetch of the undici that steadfetch stands on, and its agent, as for `request`. */
export const open: Open = (_origin, given = new Agent()) => {
  const dispatcher = given as Dispatcher
  return fetchLike((url, init) => fetch(url, { ...init, dispatcher }))
}
