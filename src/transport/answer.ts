import type { Cancellable } from '../cancellation.ts'
import { BodyError } from '../errors/body-error.ts'
import { WireBody } from '../http/body.ts'
import { ReceivedResponse, type WireFields, wireField } from '../http/received.ts'
import { isBodiless } from '../status/table.ts'
import type { Sink, Source } from '../types/body.ts'
import type { Attempt } from '../types/exchange.ts'
import { type Decoding, decoding, maxCodings } from './decode.ts'

/** The header section of a response that is not informational. */
export interface Head {
  readonly status: number
  readonly statusText: string
  readonly fields: WireFields
}

/** Tells the attempt of its response. Gives what takes the content; undefined when there is none, or it was refused. */
export function answer(attempt: Attempt, source: Source & Cancellable, { status, statusText, fields }: Head): Sink | undefined {
  const { method, href } = attempt.request
  // From here on it is the body that is cancelled: it may outlast the connection's part in it.
  attempt.remove(source)
  if (isBodiless(method, status)) {
    attempt.answered(new ReceivedResponse(status, statusText, href, fields, null))
    return undefined
  }
  const coding = wireField(fields, 'content-encoding')
  const way = coding === null ? plain(source) : decoding(source, coding, attempt)
  if (way === undefined) {
    source.cancel(new BodyError('decode', `more than ${maxCodings} content codings`, attempt.facts()))
    return undefined
  }
  attempt.add(way.body)
  attempt.answered(new ReceivedResponse(status, statusText, href, fields, way.body))
  return way.input
}

function plain(source: Source): Decoding {
  const body = new WireBody(source)
  return { input: body, body }
}
