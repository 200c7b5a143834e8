import { NetworkError } from '../errors/failures.ts'
import { parseLinks } from '../http/link.ts'
import { ReceivedResponse, type WireFields } from '../http/received.ts'
import type { Attempt } from '../types/exchange.ts'
import type { Link } from '../types/link.ts'
import type { Information } from '../types/transport.ts'

/** Most informational responses to one request: beyond it they are no information, but a flood. */
export const maxInterims = 1_000

/** How many came so far; most requests get none. */
const counts = new WeakMap<Attempt, number>()

/**
 * Tells of an informational response, RFC 9110 §15.2. Gives what is to end the attempt: the error of a listener that
 * throws, as that of a policy function does, or that of a flood.
 */
export function inform(attempt: Attempt, status: number, fields: WireFields): { readonly error: unknown } | undefined {
  const count = (counts.get(attempt) ?? 0) + 1
  counts.set(attempt, count)
  if (count > maxInterims) {
    return { error: new NetworkError('protocol', 'maybe', `more than ${maxInterims} informational responses`, attempt.facts()) }
  }
  const { onInformation } = attempt
  if (onInformation === undefined) return undefined
  try {
    onInformation(new Interim(status, fields, attempt.request.href))
  } catch (error) {
    return { error }
  }
  return undefined
}

class Interim implements Information {
  readonly status: number
  readonly headers: Headers
  readonly #base: string
  #links: readonly Link[] | undefined

  constructor(status: number, fields: WireFields, base: string) {
    this.status = status
    this.headers = new ReceivedResponse(status, '', '', fields, null).headers
    this.#base = base
  }

  get links(): readonly Link[] {
    this.#links ??= parseLinks(this.headers.get('link'), this.#base)
    return this.#links
  }
}
