import type { CallFacts } from '../types/exchange.ts'
import { branchOf, mark, SteadfetchError } from './steadfetch-error.ts'

/** Work that a 202 promised has failed, or was cancelled: its status monitor says so (RFC 9110 §15.3.3). */
export class OperationError extends SteadfetchError {
  static {
    mark(this.prototype, 'operation')
  }

  readonly #body: string

  /** @internal */
  constructor(body: string, facts: CallFacts) {
    super({ code: 'ERR_STEADFETCH_OPERATION_FAILED', summary: 'the work that was accepted has failed', retryable: false, facts })
    this.#body = body
  }

  /** What the status monitor said, as text; neither inspect nor JSON shows it. */
  get body(): string {
    return this.#body
  }
}

/** Whether `error` is an OperationError, of any copy of steadfetch. */
export function isOperationError(error: unknown): error is OperationError {
  return branchOf(error) === 'operation'
}
