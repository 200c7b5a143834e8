import type { Cancellable } from '../cancellation.ts'
import type { Clock } from '../clock.ts'
import { BodyError } from '../errors/body-error.ts'
import { NetworkError } from '../errors/failures.ts'
import { WireBody } from '../http/body.ts'
import { readExcerpt } from '../http/excerpt.ts'
import { ReceivedResponse, type WireFields, wireField } from '../http/received.ts'
import { isBodiless, isOk, isStatus, statusRow } from '../status/table.ts'
import type { Sink, Source } from '../types/body.ts'
import type { Attempt } from '../types/exchange.ts'
import { type Decoding, decoding, maxCodings } from './decode.ts'

/** The header section of a response that is not informational. */
export interface Head {
  readonly status: number
  readonly statusText: string
  readonly fields: WireFields
}

/** Where a response comes from, and the clock of its client. */
export interface Origin {
  readonly source: Source & Cancellable
  readonly clock: Clock
}

/** The failure of a request whose answer has no status of HTTP, RFC 9110 §15; undefined when it has one. */
export function invalidStatus(attempt: Attempt, status: number): NetworkError | undefined {
  return isStatus(status) ? undefined : invalid(attempt, `a status of ${status}`)
}

/** Tells the attempt of its response. Gives what takes the content; undefined when there is none, or it was refused. */
export function answer(attempt: Attempt, { source, clock }: Origin, { status, statusText, fields }: Head): Sink | undefined {
  const { method, href } = attempt.request
  // From here on it is the body that is cancelled: it may outlast the connection's part in it.
  attempt.remove(source)
  if (isBodiless(method, status)) {
    attempt.answered(new ReceivedResponse(status, statusText, href, fields, null))
    return method !== 'HEAD' && statusRow(status).framed === true ? rest(source, clock) : undefined
  }
  const transferCoding = wireField(fields, 'transfer-encoding')
  if (transferCoding !== null && !onlyChunked.test(transferCoding)) {
    source.cancel(invalid(attempt, `a Transfer-Encoding of ${JSON.stringify(transferCoding)}, which nobody asked for`))
    return undefined
  }
  const coding = wireField(fields, 'content-encoding')
  const way = coding === null ? plain(source) : decoding(source, coding, attempt)
  if (way === undefined) {
    refuseCodings(attempt, source, { status, statusText, fields })
    return undefined
  }
  attempt.add(way.body)
  attempt.answered(new ReceivedResponse(status, statusText, href, fields, way.body))
  return way.input
}

/** The one transfer coding that is undone, and that a server may use without having been asked to, RFC 9112 §7. */
const onlyChunked = /^[\t ,]*(?:chunked[\t ,]*)*$/i

function invalid(attempt: Attempt, what: string): NetworkError {
  return new NetworkError('protocol', 'maybe', `the answer is not valid HTTP: ${what}`, attempt.facts())
}

function plain(source: Source): Decoding {
  const body = new WireBody(source)
  return { input: body, body }
}

/** What comes although there is to be nothing: read for as long as that of an error, so that nothing holds the connection. */
function rest(source: Source, clock: Clock): Sink {
  const body = new WireBody(source)
  void readExcerpt(body, clock)
  return body
}

/** More codings than can be good fail the request; but where it is the status that tells what to do, that counts. */
function refuseCodings(attempt: Attempt, source: Source & Cancellable, { status, statusText, fields }: Head): void {
  const error = new BodyError('decode', `more than ${maxCodings} content codings`, attempt.facts())
  if (!isOk(status)) {
    const body = new WireBody({ pause() {}, resume() {}, abort() {} })
    body.fail(error)
    attempt.answered(new ReceivedResponse(status, statusText, attempt.request.href, fields, body))
  }
  source.cancel(error)
}
