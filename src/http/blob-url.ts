import { resolveObjectURL } from 'node:buffer'
import { partialStatus, statusRow, wholeStatus } from '../status/table.ts'

/** A response to a request for a blob: URL. */
export interface BlobAnswer {
  readonly status: number
  readonly statusText: string
  readonly headers: Readonly<Record<string, string>>
  readonly blob: Blob
}

/** A range of bytes, both ends included. */
interface Range {
  readonly start: number
  readonly end: number
}

/** "A single range header value" with white space allowed, Fetch standard §2.2.2. */
const singleRange = /^bytes[\t ]*=[\t ]*(\d*)[\t ]*-[\t ]*(\d*)$/

/** The Blob behind a blob: URL, undefined where there is none; a query makes it another URL, File API §8.3.3. */
export function resolveBlobUrl(url: URL): Blob | undefined {
  return url.search === '' ? (resolveObjectURL(url.href) as Blob | undefined) : undefined
}

/** What a request for a blob: URL gets, undefined where that is a network error; Fetch standard §4.3. */
export function blobAnswer(url: URL, method: string, rangeField: string | null): BlobAnswer | undefined {
  const blob = method === 'GET' ? resolveBlobUrl(url) : undefined
  if (blob === undefined) return undefined
  if (rangeField === null) return answer(wholeStatus, blob, {})
  const range = rangeOf(rangeField, blob.size)
  if (range === undefined) return undefined
  const { start, end } = range
  const part = blob.slice(start, end + 1, blob.type)
  return answer(partialStatus, part, { 'content-range': `bytes ${start}-${end}/${blob.size}` })
}

function answer(status: number, blob: Blob, more: Readonly<Record<string, string>>): BlobAnswer {
  const headers = { 'content-length': String(blob.size), 'content-type': blob.type, ...more }
  return { status, statusText: statusRow(status).phrase, headers, blob }
}

/** The bytes that are asked for, at least one; a suffix longer than the whole is the whole, RFC 9110 §14.1.2. */
function rangeOf(field: string, size: number): Range | undefined {
  const [, first, last] = singleRange.exec(field) ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  return start > end ? undefined : { start, end }
}
