import type { Received } from '../types/exchange.ts'
import { parseHttpDate } from './http-date.ts'

/**
 * Milliseconds a Retry-After field asks to wait, RFC 9110 §10.2.3; undefined when there is none or it means nothing.
 * A date is compared with the Date field of the same response where there is one, so that a wrong clock here neither
 * shortens nor lengthens the wait. Fractions of seconds are taken although the RFC has none: reading them as nothing
 * would mean to come back too early; so would any but the longest of several.
 */
export function retryAfterMs(received: Pick<Received, 'field'>, wallTime: () => number): number | undefined {
  const field = received.field('retry-after')
  if (field === null) return undefined
  let longest: number | undefined
  for (const part of field.split(separator)) {
    const ms = askedMs(part.trim(), received, wallTime)
    if (ms !== undefined) longest = Math.max(ms, longest ?? 0)
  }
  return longest
}

/** Between several of them, which a server must not send; the comma of a date is followed by its day. */
const separator = /,(?! *\d\d[ -])/

function askedMs(field: string, received: Pick<Received, 'field'>, wallTime: () => number): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(field)) return Number(field) * 1_000
  const nowMs = wallTime()
  const at = parseHttpDate(field, nowMs)
  if (at === null) return undefined
  const date = received.field('date')
  const saidAt = date === null ? null : parseHttpDate(date, nowMs)
  return Math.max(0, at - (saidAt ?? nowMs))
}
