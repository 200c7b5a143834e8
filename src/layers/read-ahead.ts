import { BodyError } from '../errors/body-error.ts'
import type { Exchange } from '../exchange.ts'
import { contentOfRequest } from '../http/content.ts'
import { counted } from '../http/counted.ts'
import { cancelledOutcome } from '../policy/classify.ts'
import { fail } from '../policy/policies.ts'
import type { ByteStream, Handler, Layer, Outcome } from '../types/exchange.ts'

/** Reads the content of a Request before it is sent, within the limits of the call; calls without one pass straight on. */
export const readAheadLayer: Layer = (next) => (exchange) => {
  const { requestStream } = exchange
  return requestStream === null ? next(exchange) : readAhead(exchange, requestStream, next)
}

async function readAhead(exchange: Exchange, stream: ByteStream, next: Handler): Promise<Outcome> {
  exchange.limit()
  exchange.requestStream = null
  try {
    const content = await contentOfRequest(stream, exchange)
    const { onUploadProgress } = exchange.options
    exchange.content = onUploadProgress === undefined ? content : counted(content, onUploadProgress)
  } catch (cause) {
    const error = new BodyError('source', 'the content of the Request could not be read', exchange.facts(), cause)
    return { kind: 'failure', error, sent: 'no', policy: fail() }
  }
  if (exchange.cancelled) return cancelledOutcome(exchange.reason, exchange.options.on)
  exchange.request = { ...exchange.request, content: exchange.content }
  return next(exchange)
}
