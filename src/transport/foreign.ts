import type { Attempt, Send } from '../types/exchange.ts'
import type { Transport, TransportInit } from '../types/transport.ts'
import { attemptFailure } from './failure.ts'

/** Sends attempts through any function of fetch's shape: one of the caller's, or a mocked global fetch. */
export function foreignSend(transport: Transport): Send {
  return (attempt) =>
    new Promise((resolve, reject) => {
      const stopListening = attempt.cancellation.onCancel(reject)
      const settle = async (): Promise<void> => {
        try {
          const response = checked(await transport(attempt.request.url.href, initOf(attempt)))
          if (attempt.cancellation.cancelled) return letGo(response)
          resolve(response)
        } catch (error) {
          const { cancelled, reason } = attempt.cancellation
          reject(cancelled ? reason : failureOf(error, attempt))
        }
        stopListening()
      }
      settle().catch(reject)
    })
}

function initOf({ request, cancellation }: Attempt): TransportInit {
  const { method, headers, content } = request
  const body = content?.open() ?? null
  const init = { method, headers: { ...headers }, body, redirect: 'manual', signal: cancellation.signal } as const
  return body instanceof ReadableStream ? { ...init, duplex: 'half' } : init
}

/** A TypeError of fetch that has no cause is the network's fault, if it says so; another one is a bug to be seen. */
function failureOf(error: unknown, attempt: Attempt): unknown {
  if (!(error instanceof Error)) return error
  const isFetchFailure =
    error instanceof TypeError && (error.cause !== undefined || /fetch|network|terminated/i.test(error.message))
  const hasCode = typeof (error as { code?: unknown }).code === 'string'
  return isFetchFailure || hasCode || attempt.request.content?.failure() !== undefined
    ? attemptFailure(error, 'unknown', attempt)
    : error
}

function checked(response: unknown): Response {
  if (response instanceof Response) return response
  throw new TypeError('transport: must resolve to a Response')
}

/** The answer came after the attempt was given up. */
function letGo(response: Response): void {
  response.body?.cancel().catch(() => {})
}
