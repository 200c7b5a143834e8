import type { Observation, Opening } from '../observation.ts'
import type { HarTimings } from '../types/har.ts'

const notApplicable = { dns: -1, connect: -1, ssl: -1 }

/** Where the time of an attempt went; of one under way, until now. */
export function timingsOf(observation: Observation): HarTimings {
  const { beginning, departure, departedMs, sentMs, answeredMs } = observation
  const endMs = observation.endedMs ?? observation.nowMs
  const untilMs = departedMs ?? endMs
  const opening = departure === undefined ? unfinished(observation.connection?.opening) : departure.opening
  const answerMs = answeredMs ?? endMs
  // A response may come before the request is sent whole, RFC 9112 §9.5.
  const writtenMs = Math.min(Math.max(sentMs ?? untilMs, untilMs), answerMs)
  return {
    ...openingTimings(opening, beginning.startMs, untilMs),
    send: rounded(writtenMs - untilMs),
    wait: departedMs === undefined ? 0 : rounded(answerMs - writtenMs),
    receive: rounded(endMs - answerMs),
  }
}

/** The sum of the timings that apply; TLS is a part of connecting. */
export function totalOf({ blocked, dns, connect, send, wait, receive }: HarTimings): number {
  return rounded([blocked, dns, connect, send, wait, receive].reduce((sum, ms) => (ms < 0 ? sum : sum + ms), 0))
}

/** A request that was never written waited for a connection: while it was opened, if it has not been. */
function unfinished(opening: Opening | undefined): Opening | undefined {
  return opening?.isOpen === false ? opening : undefined
}

/** Another attempt may have begun to open the connection, so that nothing counts that was before this one. */
function openingTimings(opening: Opening | undefined, startMs: number, untilMs: number) {
  if (opening === undefined) return { blocked: rounded(untilMs - startMs), ...notApplicable }
  const { lookupMs, connectMs, secureMs, isSecure, isLost } = opening
  const within = (fromMs: number, ms: number): number => Math.min(Math.max(ms, fromMs), untilMs)
  const openingMs = within(startMs, opening.startMs)
  const foundMs = within(openingMs, lookupMs ?? openingMs)
  const openMs = isLost ? foundMs : within(foundMs, (isSecure ? secureMs : connectMs) ?? untilMs)
  return {
    blocked: rounded(openingMs - startMs + untilMs - openMs),
    dns: lookupMs === undefined ? -1 : rounded(foundMs - openingMs),
    connect: isLost ? -1 : rounded(openMs - foundMs),
    ssl: isSecure && !isLost && connectMs !== undefined ? rounded(openMs - within(foundMs, connectMs)) : -1,
  }
}

/** Milliseconds to the microsecond, as browsers tell them. */
export function rounded(ms: number): number {
  return Math.max(0, Math.round(ms * 1_000) / 1_000)
}
