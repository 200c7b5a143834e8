import type { Open } from './client.ts'
import { fetchLike } from './fetch-like.ts'

/** The fetch of Node.js. */
export const open: Open = () => fetchLike(fetch)
