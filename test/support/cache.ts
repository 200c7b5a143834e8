import type { CacheOptions, ClientOptions } from '../../src/index.ts'
import { traceOf } from '../../src/index.ts'
import { clientOf } from './client.ts'
import { reply } from './scripted-transport.ts'

/** A target for tests of the cache. */
export const target = 'https://example.test/a?b=c'

type Replies = Parameters<typeof clientOf>[0]

/** A client with a cache, on a fake clock, that is answered from a script. */
export function caching(
  replies: Replies,
  cache: CacheOptions | true = true,
  options: ClientOptions = {},
): ReturnType<typeof clientOf> & { status: (response: unknown) => string | undefined } {
  return { ...clientOf(replies, { cache, ...options }), status: (response) => traceOf(response)?.cache }
}

/** A response with a Cache-Control field. */
export function controlled(control: string, body = 'content', fields: Record<string, string> = {}, status = 200): Response {
  return reply(status, { 'cache-control': control, ...fields }, body)
}

/** A response that finds nothing new. */
export function unchanged(fields: Record<string, string> = {}): Response {
  return reply(304, fields)
}

/** An HTTP-date, `offsetMs` from when fake clocks begin. */
export function dateAt(offsetMs: number): string {
  return new Date(Date.UTC(2026, 0, 1) + offsetMs).toUTCString()
}
