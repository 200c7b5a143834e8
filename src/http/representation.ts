import type { Received } from '../types/exchange.ts'

const digits = /^\d+$/
const jsonType = /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i

/** Whether the content has a coding, RFC 9110 §8.4: then neither its length nor a range is that of what a reader gets. */
export function isCoded(received: Received): boolean {
  const coding = received.field('content-encoding')?.trim().toLowerCase() ?? ''
  return coding !== '' && coding !== 'identity'
}

/** The Content-Length, RFC 9110 §8.6; undefined when there is none. */
export function lengthOf(received: Received): number | 'invalid' | undefined {
  const field = received.field('content-length')
  if (field === null) return undefined
  return digits.test(field) ? Number(field) : 'invalid'
}

/** Whether the media type is one of JSON, RFC 6839 §3.1. */
export function isJson(received: Received): boolean {
  return jsonType.test(received.field('content-type') ?? '')
}
