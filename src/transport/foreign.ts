import { isForeignFailure } from '../errors/foreign.ts'
import { fieldsWith, recordOf } from '../http/fields.ts'
import { receivedFrom } from '../http/received.ts'
import type { Observation } from '../observation.ts'
import { isStatus } from '../status/table.ts'
import type { Attempt, Fields, Send } from '../types/exchange.ts'
import type { Transport, TransportInit } from '../types/transport.ts'
import { attemptFailure, type Stage } from './failure.ts'

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
    const received = receivedFrom(response, method, href, (error) => failureOf(error, attempt, 'answered'))
    if (received.body !== null) attempt.add(received.body)
    attempt.answered(received)
  } catch (error) {
    attempt.failed(attempt.cancelled ? attempt.reason : failureOf(error, attempt, 'unknown'))
  }
}

function initOf(attempt: Attempt): TransportInit {
  const { method, fields: given, content } = attempt.request
  const body = content?.open() ?? null
  const fields = fieldsWith(given, content)
  if (attempt.observation !== undefined) observe(attempt.observation, fields, body)
  const init = {
    method,
    headers: recordOf(fields),
    body,
    redirect: 'manual',
    signal: attempt.toSignal(),
  } as const
  return body instanceof ReadableStream ? { ...init, duplex: 'half' } : init
}

/** Of a stream nobody knows how much of it the transport sends. */
function observe(observation: Observation, fields: Fields, body: TransportInit['body']): void {
  const isStream = body instanceof ReadableStream
  const contentBytes = body instanceof Blob ? { contentBytes: body.size } : isStream ? { contentBytes: -1 } : {}
  observation.departed({ fields, ...contentBytes })
  if (typeof body === 'string') observation.sentContent.add(Buffer.from(body))
  if (body instanceof Uint8Array) observation.sentContent.add(body)
  observation.sent()
}

function failureOf(error: unknown, attempt: Attempt, stage: Stage): unknown {
  if (!(error instanceof Error)) return error
  return isForeignFailure(error) || attempt.request.content?.failure() !== undefined
    ? attemptFailure(error, stage, attempt)
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
