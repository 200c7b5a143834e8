import type { Failure } from './client.ts'

/** The error a careful user of a client without errors for statuses throws. */
export class StatusError extends Error {
  readonly status: number
  readonly headers: unknown
  readonly content: string

  constructor(status: number, headers: unknown, content: string) {
    super(`failed with status ${status}`)
    this.status = status
    this.headers = headers
    this.content = content
  }
}

/** What a StatusError tells. */
export function seenInStatusError(error: unknown): Failure {
  return error as StatusError
}
