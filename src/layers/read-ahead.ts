import { BodyError } from '../errors/failures.ts'
import { contentOfRequest } from '../http/content.ts'
import { cancelledOutcome } from '../policy/classify.ts'
import { fail } from '../policy/policies.ts'
import type { Exchange, Handler, Layer, Outcome } from '../types/exchange.ts'

type RequestStream = NonNullable<Exchange['requestStream']>

/** Reads the content of a Request before it is sent, within the limits of the call; calls without one pass straight on. */
export const readAheadLayer: Layer = (next) => (exchange) => {
  const { requestStream } = exchange
  return requestStream === null ? next(exchange) : readAhead(exchange, requestStream, next)
}

async function readAhead(exchange: Exchange, stream: RequestStream, next: Handler): Promise<Outcome> {
  const { cancellation, options } = exchange
  try {
    exchange.content = await contentOfRequest(stream, cancellation)
  } catch (cause) {
    const error = new BodyError('source', 'the content of the Request could not be read', exchange.facts(), cause)
    return { kind: 'failure', error, sent: 'no', policy: fail() }
  }
  if (cancellation.cancelled) return cancelledOutcome(cancellation.reason, options.on)
  exchange.request = { ...exchange.request, content: exchange.content }
  return next(exchange)
}
