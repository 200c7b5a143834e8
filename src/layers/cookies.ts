import { unlessCancelled } from '../cancellation.ts'
import type { Exchange } from '../exchange.ts'
import { joinCookies } from '../http/cookies.ts'
import { fieldOf, mergeFields } from '../http/fields.ts'
import { cancelledOutcome } from '../policy/classify.ts'
import { fail } from '../policy/policies.ts'
import type { CookieJar } from '../types/credentials.ts'
import type { Fields, Handler, Layer, Outcome, Received } from '../types/exchange.ts'

/**
 * Sends with each request the cookies that the jar has for its target, and gives the jar those of each response. They are not
 * made part of the request of the exchange: it is the jar that knows which of them another target may see.
 */
export function cookiesLayer(jar: CookieJar): Layer {
  return (next) => (exchange) => (exchange.request.href.startsWith('http') ? withCookies(exchange, jar, next) : next(exchange))
}

async function withCookies(exchange: Exchange, jar: CookieJar, next: Handler): Promise<Outcome> {
  const { options, request } = exchange
  exchange.limit()
  let fields: Fields | undefined
  try {
    fields = await unlessCancelled(fieldsOf(exchange, jar), exchange)
  } catch (error) {
    return { kind: 'failure', error, sent: 'no', policy: fail() }
  }
  if (fields === undefined) return cancelledOutcome(exchange.reason, options.on)
  exchange.request = { ...request, fields }
  let answer: Promise<Outcome>
  try {
    answer = next(exchange)
  } finally {
    exchange.request = request
  }
  const outcome = await answer
  if (outcome.kind !== 'response' || outcome.received.field('set-cookie') === null) return outcome
  const { received } = outcome
  await unlessCancelled(
    exchange.within(() => store(jar, received)),
    exchange,
  )
  if (!exchange.cancelled) return outcome
  received.release(exchange.reason)
  return cancelledOutcome(exchange.reason, options.on)
}

/** The fields of the request with the cookies that the jar has for its target. */
async function fieldsOf(exchange: Exchange, jar: CookieJar): Promise<Fields> {
  const { href, fields } = exchange.request
  const cookies: unknown = await exchange.within(() => jar.getCookieString(href))
  if (cookies === undefined || cookies === null || cookies === '') return fields
  if (typeof cookies !== 'string') throw new TypeError(`cookies: getCookieString must give a string, got ${typeof cookies}`)
  return mergeFields(fields, [['cookie', joinCookies(fieldOf(fields, 'cookie'), cookies)]])
}

/** Each cookie has a field of its own (RFC 6265 §3). One that the jar refuses, or cannot keep, is no reason to lose the response. */
async function store(jar: CookieJar, { headers, url }: Received): Promise<void> {
  for (const cookie of headers.getSetCookie()) {
    try {
      await jar.setCookie(cookie, url, { ignoreError: true })
    } catch {}
  }
}
