import { parseDirectives, secondsOf } from '../../src/http/cache-control.ts'
import { parseChallenges } from '../../src/http/challenges.ts'
import { joinCookies } from '../../src/http/cookies.ts'
import { ErrorContent } from '../../src/http/excerpt.ts'
import { parseHttpDate } from '../../src/http/http-date.ts'
import { jsonErrorAt } from '../../src/http/json-position.ts'
import { parseLinks } from '../../src/http/link.ts'
import { continuation } from '../../src/http/partial.ts'
import { quotasOf } from '../../src/http/rate-limit.ts'
import { isCoded, isJson, lengthOf } from '../../src/http/representation.ts'
import { retryAfterMs } from '../../src/http/retry-after.ts'
import { strongValidator } from '../../src/http/validator.ts'
import { demandOf } from '../../src/policy/demand.ts'
import { initialAgeMs, lifetimeMs } from '../../src/policy/freshness.ts'
import { names } from '../../src/policy/storable.ts'
import { isUnchanged } from '../../src/policy/validation.ts'
import { codingsOf } from '../../src/transport/codings.ts'
import type { Received } from '../../src/types/exchange.ts'
import type { Terms } from '../../src/types/terms.ts'

const nowMs = Date.UTC(2026, 0, 1)
const times = { requestMs: nowMs, responseMs: nowMs }

/** A response whose fields all have this value, but for some. */
function saying(value: string, others: Readonly<Record<string, string | null>> = {}, status = 200): Received {
  const field = (name: string): string | null => (Object.hasOwn(others, name) ? (others[name] as string | null) : value)
  return { status, field } as unknown as Received
}

/** Everything that reads a field of a response, by the name of that field. */
export const parsers: Readonly<Record<string, (field: string) => unknown>> = {
  link: (field) => parseLinks(field, 'https://api.test/a'),
  'www-authenticate': parseChallenges,
  'cache-control': (field) => {
    const directives = parseDirectives(field)
    return [...directives.keys()].map((name) => secondsOf(directives, name))
  },
  ratelimit: (field) => quotasOf(saying(field, { age: null }), () => nowMs),
  'x-ratelimit': (field) => quotasOf(saying(field, { ratelimit: null, 'ratelimit-remaining': null, age: null }), () => nowMs),
  'content-range': (field) => {
    const known = { validator: '"a"', completeBytes: undefined }
    return continuation(saying(field, { etag: '"a"', 'content-encoding': null, 'content-length': null }, 206), known, 5)
  },
  'content-type': (field) => [
    isJson(saying(field)),
    new ErrorContent(Buffer.from('{}') as Uint8Array<ArrayBuffer>, field).problem,
  ],
  'content-encoding': (field) => [codingsOf(field), isCoded(saying(field))],
  'content-length': (field) => lengthOf(saying(field)),
  'retry-after': (field) => retryAfterMs(saying(field), () => nowMs),
  date: (field) => parseHttpDate(field, nowMs),
  expires: (field) => lifetimeMs(saying(field, { 'cache-control': null }), times, { shared: false, heuristicRatio: 0.1 }),
  age: (field) => initialAgeMs(saying(field), times),
  vary: names,
  etag: (field) => [
    strongValidator(saying(field), nowMs),
    isUnchanged(['if-none-match', field], { headers: { etag: field } } as never, nowMs),
  ],
  pragma: (field) => demandOf({ cache: 'default' } as Terms, ['pragma', field], false),
  cookie: (field) => joinCookies(field, field),
  'JSON content': jsonErrorAt,
}
