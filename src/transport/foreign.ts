import { isForeignFailure } from '../errors/foreign.ts'
import { fieldsWith, recordOf } from '../http/fields.ts'
import { receivedFrom } from '../http/received.ts'
import { isStatus } from '../status/table.ts'
import type { Attempt, Send } from '../types/exchange.ts'
import type { Transport, TransportInit } from '../types/transport.ts'
import { attemptFailure } from './failure.ts'

/** Sends attempts through any function of fetch's shape: one of the caller's, or a mocked global fetch. */
export function foreignSend(transport: Transport): Send {
  return (attempt) => {
    const waiting = { cancel: (reason: unknown) => attempt.failed(reason) }
    attempt.add(waiting)
    void answer(transport, attempt).finally(() => attempt.remove(waiting))
  }
}

async function answer(transport: Transport, attempt: Attempt): Promise<void> {
  const { method, href } = attempt.request
  try {
    const response = checked(await attempt.within(() => transport(href, initOf(attempt))))
    if (attempt.cancelled) return letGo(response)
    const received = receivedFrom(response, method, href)
    if (received.body !== null) attempt.add(received.body)
    attempt.answered(received)
  } catch (error) {
    attempt.failed(attempt.cancelled ? attempt.reason : failureOf(error, attempt))
  }
}

function initOf(attempt: Attempt): TransportInit {
  const { method, fields, content } = attempt.request
  const body = content?.open() ?? null
  const init = {
    method,
    headers: recordOf(fieldsWith(fields, content)),
    body,
    redirect: 'manual',
    signal: attempt.toSignal(),
  } as const
  return body instanceof ReadableStream ? { ...init, duplex: 'half' } : init
}

function failureOf(error: unknown, attempt: Attempt): unknown {
  if (!(error instanceof Error)) return error
  return isForeignFailure(error) || attempt.request.content?.failure() !== undefined
    ? attemptFailure(error, 'unknown', attempt)
    : error
}

function checked(response: unknown): Response {
  if (!(response instanceof Response)) throw new TypeError('transport: must resolve to a Response')
  if (isStatus(response.status)) return response
  // Fetch standard §2.2.6: Response.error() stands for a failure of the network.
  if (response.type === 'error') throw new TypeError('transport: resolved to a network error')
  throw new TypeError(`transport: must resolve to a Response with a status, got ${response.status} (${response.type})`)
}

/** The answer came after the attempt was given up. */
function letGo(response: Response): void {
  response.body?.cancel().catch(() => {})
}
