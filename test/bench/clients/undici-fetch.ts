import { type Dispatcher, fetch } from 'undici'
import type { Open } from './client.ts'
import { fetchLike } from './fetch-like.ts'

/** The fetch of the undici that steadfetch stands on. */
export const open: Open = (_origin, dispatcher) =>
  fetchLike(dispatcher === undefined ? fetch : (url, init) => fetch(url, { ...init, dispatcher: dispatcher as Dispatcher }))
