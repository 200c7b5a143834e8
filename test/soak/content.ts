// What the server of the soak sends and its client expects.
import { gzipSync } from 'node:zlib'

/** The value of every JSON answer. */
export const value = { id: 7, name: 'soak', tags: ['a', 'b', 'c'] }
/** A text of 64 KiB. */
export const longText: string = 'All work and no play. '.repeat(2_979).slice(0, 65_536)
/** The same text, coded. */
export const zipped: Buffer = gzipSync(longText)
/** The same coding, cut short. */
export const zippedShort: Buffer = zipped.subarray(0, zipped.length >> 1)
/** The parts of a chunked answer. */
export const chunks: readonly string[] = ['first ', 'second ', 'third']
/** Problem details of a missing thing. */
export const problem = { type: 'about:blank', title: 'No such thing', status: 404 }
/** What each upload holds somewhere, so that the server can tell that it came. */
export const marker = 'the-content-of-the-upload'
/** More than a body may hold unread: the rest waits at the server. */
export const largeBytes = 1_048_576
