import { blobAnswer } from '../http/blob-url.ts'
import { parseDataUrl } from '../http/data-url.ts'
import { fieldOf } from '../http/fields.ts'
import { ReceivedResponse, receivedBytes } from '../http/received.ts'
import { bodyOf } from '../http/stream.ts'
import { statusRow, wholeStatus } from '../status/table.ts'
import type { Attempt, ByteStream, Received, Send } from '../types/exchange.ts'

/** Answers what has no server, the targets of the schemes data and blob (Fetch standard §4.2); passes on all others. */
export function withLocalSchemes(send: Send): Send {
  return (attempt) => {
    const { href } = attempt.request
    if (href.startsWith('http')) send(attempt)
    else answer(attempt, href.startsWith('data:') ? dataAnswer(attempt) : blobResponse(attempt))
  }
}

function answer(attempt: Attempt, received: Received | undefined): void {
  if (received !== undefined) attempt.answered(received)
  else attempt.failed(new TypeError('the target cannot be read', { cause: new Error('it holds nothing that could be') }))
}

function dataAnswer({ request: { href, method } }: Attempt): Received | undefined {
  const data = parseDataUrl(new URL(href))
  if (data === undefined) return undefined
  const body = method === 'HEAD' ? null : receivedBytes(data.bytes)
  return new ReceivedResponse(wholeStatus, statusRow(wholeStatus).phrase, href, { 'content-type': data.type }, body)
}

function blobResponse(attempt: Attempt): Received | undefined {
  const { href, method, fields } = attempt.request
  const found = blobAnswer(new URL(href), method, fieldOf(fields, 'range') ?? null)
  if (found === undefined) return undefined
  const { status, statusText, headers, blob } = found
  const body = bodyOf(blob.stream() as ByteStream)
  attempt.add(body)
  return new ReceivedResponse(status, statusText, href, headers, body)
}
