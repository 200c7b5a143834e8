import { unlessCancelled } from '../cancellation.ts'
import type { Exchange } from '../exchange.ts'
import { fieldOf, withField } from '../http/fields.ts'
import { cancelledOutcome } from '../policy/classify.ts'
import { fail } from '../policy/policies.ts'
import type { CookieJar } from '../types/call-options.ts'
import type { Handler, Layer, Outcome } from '../types/exchange.ts'

/** Sends the cookies of a jar with each request, redirects and retries among them, and gives it those of each response (RFC 6265 §5). */
export function cookiesLayer(jar: CookieJar): Layer {
  return (next) => async (exchange) => {
    try {
      return await withCookies(exchange, jar, next)
    } catch (error) {
      return { kind: 'failure', error, sent: 'no', policy: fail() }
    }
  }
}

async function withCookies(exchange: Exchange, jar: CookieJar, next: Handler): Promise<Outcome> {
  const { request, options } = exchange
  exchange.limit()
  const own = fieldOf(request.fields, 'cookie')
  const kept = await unlessCancelled(cookiesFor(jar, request.href), exchange)
  if (kept === undefined || exchange.cancelled) return cancelledOutcome(exchange.reason, options.on)
  // Those of the call itself come last: a server that reads a name twice takes the first or the last, but sees both.
  const cookie = [kept, own].filter((part) => part !== undefined && part !== '').join('; ')
  if (cookie !== '') exchange.request = { ...request, fields: withField(request.fields, 'cookie', cookie) }
  const outcome = await next(exchange)
  exchange.request = { ...exchange.request, fields: request.fields }
  if (outcome.kind === 'response' && outcome.received.field('set-cookie') !== null) {
    for (const line of outcome.received.headers.getSetCookie()) await keep(jar, line, request.href)
  }
  return outcome
}

async function cookiesFor(jar: CookieJar, href: string): Promise<string> {
  return (await jar.getCookieString(href)) ?? ''
}

/** A jar may refuse a cookie, such as one of a foreign domain: that is no failure of the call. */
async function keep(jar: CookieJar, line: string, href: string): Promise<void> {
  try {
    await jar.setCookie(line, href)
  } catch {
    // Refused.
  }
}
